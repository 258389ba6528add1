"""Whether a front can be used: good, doubtful or reject, with reasons. All thresholds stand here."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from glacierjax.core.errors import ArgumentError
from glacierjax.fronts.calibration import ErrorEstimate
from glacierjax.fronts.indicators import Indicators

GOOD, DOUBTFUL, REJECT = "good", "doubtful", "reject"
QUALITIES = (GOOD, DOUBTFUL, REJECT)


class Verdict(NamedTuple):
    """`quality`: one of `QUALITIES`; `reasons`: why it is not good, in words."""

    quality: str
    reasons: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """From where on a front is doubtful or rejected. docs/howto/predict.md tells what they do.

    `*_error_times`: expected error by the usual one of the network on its validation scenes; `*_error_m`: in metres, infinite:
    not asked; `*_gap_share`, `*_rim_share`, `*_sinuosity`: see `Indicators`; `doubtful_closed_share`: less of the box is spanned.
    Of series (`glacierjax.terminus.outliers`): `*_jump_times`: distance from the neighbours in time by the usual scatter, and
    at least `least_jump_m`; `*_length_times`: length in the box by the glacier's usual one; `*_missing_share`: of the box's
    width, where there is no front.
    """

    doubtful_error_times: float = 1.2
    reject_error_times: float = 1.5
    doubtful_error_m: float = float("inf")
    reject_error_m: float = float("inf")
    doubtful_gap_share: float = 0.15
    reject_gap_share: float = 0.5
    doubtful_rim_share: float = 0.2
    reject_rim_share: float = 0.6
    doubtful_sinuosity: float = 1.5
    reject_sinuosity: float = 3.0
    doubtful_closed_share: float = 0.1
    doubtful_jump_times: float = 3.5
    reject_jump_times: float = 6.0
    least_jump_m: float = 100.0
    doubtful_length_times: float = 1.5
    reject_length_times: float = 2.5
    doubtful_missing_share: float = 0.1
    reject_missing_share: float = 0.3

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if not getattr(self, field.name) >= 0:
                raise ArgumentError("threshold", f"{field.name}={getattr(self, field.name)}", "give a number from 0 on")


USUAL = Thresholds()
_OF_SERIES = ("jump_times", "jump_m", "length_times", "missing_share")  # how names of thresholds of series end


def thresholds_from(texts: Sequence[str], of_series: bool) -> Thresholds:
    """Thresholds with the values that texts NAME=VALUE change: those of series, or those of single fronts.

    Raises `ArgumentError` for another name, or no number.
    """
    fields = [field.name for field in dataclasses.fields(Thresholds)]
    names = [name for name in fields if name.endswith(_OF_SERIES) == of_series]
    changed = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in names:
            raise ArgumentError("threshold", text, f"expected NAME=VALUE with one of {', '.join(names)}")
        try:
            changed[name] = float(value)
        except ValueError:
            raise ArgumentError("threshold", text, "its value is no number") from None
    return Thresholds(**changed)


def judge(
    indicators: Indicators,
    error: ErrorEstimate | None = None,
    usual_m: float | None = None,
    thresholds: Thresholds = USUAL,
) -> Verdict:
    """The verdict on the front of one scene. `error`, `usual_m`: of a calibrated network (`ErrorModel`)."""
    asked: list[tuple[str, float, str]] = [
        ("gap_share", indicators.gap_share, f"broken into {indicators.pieces} pieces"),
        ("rim_share", indicators.rim_share, "runs along the edge of the image or of missing data"),
        ("sinuosity", indicators.sinuosity, "winds more than fronts do"),
    ]
    if error is not None:
        asked.insert(0, ("error_m", error.error_m, f"expected error {error.error_m:.0f} m"))
        if usual_m:
            times = error.error_m / usual_m
            asked.insert(1, ("error_times", times, f"expected error {times:.1f} times the usual one"))
    found = [weigh(value, name, reason, thresholds) for name, value, reason in asked]
    if indicators.closed_share is not None and indicators.closed_share < thresholds.doubtful_closed_share:
        found.append(Verdict(DOUBTFUL, ("spans little of the box",)))
    return worst(found)


def weigh(value: float, name: str, reason: str, thresholds: Thresholds) -> Verdict:
    """What a value says by the thresholds doubtful_NAME and reject_NAME, from which on it is so."""
    for quality in (REJECT, DOUBTFUL):
        if value >= getattr(thresholds, f"{quality}_{name}"):
            return Verdict(quality, (reason,))
    return Verdict(GOOD)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst quality of verdicts, with all reasons, each once."""
    quality = max((one.quality for one in verdicts), key=QUALITIES.index, default=GOOD)
    return Verdict(quality, tuple(dict.fromkeys(reason for one in verdicts for reason in one.reasons)))
