"""Values that stand for missing data in files that do not say so.

Two kinds are known. *Fill values* are no measurements wherever they stand: the lowest value of a signed type, -9999, and in
floating point a few more. A *border value* may be a measurement too (0 in amplitude or decibels, the white around a rotated
picture), so it counts only where it fills squares of `SQUARE_PX` pixels, which the scene's border may cut in half.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Shaped, UInt8
from scipy import ndimage

FILL = -9999.0
FLOAT_FILLS = (FILL, -99.0, -999.0, -99999.0, -32768.0)
LARGEST_MEASUREMENT = 1e30  # beyond it in floating point: the fill values of netCDF, IDL and ESRI
BORDER_SHARE = 0.05  # a value that fills so much of the scene's outermost pixels is looked at
SQUARE_PX = 9
SPECK_PX = 16  # fewer missing pixels that hang together are a speck, which must not break a front
STRIP_ROWS = 4096  # looked at together, so that large scenes need little memory


def fill_values(kind: np.dtype) -> tuple[float, ...]:
    """The fill values of a number type. Unsigned types have none."""
    if kind.kind == "f":
        return FLOAT_FILLS
    if kind.kind == "i":
        return tuple(dict.fromkeys((float(np.iinfo(kind).min), *([FILL] if np.iinfo(kind).min < FILL else []))))
    return ()


def is_fill(values: Shaped[np.ndarray, "*shape"]) -> Bool[np.ndarray, "*shape"]:
    """bool, like `values`: not finite, or a fill value of their type."""
    if values.dtype.kind != "f":
        return np.isin(values, np.array(fill_values(values.dtype), values.dtype))
    measured = np.abs(values) < LARGEST_MEASUREMENT  # false for NaN
    return ~measured | np.isin(values, np.array(FLOAT_FILLS, values.dtype))


def common_border_value(outermost: Shaped[np.ndarray, " pixel"]) -> float | None:
    """The value that most of a scene's outermost pixels (n,) have, if they are `BORDER_SHARE` of them or more. NaN: no data."""
    values, counts = np.unique(outermost[np.isfinite(outermost)], return_counts=True)
    if not len(values) or counts.max() < BORDER_SHARE * len(outermost):
        return None
    return float(values[counts.argmax()])


def in_squares(mask: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The pixels of a mask (H, W) that lie in a square of it, or next to one. A square may lie outside the scene by half.

    Single pixels and sieves of pixels, such as a dark sea that was clipped at 0, drop out.
    """
    side, reach = SQUARE_PX, SQUARE_PX // 2
    padded = np.pad(mask, reach, constant_values=True).view(np.uint8)
    middles = ndimage.minimum_filter(padded, side, mode="constant", cval=0)
    # The square itself, and the pixels beside it, for the stairs along a slanted edge hold no whole square.
    near = ndimage.maximum_filter(middles, side + 2 * reach, mode="constant", cval=0)
    return mask & near[reach:-reach, reach:-reach].view(bool)


def missing_areas(valid: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Where data are missing (H, W) bool, apart from specks: connected parts of fewer than `SPECK_PX` pixels."""
    missing = ~valid
    if valid.all():
        return missing
    for top in range(0, len(valid), STRIP_ROWS):
        first, bottom = max(0, top - SPECK_PX), min(top + STRIP_ROWS, len(valid))
        parts = np.zeros((min(len(valid), bottom + SPECK_PX) - first, valid.shape[1]), np.int32)
        ndimage.label(~valid[first : bottom + SPECK_PX], np.ones((3, 3), bool), output=parts)
        small = np.bincount(parts.ravel()) < SPECK_PX
        missing[top:bottom] &= ~small[parts[top - first : bottom - first]]
    return missing


def squares_by_strip(mask: Bool[np.ndarray, "height width"]) -> Iterator[tuple[slice, Bool[np.ndarray, "rows width"]]]:
    """As `in_squares`, in strips: rows, and which pixels (h, W) of them."""
    reach = 3 * SQUARE_PX  # farther than a pixel has a say
    for top in range(0, len(mask), STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, len(mask))
        first = max(0, top - reach)
        found = in_squares(mask[first : bottom + reach])
        yield slice(top, bottom), found[top - first : bottom - first]


def fill_specks(
    image: UInt8[np.ndarray, "height width"],
    valid: Bool[np.ndarray, "height width"],
    missing: Bool[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height width"]:
    """A scene (H, W) uint8 in which specks, neither `valid` nor `missing`, have the mean of the valid pixels around them."""
    specks = ~(valid | missing)
    if not specks.any():
        return image
    filled = image.copy()
    for top in range(0, len(image), STRIP_ROWS):
        first, bottom = max(0, top - SQUARE_PX), min(top + STRIP_ROWS, len(image))
        rows = slice(first, bottom + SQUARE_PX)
        known = valid[rows].astype(np.float32)
        share = ndimage.uniform_filter(known, SQUARE_PX, mode="constant")
        mean = ndimage.uniform_filter(image[rows] * known, SQUARE_PX, mode="constant") / np.maximum(share, 1e-6)
        inner = slice(top - first, bottom - first)
        strip = specks[top:bottom]
        filled[top:bottom][strip] = np.clip(np.round(mean[inner][strip]), 0, 255)
    return filled
