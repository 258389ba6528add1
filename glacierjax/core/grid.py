"""Padding and tile grids (method of CaFFe and SSL4SAR; numbers for the published sizes in brackets).

A *context* [512] is what the network sees, its central half is the *target* [256]. Scenes are padded with mirrored borders,
the edge pixel repeated (numpy's "symmetric", reflected as often as needed).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped


class Padding(NamedTuple):
    """Pixels added before and after one axis."""

    before: int
    after: int


def whole_padding(size: int, tile: int, protocol: str = "clean") -> Padding:
    """Padding of an axis to (size // tile + 2) * tile, centred, an odd rest behind.

    `tile` is 512 for training crops, 256 for tiled prediction. protocol="official" repeats the official routine, which is
    one pixel too large for some sizes (257 -> 769).
    """
    extra = (size // tile + 2) * tile - size
    if protocol == "official":
        return Padding(round(extra / 2), round((extra + 1) / 2))  # Python rounds half to even, as that code does
    return Padding(extra // 2, extra - extra // 2)


def fit_padding(size: int, least: int, multiple: int = 1) -> Padding:
    """The smallest padding to at least `least` pixels and a multiple of `multiple`, centred."""
    wanted = max(least, size)
    wanted = -(-wanted // multiple) * multiple
    extra = wanted - size
    return Padding(extra // 2, extra - extra // 2)


def overlap_padding(size: int, context: int, stride: int) -> Padding:
    """Padding for overlapping tiles: a quarter context on both sides, behind so much more that strides fit, never nothing.

    Official sizes: context 512, stride 128. An axis shorter than one stride gets a whole context (the official code loses
    such scenes).
    """
    margin = context // 4
    after = margin + stride - (size + 2 * margin - context) % stride
    while margin + size + after < context:
        after += stride
    return Padding(margin, after)


def mirror_indices(start: int, stop: int, size: int) -> Int[np.ndarray, " position"]:
    """For positions start..stop-1 of the endless mirrored axis, the index of the pixel (0..size-1) that is shown there."""
    position = np.arange(start, stop) % (2 * size)
    return np.where(position < size, position, 2 * size - 1 - position)


def mirror_slices(start: int, stop: int, size: int) -> list[slice]:
    """The same as `mirror_indices` as slices one after the other, which copy much faster than indices."""
    slices = []
    while start < stop:
        turned, first = divmod(start, size)
        length = min(stop - start, size - first)
        if turned % 2:
            last = size - 1 - first - length
            slices.append(slice(size - 1 - first, last if last >= 0 else None, -1))
        else:
            slices.append(slice(first, first + length))
        start += length
    return slices


def pad_mirrored(
    image: Shaped[np.ndarray, "height width *channels"], rows: Padding, columns: Padding
) -> Shaped[np.ndarray, "rows columns *channels"]:
    """Pads axes 0 and 1 of an array by mirroring."""
    height, width = image.shape[:2]
    row = mirror_indices(-rows.before, height + rows.after, height)
    column = mirror_indices(-columns.before, width + columns.after, width)
    return image[row[:, None], column]


def overlapping_pixels(size: int, context: int, stride: int) -> np.ndarray:
    """The pixels that an axis shows when it is padded by `overlap_padding`.

    In two steps, as the official code does: what comes behind the second quarter context mirrors the padded axis again.
    """
    margin = context // 4
    after = overlap_padding(size, context, stride).after
    surrounded = mirror_indices(-margin, size + margin, size)
    return surrounded[mirror_indices(0, len(surrounded) + after - margin, len(surrounded))]


def origins(padded: int, context: int, stride: int) -> range:
    """Tile origins along a padded axis."""
    return range(0, padded - context + 1, stride)
