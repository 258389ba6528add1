"""The stretch of one scene: fitted to a sample of its pixels, then applied to all of them."""

import dataclasses
from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from glacierjax.core.choices import DECIBEL
from glacierjax.core.errors import InputError
from glacierjax.core.grey import GREY_MAX, GreyRule
from glacierjax.geo.nodata import common_border_value, in_squares, is_fill, missing_areas
from glacierjax.geo.scales import TILE_PX, choose_scale, decibel_factor, from_amplitude, to_amplitude
from glacierjax.geo.values import Reading, Told, ValueOptions

EIGHT_BIT = "8-bit"
LOWEST_DB = -80.0  # below the noise of any sensor; lower ones in floating point mark missing data
DRAWN_SHARE = 0.3
SAMPLED_PIXELS = 4_000_000  # at most about

Block = tuple[slice, np.ndarray, np.ndarray]
"""rows, values (h, W), whether they are data (h, W) bool"""


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """A part of a scene's pixels (h, w), in squares of `TILE_PX` so that neighbours stay neighbours; `outermost` (n,): the
    values at the scene's border, NaN where there are no data."""

    values: np.ndarray
    declared: np.ndarray
    outermost: np.ndarray


def take_sample(blocks: Iterable[Block], shape: tuple[int, int]) -> Sample:
    """The sample of a scene (H, W) that comes in blocks of whole rows, from the top down."""
    height, width = shape
    step = max(1, int(np.ceil(np.sqrt(height * width / SAMPLED_PIXELS))))
    columns = np.arange(width) // TILE_PX % step == 0
    values, declared, edges = [], [], []
    for rows, block, has_data in blocks:
        chosen = np.arange(rows.start, rows.stop) // TILE_PX % step == 0
        values.append(block[chosen][:, columns])
        declared.append(has_data[chosen][:, columns])
        sides = [np.s_[:, 0], np.s_[:, -1], *([np.s_[0]] if rows.start == 0 else [])]
        sides += [np.s_[-1]] if rows.stop == height else []
        edges += [np.where(has_data[side] & ~is_fill(block[side]), block[side], np.nan) for side in sides]
    return Sample(np.concatenate(values), np.concatenate(declared), np.concatenate(edges))


