"""Frames of unlike size in one sample: taken to show the same ground, and scaled onto the pixels of a reference.

Frames of the reference's size are not touched. By map coordinates (`Register`) each frame shows the ground that the reference
shows, and what it does not cover is no data.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from glacierjax.core import grid
from glacierjax.core.choices import CLEAN, OFFICIAL
from glacierjax.core.pixel_map import PixelMap

Shape = tuple[int, int]
# Numbers of a frame and of its reference -> where the pixels of the reference lie in the frame
# (`glacierjax.geo.registration.MapRegistration`).
Register = Callable[[int, int], PixelMap]


def window_pixels(
    frame: Shape, reference: Shape, top: int, left: int, height: int, width: int, protocol: str = CLEAN, tile: int = 512
) -> tuple[Int[np.ndarray, " height"], Int[np.ndarray, " width"]]:
    """Rows and columns of the frame that a window of the endlessly mirrored reference shows.

    Args:
      frame, reference: (rows, columns) of each.
      top, left, height, width: the window in pixels of the reference, also beyond its borders.
      protocol: "official" repeats that a scaled frame is now and then one pixel late.
      tile: what that depends on, 512 in training and 256 in tiled prediction.
    """
    scaled = frame != reference
    pixels = []
    for size, wanted, start, length in zip(frame, reference, (top, left), (height, width), strict=True):
        shown = grid.mirror_indices(start, start + length, wanted)
        pixels.append(scaled_pixels(size, wanted, protocol, tile)[shown] if scaled else shown)
    return pixels[0], pixels[1]


def mirrored_window(
    reference: Shape, top: int, left: int, height: int, width: int
) -> tuple[Int[np.ndarray, " height"], Int[np.ndarray, " width"]]:
    """Rows and columns of the endlessly mirrored reference in a window. There every frame shows the mirrored ground."""
    rows, columns = (
        grid.mirror_indices(start, start + length, size)
        for start, length, size in zip((top, left), (height, width), reference, strict=True)
    )
    return rows, columns


def scaled_pixels(size: int, wanted: int, protocol: str = CLEAN, tile: int = 512) -> Int[np.ndarray, " wanted"]:
    """For each pixel of an axis scaled to `wanted`, the nearest one of `size`, as PyTorch finds it: floor(i size / wanted).

    The official code pads before it crops the centre and scales. Where a padding is one pixel too large
    (`grid.whole_padding`), that centre is now and then one pixel late.
    """
    scale = np.float32(size / wanted)
    positions = np.floor(np.arange(wanted, dtype=np.float32) * scale).astype(int)
    if protocol == OFFICIAL:
        padding = grid.whole_padding(size, tile, OFFICIAL)
        positions += round(sum(padding) / 2) - padding.before
    return np.minimum(positions, size - 1)


def pixels_back(size: int, wanted: int) -> Int[np.ndarray, " size"]:
    """For each pixel of an axis of `size`, where in `scaled_pixels` it, or else the nearest one, is shown."""
    shown = scaled_pixels(size, wanted)
    after = np.minimum(np.searchsorted(shown, np.arange(size)), wanted - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(shown[before] - np.arange(size)) < np.abs(shown[after] - np.arange(size))
    return np.where(nearer, before, after)


def tiled_pixels(size: int, target: int, protocol: str = CLEAN) -> Int[np.ndarray, " padded"]:
    """Pixels that an axis shows when it is padded for tiled prediction of a frame that is not scaled.

    In two steps, as the official code does: centred to the next multiple of `target` [256] (a whole one where it already fits),
    then half a target around, which mirrors the first padding again.
    """
    around = target // 2
    before, after = (added - around for added in grid.whole_padding(size, target, protocol))
    inner = grid.mirror_indices(-before, size + after, size)
    return inner[grid.mirror_indices(-around, len(inner) + around, len(inner))]
