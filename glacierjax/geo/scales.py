"""What the values of a scene are, amplitude, power or decibels: given by the user, stated in the file or guessed; to amplitude.

The guess from values alone:

- *Decibels* (or decibels times 10, 100, ...) reach far below 0. Power with some negative values, as the subtraction of thermal
  noise leaves them, does not: its negatives are small beside its bright pixels.
- 8- and 16-bit integers are digital numbers, proportional to amplitude.
- Other numbers are amplitude or its square, power. On a logarithmic scale everything deviates twice as much in power:
  speckle from pixel to pixel, and dark from bright areas. The product of both deviations decides (`POWER_FROM`): right in
  154 of 160 cases of the demo's 40 test scenes (docs/reference/benchmarks.md).
"""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from glacierjax.core.choices import AMPLITUDE, AUTO, DECIBEL, POWER, STRETCH

DECIBEL_FROM = 0.2  # of the 99th percentile: how far below 0 the 1st percentile of decibels lies
SPANS_DB = (3.0, 100.0)  # from the 1st to the 99th percentile, of values without a sign that are said to be decibels
TYPICAL_DB = -12.0  # median of a scene; its ratio to the values' median is 1, 10, 100, ...
MOST_DECADES = 15  # of amplitude: no measurement, only damaged files reach it
TILE_PX = 5  # side of the squares in which speckle is measured
CALM_SHARE = 20  # percentile of the squares, by deviation: without edges
LEAST_SPECKLE = 0.08  # a smaller deviation in amplitude's logarithm is not speckle: a filtered or made-up scene
POWER_FROM = 0.45  # product of the local and the overall deviation
POWER_FROM_WITHOUT_SPECKLE = 1.25  # of the overall deviation alone
LEAST_TILES = 20
LEAST_VALUES = 100

_WORDS = {
    DECIBEL: re.compile(r"db|decibels?"),
    AMPLITUDE: re.compile(r"amp|amplitude|dn"),
    POWER: re.compile(r"pwr|pow|power|intensity|sigma0|gamma0|beta0|sigma|gamma"),
}
# HyP3: gamma-0 or sigma-0; power, decibels, amplitude; water masked or not; filtered; whole; matched.
_HYP3 = re.compile(r"[gs](?P<scale>[pda])[umw][nf][ec][dm]")
_HYP3_SCALES = {"p": POWER, "d": DECIBEL, "a": AMPLITUDE}


def scale_in_words(*texts: str | None) -> str | None:
    """The scale that a band's unit or description or a file name tells, the first that does; None: none of them.

    Decibels and amplitude before power: Sigma0_VV_db is in decibels.
    """
    for text in texts:
        words = [word for word in re.split(r"[^a-z0-9]+", (text or "").lower()) if word]
        for word in words:
            if match := _HYP3.fullmatch(word):
                return _HYP3_SCALES[match["scale"]]
        for scale, pattern in _WORDS.items():
            if any(pattern.fullmatch(word) for word in words):
                return scale
    return None


def choose_scale(
    wanted: str,
    measured: Shaped[np.ndarray, "height width"],
    data: Bool[np.ndarray, "height width"],
    words: Sequence[str | None],
    digital_numbers: bool,
) -> tuple[str, bool]:
    """The scale of measurements (H, W) of which `data` (H, W) bool are some, and whether it was guessed from them alone.

    `wanted`: what the user says, or "auto"; `words`: what the file says (`scale_in_words`); `digital_numbers`: short integers
    without scale or offset.
    """
    if wanted != AUTO:
        return wanted, False
    values = measured[data]
    told = scale_in_words(*words)
    if is_decibel(values):
        return DECIBEL, told != DECIBEL
    if told == DECIBEL and len(values) and SPANS_DB[0] < np.subtract(*np.percentile(values, (99, 1))) < SPANS_DB[1]:
        return DECIBEL, False
    if told in (AMPLITUDE, POWER):
        return told, False
    return (POWER if not digital_numbers and is_power(measured, data) else AMPLITUDE), True


def is_decibel(values: Shaped[np.ndarray, " value"]) -> bool:
    """Whether measured values (n,) are decibels, or decibels times a factor."""
    if not len(values) or values.min() >= 0:
        return False
    low, high = np.percentile(values, (1, 99))
    return bool(-low > DECIBEL_FROM * high)


def decibel_factor(values: Shaped[np.ndarray, " value"]) -> float:
    """1, 10, 100, ...: by how much decibels (n,) were multiplied."""
    ratio = float(np.median(values)) / TYPICAL_DB
    return 10.0 ** max(0, round(np.log10(ratio))) if ratio > 0 else 1.0


def is_power(values: Shaped[np.ndarray, "height width"], measured: Bool[np.ndarray, "height width"]) -> bool:
    """Whether values (H, W) are power, not amplitude. Their squares of `TILE_PX` are neighbours in the scene."""
    positive = measured & (values > 0)
    logarithm = np.log(np.where(positive, values, 1).astype(np.float64))
    if positive.sum() < LEAST_VALUES:
        return False
    overall = logarithm[positive].std()
    tiles, whole = _tiles(logarithm), _tiles(positive).all(1)
    speckle = np.percentile(tiles[whole].std(1), CALM_SHARE) if whole.sum() >= LEAST_TILES else 0.0
    if speckle < LEAST_SPECKLE:
        return bool(overall > POWER_FROM_WITHOUT_SPECKLE)
    return bool(speckle * overall > POWER_FROM)


def _tiles(array: Shaped[np.ndarray, "height width"]) -> Shaped[np.ndarray, "tile pixel"]:
    """(H, W) as (n, TILE_PX ** 2), without what is left over at the right and below."""
    rows, columns = (size // TILE_PX for size in array.shape)
    whole = array[: rows * TILE_PX, : columns * TILE_PX].reshape(rows, TILE_PX, columns, TILE_PX)
    return whole.swapaxes(1, 2).reshape(rows * columns, TILE_PX**2)


def to_amplitude(
    values: Shaped[np.ndarray, "*shape"], scale: str, factor: float = 1.0
) -> Float32[np.ndarray, "*shape"]:
    """Amplitude float32 of values on a scale; negative power and amplitude become 0. `stretch` leaves values as they are."""
    values = values.astype(np.float32)
    if scale == DECIBEL:
        return np.power(np.float32(10), np.clip(values / np.float32(20 * factor), -MOST_DECADES, MOST_DECADES))
    if scale == STRETCH:
        return values
    values = np.maximum(values, 0)
    return np.sqrt(values) if scale == POWER else values


def from_amplitude(amplitude: float, scale: str, factor: float = 1.0) -> float:
    """The value on a scale that `to_amplitude` brings to an amplitude."""
    if scale == DECIBEL:
        return float(20 * factor * np.log10(max(amplitude, np.finfo(np.float32).tiny)))
    return amplitude**2 if scale == POWER else amplitude
