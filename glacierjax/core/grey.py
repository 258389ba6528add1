"""The grey of a data set: how its 8-bit values follow from backscatter. The only place that says so.

A network knows the grey that it was trained with, so a scene of another format has to be brought to that grey before it is
predicted. The rule belongs to the data set and travels in the record of every checkpoint (`RECORD_KEY`).

CaFFe publishes no rule. Seven of its scenes, as printed in a figure, were measured: the local standard deviation grows with
the local mean as speckle does in amplitude (in decibels it would be the same everywhere). The simulated archives are
amplitude too. docs/reference/benchmarks.md compares rules.

A scene that is 8-bit already is taken as it is, so its grey may be another one, such as a logarithmic one. `GreyRule.distance`
tells that from percentiles.
"""

import dataclasses
import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.choices import AMPLITUDE
from glacierjax.core.errors import InputError
from glacierjax.core.json_values import Json

GREY_MAX = 255
RECORD_KEY = "grey"
PERCENTILES = (1, 50, 99)  # of the pixels above 0, which often lie outside of the swath
LOOKED_AT = 100_000  # pixels of a scene that give its percentiles, about
# Grey values. On the demo's test scenes the distance to its training scenes is 14 at most, and on the same scenes with a
# logarithmic grey 28 at least.
UNLIKE_FROM = 20.0

Ranges = tuple[tuple[float, float], ...]
"""Of each of `PERCENTILES` the lowest and the highest value among scenes"""


@dataclasses.dataclass(frozen=True)
class GreyRule:
    """Grey is linear in `quantity`; the percentiles of a scene's data become 0 and `GREY_MAX`, what lies outside is clipped.

    `ranges`: of the training scenes' grey; the default is that of CaFFe's seven printed scenes.
    """

    quantity: str = AMPLITUDE
    low_percentile: float = 1.0
    high_percentile: float = 99.0
    ranges: Ranges = ((1.0, 26.0), (32.0, 93.0), (206.0, 255.0))

    def distance(self, image: UInt8[np.ndarray, "height width"]) -> float:
        """By how many grey values the percentiles of a scene (H, W) lie outside of `ranges`, the largest of them; 0: inside."""
        found = percentiles_of(image)
        return max(max(low - value, value - high, 0.0) for value, (low, high) in zip(found, self.ranges, strict=True))


CAFFE_GREY = GreyRule()


def percentiles_of(image: UInt8[np.ndarray, "height width"]) -> tuple[float, ...]:
    """`PERCENTILES` of a scene's grey (H, W); 0 if there is no pixel above 0."""
    step = max(1, math.isqrt(image.size // LOOKED_AT))
    thinned = image[::step, ::step]
    above = thinned[thinned > 0]
    return tuple(np.percentile(above, PERCENTILES).tolist()) if above.size else (0.0,) * len(PERCENTILES)


def ranges_of(images: Iterable[UInt8[np.ndarray, "height width"]]) -> Ranges:
    """Ranges of the percentiles of scenes (H, W), at least one."""
    found = np.array([percentiles_of(image) for image in images])
    return tuple(zip(found.min(0).tolist(), found.max(0).tolist(), strict=True))


def rule_of_record(record: Json, where: str) -> GreyRule:
    """The rule in the record of a checkpoint; that of CaFFe where it says nothing (converted weights).

    Raises `InputError` naming `where` for a rule that this version does not know.
    """
    fields = record.get(RECORD_KEY, {})
    try:
        fields = dict(fields)
        if "ranges" in fields:
            fields["ranges"] = tuple((float(low), float(high)) for low, high in fields["ranges"])
        rule = GreyRule(**fields)
        in_order = 0 <= rule.low_percentile < rule.high_percentile <= 100
    except (TypeError, ValueError):
        raise InputError(f"{where}: its grey rule {fields} is of another version; use that version") from None
    if rule.quantity != AMPLITUDE or not in_order or len(rule.ranges) != len(PERCENTILES):
        raise InputError(f"{where}: its grey rule {fields} is not known; train the network again")
    return rule
