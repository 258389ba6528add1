"""How the values of a scene become the 8-bit grey that networks were trained with (`glacierjax.core.grey`).

1. Missing pixels are excluded: NaN and infinity, what the file declares or masks, and what `glacierjax.geo.nodata` finds.
2. 8-bit values are taken as they are.
3. All others are brought to amplitude (`glacierjax.geo.scales`), and the data set's rule stretches that to 0..255.

What was guessed on the way stands in the `Reading`.
"""

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.grey import CAFFE_GREY, GreyRule
from glacierjax.geo.nodata import squares_by_strip
from glacierjax.geo.stretch import Block, fit, take_sample
from glacierjax.geo.values import DEFAULT_OPTIONS, NOTHING_TOLD, Reading, Told, ValueOptions

NUMBERS = "uif"  # kinds of numpy types
COMPLEX = "complex values, a single-look product; give its amplitude or intensity, terrain-corrected (with SNAP, say)"


@dataclasses.dataclass(frozen=True, eq=False)
class Grey:
    """`image` uint8 (H, W), 0 where there are no data; `valid` bool (H, W); `reading`: how it came about."""

    image: np.ndarray
    valid: np.ndarray
    reading: Reading


def grey_from_array(
    values: np.ndarray,
    valid: np.ndarray | None = None,
    options: ValueOptions = DEFAULT_OPTIONS,
    rule: GreyRule = CAFFE_GREY,
    where: str = "array",
) -> Grey:
    """Grey of values (H, W) of any number type; `valid` (H, W) bool: what is data, None: all.

    Raises `InputError` naming `where` for anything but such numbers, and if none of them is data.
    """
    if values.dtype.kind == "c":
        raise InputError(f"{where}: {COMPLEX}")
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in NUMBERS:
        raise InputError(f"{where}: shape {values.shape}, type {values.dtype}; expected numbers of shape (H, W)")
    whole = (slice(0, len(values)), values, np.ones(values.shape, bool) if valid is None else valid)
    return grey_from_blocks(lambda: [whole], values.shape, NOTHING_TOLD, options, rule, where)


def grey_from_blocks(
    blocks: Callable[[], Iterable[Block]],
    shape: tuple[int, int],
    told: Told,
    options: ValueOptions,
    rule: GreyRule,
    where: str,
) -> Grey:
    """Grey of a scene that comes in blocks of whole rows, from the top down; it is read twice, `blocks` starts from the top.

    Raises `InputError` naming `where` if no pixel is data.
    """
    stretch = fit(take_sample(blocks(), shape), told, options, rule, where)
    image, valid = np.zeros(shape, np.uint8), np.zeros(shape, bool)
    suspect = np.zeros(shape, bool) if stretch.squares else None
    declared_pixels = 0
    for rows, values, declared in blocks():
        image[rows], valid[rows] = stretch.apply(values, declared)
        declared_pixels += int(declared.sum())
        if suspect is not None:
            suspect[rows] = valid[rows] & np.logical_or.reduce([values == value for value in stretch.squares])
    if suspect is not None:
        for rows, missing in squares_by_strip(suspect):
            image[rows][missing], valid[rows][missing] = 0, False
    undeclared = (declared_pixels - int(valid.sum())) / valid.size
    return Grey(image, valid, stretch.reading(undeclared))
