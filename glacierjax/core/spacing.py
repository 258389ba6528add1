"""Multilooking: means over squares of pixels, which trade resolution for less speckle and less work, and the way back.

Scenes of sensors with different pixel spacings are brought to about one spacing, so that a network sees structures of one size.
`looks` is here the side of a square in pixels: a side of 2 averages four looks.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Int, Shaped, UInt8

from glacierjax.core.grid import Padding, pad_mirrored


def looks_for(pixel_spacing_m: float, wanted_m: float) -> int:
    """The side in pixels of the squares whose averages come closest to the wanted spacing; 1 if it is already as coarse.

    `wanted_m` 0 stands for the spacing as it is.
    """
    return max(1, round(wanted_m / pixel_spacing_m))


def average_looks(
    image: UInt8[np.ndarray, "height width *channels"], looks: int
) -> UInt8[np.ndarray, "rows columns *channels"]:
    """Means over looks x looks pixels, (H, W, ...) uint8 -> (ceil(H / looks), ceil(W / looks), ...) uint8.

    Squares that the image does not fill are filled by mirroring.
    """
    if looks == 1:
        return image
    filled = pad_mirrored(image, *(Padding(0, -size % looks) for size in image.shape[:2]))
    height, width = (size // looks for size in filled.shape[:2])
    squares = filled.reshape(height, looks, width, looks, *filled.shape[2:])
    return np.rint(squares.mean((1, 3), dtype=np.float32)).astype(np.uint8)


def middle_looks(labels: Shaped[np.ndarray, "height width"], looks: int) -> Shaped[np.ndarray, "rows columns"]:
    """The label in the middle of each square of `average_looks`, (H, W) -> (ceil(H / looks), ceil(W / looks))."""
    rows, columns = (np.minimum(np.arange(looks // 2, size + looks // 2, looks), size - 1) for size in labels.shape)
    return labels[rows[:, None], columns]


def enlarge_looks(
    coarse: Float32[np.ndarray, "rows columns classes"], looks: int, height: int, width: int, strip_px: int
) -> Iterator[np.ndarray]:
    """Bilinear interpolation back to the size before `average_looks`, each mean in the middle of its square.

    (h, w, K) float32 -> successive strips (strip_px or, the last, fewer rows, width, K) float32 of (height, width, K);
    level beyond the outermost means.
    """
    left, right, to_right = _neighbours(np.arange(width), looks, coarse.shape[1])
    for start in range(0, height, strip_px):
        above, below, to_below = _neighbours(np.arange(start, min(start + strip_px, height)), looks, coarse.shape[0])
        rows = coarse[above] + (coarse[below] - coarse[above]) * to_below[:, None, None]
        yield rows[:, left] + (rows[:, right] - rows[:, left]) * to_right[:, None]


def _neighbours(
    pixels: Int[np.ndarray, " pixel"], looks: int, size: int
) -> tuple[Int[np.ndarray, " pixel"], Int[np.ndarray, " pixel"], Float32[np.ndarray, " pixel"]]:
    """For pixels along an axis: the means before and after, and how far towards the second (float32)."""
    place = np.clip((pixels + 0.5) / looks - 0.5, 0, size - 1)
    before = place.astype(int)
    return before, np.minimum(before + 1, size - 1), (place - before).astype(np.float32)
