"""Prediction of a whole scene from tiles (method of the paper, section IV; method.md of CaFFe's tiled protocol).

Three ways, all with mirrored borders:
- tiled: contexts at the stride of their central target, the targets pasted side by side (official default);
- overlap: contexts at half that stride, the targets averaged with a Gaussian weight;
- whole: the scene in one piece, padded to what the network accepts (for scenes that fit into memory).
"""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import ndimage

from glacierjax.core import grid
from glacierjax.core.errors import InputError
from glacierjax.core.zones import NUM_ZONES

MODES = ("tiled", "overlap", "whole")
# uint8 images (N, H, W) -> probabilities (N, H, W, K) float32; N is always `TILE_BATCH` or 1, so few programs are compiled
Network = Callable[[np.ndarray], np.ndarray]
TILE_BATCH = 4


def gaussian_importance(target: int) -> np.ndarray:
    """Blending weights (target, target) float32: Gaussian of sigma target / 8 around the centre pixel, peak 1.

    The Gaussian is cut at four sigma, which is where the target ends, so that every pixel of it has a say.
    """
    weights = np.zeros((target, target))
    weights[target // 2, target // 2] = 1
    weights = ndimage.gaussian_filter(weights, target / 8, mode="constant", truncate=4)
    return (weights / weights.max()).astype(np.float32)


def predict_scene(network: Network, image: np.ndarray, mode: str, context_px: int, size_multiple: int) -> np.ndarray:
    """Class probabilities (H, W, K) float32 of a scene (H, W) uint8. `context_px` [512] for the tiled modes."""
    if mode == "whole":
        return _whole(network, image, size_multiple)
    if mode not in MODES:
        raise InputError(f"--mode={mode}: choose one of {', '.join(MODES)}")
    target = context_px // 2
    margin = (context_px - target) // 2
    height, width = image.shape
    # `top`, `left`: where the target of the tile at origin 0 begins, in image coordinates.
    if mode == "tiled":
        stride = target
        padding = [grid.whole_padding(size, target) for size in image.shape]
        padded = grid.pad_mirrored(image, *padding)
        top, left = (margin - axis.before for axis in padding)
    else:
        stride = target // 2
        padded = grid.pad_overlapping(image, context_px, stride)
        top = left = 0
    places = [(r, c) for r in grid.origins(padded.shape[0], context_px, stride)
              for c in grid.origins(padded.shape[1], context_px, stride)]  # fmt: skip
    weights = gaussian_importance(target) if mode == "overlap" else np.ones((target, target), np.float32)
    inner = slice(margin, margin + target)
    tiles = (
        (r + top, c + left, probabilities[inner, inner])
        for (r, c), probabilities in zip(places, _batched(network, padded, places, context_px), strict=True)
    )
    return stitch(tiles, weights, height, width)


def stitch(tiles: Iterator[tuple[int, int, np.ndarray]], weights: np.ndarray, height: int, width: int) -> np.ndarray:
    """Weighted mean (height, width, K) float32 of targets (T, T, K) placed at (row, column); what lies outside is dropped."""
    size = len(weights)
    total = np.zeros((height, width, NUM_ZONES), np.float32)
    weight_sum = np.zeros((height, width, 1), np.float32)
    for row, column, target in tiles:
        r0, r1 = max(row, 0), min(row + size, height)
        c0, c1 = max(column, 0), min(column + size, width)
        if r0 >= r1 or c0 >= c1:
            continue
        part = np.s_[r0 - row : r1 - row, c0 - column : c1 - column]
        w = weights[part][..., None]
        total[r0:r1, c0:c1] += w * target[part]
        weight_sum[r0:r1, c0:c1] += w
    total /= weight_sum
    return total


def _batched(
    network: Network, padded: np.ndarray, places: list[tuple[int, int]], context_px: int
) -> Iterator[np.ndarray]:
    """Probabilities of each context, the last batch filled up with repetitions."""
    size = TILE_BATCH if len(places) > 1 else 1
    for start in range(0, len(places), size):
        chosen = places[start : start + size]
        filled = chosen + chosen[-1:] * (size - len(chosen))
        tiles = np.stack([padded[r : r + context_px, c : c + context_px] for r, c in filled])
        yield from network(tiles)[: len(chosen)]


def _whole(network: Network, image: np.ndarray, size_multiple: int) -> np.ndarray:
    rows, columns = (grid.fit_padding(size, 0, size_multiple) for size in image.shape)
    probabilities = network(grid.pad_mirrored(image, rows, columns)[None])[0]
    height, width = image.shape
    return probabilities[rows.before : rows.before + height, columns.before : columns.before + width]
