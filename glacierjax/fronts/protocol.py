"""Which rules a score follows.

`clean` is the plain rule of the paper (Gourmelon et al. 2025, doi 10.1109/TGRS.2025.3580945). `official` repeats what
the published code does where that can change a score, so that published figures can be reproduced:

- a bounding box that reaches beyond the image loses the image's last row or column, and negative upper bounds count
  from the far side (`extract.inside_box`);
- where fewer pixels are background than the shortest front may have, the first front is lost (`extract.drop_short`);
- a scene without a true front counts as a missing front (`glacierjax.evaluation.score`).

Its remaining slips do not change a score (the official code stops on an all-ocean prediction) or belong to reading files.
"""

from glacierjax.core.choices import CLEAN, OFFICIAL, PROTOCOLS
from glacierjax.core.errors import InputError

__all__ = ["CLEAN", "OFFICIAL", "PROTOCOLS", "check_protocol"]


def check_protocol(protocol: str) -> None:
    """Raises `InputError` unless `protocol` is one of `PROTOCOLS`."""
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol {protocol!r}: unknown; choose {' or '.join(PROTOCOLS)}")
