"""How the values of a scene become the 8-bit grey that networks were trained with.

CaFFe's scenes are 8-bit pictures of backscatter on a logarithmic scale, dark sea to bright ice. So:

1. 8-bit values are taken as they are.
2. All others are brought to a logarithmic scale: signed values with a negative one among them are decibels (or decibels
   times a factor) already, values that are never negative are linear (amplitude or intensity; the logarithm differs by
   a factor only, which step 3 removes) and get 10 log10. `scale` overrides this guess.
3. The scale is stretched linearly so that the 1st percentile of the scene becomes 0 and the 99th 255, and clipped.

Not data, so zone NA and grey 0: what the file says is none, values that are not finite, linear values of 0 or less, and
decibels below `LOWEST_DB` in floating point (files that mark missing data with -99 or -9999 and do not say so).
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from glacierjax.core.errors import InputError

AUTO, LINEAR, DECIBEL = "auto", "linear", "db"
SCALES = (AUTO, LINEAR, DECIBEL)
PERCENTILES = (1.0, 99.0)
LOWEST_DB = -80.0  # below the noise of any sensor
GREY_MAX = 255
SAMPLES = 4_000_000  # pixels from which the percentiles are taken, at most about

Block = tuple[np.ndarray, np.ndarray]
"""values (h, w) and whether they are data (h, w) bool"""


@dataclasses.dataclass(frozen=True)
class GreyRule:
    """`scale` linear or db; `low`, `high`: the values on the logarithmic scale that become 0 and 255."""

    scale: str
    low: float
    high: float

    def apply(self, values: np.ndarray, valid: np.ndarray) -> Block:
        """Grey uint8 and valid bool of a block of values and what the file says is data."""
        values, valid = _logarithmic(values, valid, self.scale)
        span = max(self.high - self.low, np.finfo(np.float32).tiny)
        grey = np.clip((values - np.float32(self.low)) / np.float32(span), 0, 1) * GREY_MAX
        return np.where(valid, np.round(grey), 0).astype(np.uint8), valid


def fit_rule(blocks: Iterable[Block], scale: str, where: str) -> GreyRule:
    """The rule for a scene, from a sample of its pixels (`sample_step`). Raises `InputError` if none of them is data."""
    sample = [values[valid] for values, valid in blocks]
    values = np.concatenate(sample) if sample else np.zeros(0, np.float32)
    if np.issubdtype(values.dtype, np.complexfloating):
        raise InputError(f"{where}: complex values; give the detected amplitude or intensity instead")
    if scale == AUTO:
        scale = DECIBEL if (values < 0).any() else LINEAR
    values, valid = _logarithmic(values, np.ones(values.shape, bool), scale)
    if not valid.any():
        raise InputError(f"{where}: no pixel holds data; choose another file or --band")
    low, high = np.percentile(values[valid], PERCENTILES)
    return GreyRule(scale, float(low), float(high))


def sample_step(shape: tuple[int, int]) -> int:
    """Every how many rows and columns a scene is sampled."""
    return max(1, int(np.ceil(np.sqrt(shape[0] * shape[1] / SAMPLES))))


def grey_from_array(values: np.ndarray, scale: str = AUTO, where: str = "array") -> Block:
    """Grey (H, W) uint8 and valid (H, W) bool of values (H, W) of any number type."""
    values = np.asarray(values)
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "uifc":
        raise InputError(f"{where}: shape {values.shape}, type {values.dtype}; expected numbers of shape (H, W)")
    everywhere = np.ones(values.shape, bool)
    if values.dtype == np.uint8:
        return values, everywhere
    step = sample_step(values.shape)
    thinned = np.s_[::step, ::step]
    return fit_rule([(values[thinned], everywhere[thinned])], scale, where).apply(values, everywhere)


def _logarithmic(values: np.ndarray, valid: np.ndarray, scale: str) -> Block:
    floating = values.dtype.kind == "f"
    values = values.astype(np.float32)
    valid = valid & np.isfinite(values)
    if scale == DECIBEL:
        return values, valid & (values > LOWEST_DB) if floating else valid
    valid = valid & (values > 0)
    return 10 * np.log10(np.where(valid, values, 1)), valid