@dataclasses.dataclass(frozen=True)
class Stretch:
    """From values to grey. `low`, `high`: the amplitudes that become 0 and 255; `fills`: undeclared values that are no data
    wherever they stand; `squares`: such that are none where they fill squares; `scale_is_guessed`: from the values alone."""

    options: ValueOptions
    told: Told
    scale: str
    factor: float = 1.0
    low: float = 0.0
    high: float = GREY_MAX
    fills: tuple[float, ...] = ()
    squares: tuple[float, ...] = ()
    scale_is_guessed: bool = False

    def apply(
        self, values: Shaped[np.ndarray, "height width"], declared: Bool[np.ndarray, "height width"]
    ) -> tuple[UInt8[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
        """Grey uint8 of a block, and what of it is data; `squares` are left to the caller, who sees all of the scene."""
        valid = declared & self.options.is_data(values)
        if self.scale == EIGHT_BIT:
            return np.where(valid, values, 0).astype(np.uint8), valid
        measured = self.told.measurement(values)
        valid &= _above_noise(measured, self.scale, self.factor, self.options)
        amplitude = to_amplitude(np.where(valid, measured, 0), self.scale, self.factor)
        span = max(self.high - self.low, np.finfo(np.float32).tiny)
        grey = np.clip((amplitude - np.float32(self.low)) / np.float32(span), 0, 1) * GREY_MAX
        return np.where(valid, np.round(grey), 0).astype(np.uint8), valid

    def reading(self, undeclared: float) -> Reading:
        """What is told of it; `undeclared`: share of the pixels that are no data without being declared so."""
        guessed = [f"scale {self.scale}"] if self.scale_is_guessed else []
        found = (*self.fills, *self.squares)
        if undeclared and found:
            values = ", ".join(f"{value:.6g}" for value in found)
            guessed.append(f"no data {values} ({100 * undeclared:.2g} % of the pixels)")
        if self.options.finds_nodata:
            nodata = (*self.told.nodata, *found)
        else:
            nodata = (self.options.nodata,) if isinstance(self.options.nodata, float) else ()
        if self.scale == EIGHT_BIT:
            return Reading(EIGHT_BIT, nodata, self.low, self.high, tuple(guessed))
        low, high = (from_amplitude(amplitude, self.scale, self.factor) for amplitude in (self.low, self.high))
        return Reading(self.scale, nodata, low, high, tuple(guessed))


def fit(sample: Sample, told: Told, options: ValueOptions, rule: GreyRule, where: str) -> Stretch:
    """The stretch of the scene that a sample was taken from. Raises `InputError` naming `where` if no pixel is data."""
    values = sample.values
    data = sample.declared & options.is_data(values)
    fills = _found(values[sample.declared & is_fill(values)]) if options.finds_nodata else ()
    squares: list[float] = []
    border = common_border_value(sample.outermost) if options.finds_nodata else None
    eight_bit = values.dtype == np.uint8 and told.is_plain
    # 0 in 8 bits is left to the network: data sets show what lies outside the swath so.
    if border is not None and not (eight_bit and border == 0):
        data = _without_squares(values, data, border, squares)
    if eight_bit:
        if not data.any():
            raise _nothing(where)
        return Stretch(options, told, EIGHT_BIT, squares=tuple(squares))
    measured = told.measurement(values)
    digital_numbers = told.is_plain and values.dtype.kind in "ui" and values.dtype.itemsize <= 2
    scale, guessed = choose_scale(options.scale, measured, data, told.words, digital_numbers)
    # Amplitude is never 0 over a whole square, nor is what unsigned numbers hold: nothing lies below their 0.
    lowest_is_zero = values.dtype.kind == "u" or (scale != DECIBEL and told.offset == 0)
    if options.finds_nodata and lowest_is_zero and 0 not in squares:
        data = _without_squares(values, data, 0.0, squares)
    factor = decibel_factor(measured[data]) if scale == DECIBEL else 1.0
    data &= _above_noise(measured, scale, factor, options)
    if not data.any():
        raise _nothing(where)
    amplitude = to_amplitude(measured[data], scale, factor)
    if scale == DECIBEL:  # its single missing pixels are those whose amplitude was 0
        zeros = sample.declared & ~(data | missing_areas(data))
        amplitude = np.append(amplitude, np.zeros(int(zeros.sum()), np.float32))
    low, high = np.percentile(amplitude, (rule.low_percentile, rule.high_percentile))
    return Stretch(options, told, scale, factor, float(low), float(high), fills, tuple(squares), guessed)


def _without_squares(
    values: Shaped[np.ndarray, "height width"],
    data: Bool[np.ndarray, "height width"],
    value: float,
    squares: list[float],
) -> Bool[np.ndarray, "height width"]:
    """`data` (h, w) bool without the squares that a value fills; if there are some, the value joins `squares`."""
    missing = in_squares(data & (values == value))
    left = data & ~missing
    if not missing.any() or (value != 0 and _is_drawn(values[left])):
        return data
    squares.append(value)
    return left


def _is_drawn(values: Shaped[np.ndarray, " value"]) -> bool:
    """Whether a few values make up a scene (n,), so that none of them can be told from a background."""
    return not len(values) or bool(np.unique(values, return_counts=True)[1].max() > DRAWN_SHARE * len(values))


def _above_noise(
    measured: Shaped[np.ndarray, "height width"], scale: str, factor: float, options: ValueOptions
) -> Bool[np.ndarray, "height width"]:
    """bool: finite, and not so low that it marks missing data, in decibels in floating point."""
    if scale != DECIBEL or measured.dtype.kind != "f" or not options.finds_nodata:
        return np.isfinite(measured)
    return measured > LOWEST_DB * factor


def _found(values: Shaped[np.ndarray, "..."]) -> tuple[float, ...]:
    """The finite values in an array, each once."""
    return tuple(float(value) for value in np.unique(values[np.isfinite(values)]))


def _nothing(where: str) -> InputError:
    return InputError(f"{where}: no pixel holds data; choose another file, `band` or `nodata`")
