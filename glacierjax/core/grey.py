"""The grey of a data set: how its 8-bit values follow from backscatter. The only place that says so.

A network knows the grey that it was trained with, so a scene of another format has to be brought to that grey before it is
predicted. The rule belongs to the data set and travels in the record of every checkpoint (`RECORD_KEY`).

CaFFe publishes no rule. Seven of its scenes, as printed in a figure, were measured: the local standard deviation grows with
the local mean as speckle does in amplitude (in decibels it would be the same everywhere), and the 1st, 50th and 99th
percentile are 0, 26 to 80 and 255. The simulated archives are amplitude too. docs/reference/benchmarks.md compares rules.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from glacierjax.core.errors import InputError

GREY_MAX = 255
RECORD_KEY = "grey"
AMPLITUDE = "amplitude"


@dataclasses.dataclass(frozen=True)
class GreyRule:
    """Grey is linear in `quantity`; the percentiles of a scene's data become 0 and `GREY_MAX`, what lies outside is clipped."""

    quantity: str = AMPLITUDE
    low_percentile: float = 1.0
    high_percentile: float = 99.0


CAFFE_GREY = GreyRule()


def rule_of_record(record: Mapping[str, Any], where: str) -> GreyRule:
    """The rule in the record of a checkpoint; that of CaFFe where it says nothing (converted weights).

    Raises `InputError` naming `where` for a rule that this version does not know.
    """
    fields = dict(record.get(RECORD_KEY, {}))
    try:
        rule = GreyRule(**fields)
    except TypeError:
        raise InputError(f"{where}: its grey rule {fields} is of another version; use that version") from None
    if rule.quantity != AMPLITUDE or not 0 <= rule.low_percentile < rule.high_percentile <= 100:
        raise InputError(f"{where}: its grey rule {fields} is not known; train the network again")
    return rule
