"""Reads the pixels of one band of an image file: masks, palettes, colours, inverted grey, scale and offset, as the file says."""

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Integer, UInt8
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacierjax.core.errors import InputError
from glacierjax.core.files import OPAQUE_FROM
from glacierjax.core.grey import GREY_MAX, GreyRule
from glacierjax.geo.grey import COMPLEX, Grey, grey_from_blocks
from glacierjax.geo.stretch import Block
from glacierjax.geo.values import Told, ValueOptions

BLOCK_PIXELS = 16_000_000  # read at a time: a scene is in memory as grey only
COLOURS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)

Hidden = Callable[[Window], np.ndarray | None]
"""A window to the pixels (h, W) bool that other layers say are none; None: no such layer"""
_Levels = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class _Palette:
    """Grey uint8 and whether it is seen, bool, of each index."""

    grey: np.ndarray
    opaque: np.ndarray


def read_grey(
    dataset: DatasetReader,
    band: int | None,
    options: ValueOptions,
    rule: GreyRule,
    where: str,
    name: str = "",
    hidden: Hidden | None = None,
) -> Grey:
    """The grey of a band, counted from 1; None: the first one, if the file is no colour image.

    `name`: of the scene, which may tell its scale. Raises `InputError` naming `where` for complex values and colours.
    """
    number = band or 1
    kind = dataset.dtypes[number - 1]
    if kind.startswith("complex"):
        raise InputError(f"{where}: {COMPLEX}")
    if band is None and set(COLOURS) <= set(dataset.colorinterp):
        _refuse_colours(dataset, where)
    palette = _palette(dataset, number)
    levels = None if palette else _levels(dataset, number)
    mask = _mask(dataset, number, options)

    def blocks() -> Iterator[Block]:
        for window in windows(dataset.shape):
            values, seen = dataset.read(number, window=window), mask(window)
            if hidden is not None and (none := hidden(window)) is not None:
                seen = seen & ~none
            if palette:
                values, seen = _look_up(values, seen, palette, where)
            elif levels:
                values = levels(values)
            rows = slice(window.row_off, window.row_off + window.height)
            yield rows, values, seen

    return grey_from_blocks(blocks, dataset.shape, _told(dataset, number, name, where), options, rule, where)


def windows(shape: tuple[int, int]) -> Iterator[Window]:
    """Windows of whole rows, from top to bottom, of `BLOCK_PIXELS` or a row."""
    height, width = shape
    rows_at_once = max(1, BLOCK_PIXELS // width)
    for top in range(0, height, rows_at_once):
        yield Window(0, top, width, min(rows_at_once, height - top))  # pyright: ignore[reportCallIssue]


def _told(dataset: DatasetReader, band: int, name: str, where: str) -> Told:
    gain, offset = dataset.scales[band - 1], dataset.offsets[band - 1]
    if not (math.isfinite(gain) and math.isfinite(offset) and gain):
        raise InputError(f"{where}: scale {gain:g} and offset {offset:g} of its band make no sense; correct these tags")
    nodata = dataset.nodatavals[band - 1]
    declared = (float(nodata),) if nodata is not None and MaskFlags.nodata in dataset.mask_flag_enums[band - 1] else ()
    words = (dataset.units[band - 1], dataset.descriptions[band - 1], name)
    return Told(gain, offset, words, tuple(value for value in declared if math.isfinite(value)))


def _mask(
    dataset: DatasetReader, band: int, options: ValueOptions
) -> Callable[[Window], Bool[np.ndarray, "height width"]]:
    """A window to its pixels that are data, as the file says; its value of no data counts unless the user names another."""
    flags = dataset.mask_flag_enums[band - 1]
    if MaskFlags.nodata in flags and not options.finds_nodata:
        return lambda window: np.ones((window.height, window.width), bool)
    least = OPAQUE_FROM if MaskFlags.alpha in flags else 1
    return lambda window: dataset.read_masks(band, window=window) >= least


def _palette(dataset: DatasetReader, band: int) -> _Palette | None:
    if dataset.colorinterp[band - 1] != ColorInterp.palette:
        return None
    colours = dataset.colormap(band)
    table = np.zeros((max(colours) + 1, 4), np.uint8)
    for index, colour in colours.items():
        table[index] = colour
    return _Palette(table[:, :3], table[:, 3] >= OPAQUE_FROM)


def _look_up(
    values: Integer[np.ndarray, "height width"], seen: Bool[np.ndarray, "height width"], palette: _Palette, where: str
) -> tuple[UInt8[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
    """Grey and what is seen of it, of indices. Raises `InputError` for colours."""
    known = values < len(palette.opaque)
    indices = np.where(known, values, 0)
    colours, seen = palette.grey[indices], seen & known & palette.opaque[indices]
    if (colours[seen] != colours[seen][:, :1]).any():
        raise InputError(f"{where}: a palette of colours; expected grey")
    return colours[..., 0], seen


def _levels(dataset: DatasetReader, band: int) -> _Levels | None:
    """Brings grey of fewer than 8 bits to 0..255, and inverted grey ("white is zero") to the usual one; None: it is so."""
    kind = np.dtype(dataset.dtypes[band - 1])
    if kind.kind != "u":
        return None
    bits = int(dataset.tags(band, ns="IMAGE_STRUCTURE").get("NBITS", 8 * kind.itemsize))
    highest = 2**bits - 1
    inverted = dataset.tags(ns="IMAGE_STRUCTURE").get("MINISWHITE") == "YES"
    if not inverted and bits >= 8:
        return None

    def levels(values: Integer[np.ndarray, "height width"]) -> Integer[np.ndarray, "height width"]:
        values = np.minimum(values, highest)
        values = highest - values if inverted else values
        return (values * (GREY_MAX // highest)).astype(np.uint8) if bits < 8 else values.astype(kind)

    return levels


def _refuse_colours(dataset: DatasetReader, where: str) -> None:
    """Raises `InputError` unless red, green and blue are the same everywhere."""
    bands = [dataset.colorinterp.index(colour) + 1 for colour in COLOURS]
    for window in windows(dataset.shape):
        red, green, blue = dataset.read(bands, window=window)
        seen = dataset.read_masks(bands[0], window=window) > 0
        if (((red != green) | (red != blue)) & seen).any():
            raise InputError(f"{where}: a colour image; expected grey, or name the band to read (`band`)")
