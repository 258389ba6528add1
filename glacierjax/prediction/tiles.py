"""Prediction of a whole scene from tiles (method of the paper, section IV; method.md of CaFFe's tiled protocol).

Three ways, all with mirrored borders:
- tiled: contexts at the stride of their central target, the targets pasted side by side (official default);
- overlap: contexts at half that stride, the targets averaged with a Gaussian weight;
- whole: the scene in one piece, padded to what the network accepts (for scenes that fit into memory).

The answer comes in strips from the top down, so that a scene never has to be held as probabilities.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from glacierjax.core import grid
from glacierjax.core.choices import MODES
from glacierjax.core.errors import ArgumentError
from glacierjax.core.zones import NUM_ZONES

# uint8 images (N, H, W) or (N, H, W, 3) -> probabilities (N, H, W, K) float32; N is always `TILE_BATCH` or 1, so few
# programs are compiled
Network = Callable[[np.ndarray], np.ndarray]
TILE_BATCH = 4


class Tiling(NamedTuple):
    """How a scene is cut: a tile in one place of the (turned and padded) scene fills a target in another of the scene.

    `padded`: the scene, turned by `quarter_turns` and padded; `origins`: of each context in it; `places`: row and column
    of each target in the scene as it was given, from the top down; `weights` (T, T): of a target's pixels, turned back.
    """

    padded: np.ndarray
    context_px: int
    quarter_turns: int
    origins: list[tuple[int, int]]
    places: list[tuple[int, int]]
    weights: np.ndarray


def gaussian_importance(target: int) -> np.ndarray:
    """Blending weights (target, target) float32: Gaussian of sigma target / 8 around the centre pixel, peak 1.

    The Gaussian is cut at four sigma, which is where the target ends, so that every pixel of it has a say.
    """
    weights = np.zeros((target, target))
    weights[target // 2, target // 2] = 1
    weights = ndimage.gaussian_filter(weights, target / 8, mode="constant", truncate=4)
    return (weights / weights.max()).astype(np.float32)


def predict_scene(network: Network, image: np.ndarray, mode: str, context_px: int, size_multiple: int) -> np.ndarray:
    """Class probabilities (H, W, K) float32 of a scene (H, W) or (H, W, 3) uint8. `context_px` [512] for the tiled modes."""
    (strips,) = scene_strips([network], [0], image, mode, context_px, size_multiple)
    return assemble(strips, *image.shape[:2])


def scene_strips(
    networks: Sequence[Network],
    quarter_turns: Sequence[int],
    image: np.ndarray,
    mode: str,
    context_px: int,
    size_multiple: int,
) -> list[Iterator[np.ndarray]]:
    """For each network, on the scene (H, W) or (H, W, 3) turned by each of `quarter_turns`: its probabilities, turned back.

    They come as successive strips (context_px / 2 or, the last, fewer rows, W, K) float32 of the scene as it was given, so
    that the members of an ensemble can be averaged strip by strip. Raises `InputError` for an unknown mode.
    """
    if mode not in MODES:
        raise ArgumentError("mode", mode, f"choose one of {', '.join(MODES)}")
    strip_px = context_px // 2
    found = []
    for turns in quarter_turns:
        if mode == "whole":
            found += [_whole(network, image, turns, size_multiple, strip_px) for network in networks]
            continue
        tiling = cut(image, mode, context_px, turns)  # one for all networks
        found += [stitch_strips(_answers(network, tiling), tiling.weights, *image.shape[:2]) for network in networks]
    return found


def cut(image: np.ndarray, mode: str, context_px: int, quarter_turns: int = 0) -> Tiling:
    """The tiles of a scene (H, W) in the mode "tiled" or "overlap", of the scene turned counter-clockwise."""
    target = context_px // 2
    margin = (context_px - target) // 2
    turned = np.rot90(image, quarter_turns)
    # `top`, `left`: where the target of the tile at origin 0 begins, in the turned image.
    if mode == "tiled":
        stride = target
        padding = [grid.whole_padding(size, target) for size in turned.shape[:2]]
        padded = grid.pad_mirrored(turned, *padding)
        top, left = (margin - axis.before for axis in padding)
        weights = np.ones((target, target), np.float32)
    else:
        stride = target // 2
        padded = grid.pad_overlapping(turned, context_px, stride)
        top = left = 0
        weights = gaussian_importance(target)
    origins = [
        (r, c)
        for r in grid.origins(padded.shape[0], context_px, stride)
        for c in grid.origins(padded.shape[1], context_px, stride)
    ]
    height, width = image.shape[:2]
    turned_back = {
        0: lambda r, c: (r, c),
        1: lambda r, c: (c, width - target - r),
        2: lambda r, c: (height - target - r, width - target - c),
        3: lambda r, c: (height - target - c, r),
    }[quarter_turns]
    places = [turned_back(r + top, c + left) for r, c in origins]
    order = sorted(range(len(places)), key=places.__getitem__)
    weights = np.rot90(weights, -quarter_turns)
    chosen_origins, chosen_places = [origins[i] for i in order], [places[i] for i in order]
    return Tiling(padded, context_px, quarter_turns, chosen_origins, chosen_places, weights)


def stitch(tiles: Iterable[tuple[int, int, np.ndarray]], weights: np.ndarray, height: int, width: int) -> np.ndarray:
    """Weighted mean (height, width, K) float32 of targets, see `stitch_strips`."""
    return assemble(stitch_strips(tiles, weights, height, width), height, width)


def stitch_strips(
    tiles: Iterable[tuple[int, int, np.ndarray]], weights: np.ndarray, height: int, width: int
) -> Iterator[np.ndarray]:
    """Weighted mean of targets (T, T, K) placed at (row, column), from the top down; what lies outside is dropped.

    Yields strips (T or, the last, fewer rows, width, K) float32; two of them are in memory at a time.
    """
    size = len(weights)
    total = np.zeros((2 * size, width, NUM_ZONES), np.float32)
    weight_sum = np.zeros((2 * size, width, 1), np.float32)
    start = 0  # the scene's row that the buffers begin with

    def finished() -> np.ndarray:
        rows = min(size, height - start)
        strip = total[:rows] / weight_sum[:rows]
        for buffer in (total, weight_sum):
            buffer[:size] = buffer[size:]
            buffer[size:] = 0
        return strip

    for row, column, target in tiles:
        while row >= start + size and start < height:  # no later tile reaches back into the strip
            yield finished()
            start += size
        r0, r1 = max(row, 0), min(row + size, height)
        c0, c1 = max(column, 0), min(column + size, width)
        if r0 >= r1 or c0 >= c1:
            continue
        part = np.s_[r0 - row : r1 - row, c0 - column : c1 - column]
        w = weights[part][..., None]
        total[r0 - start : r1 - start, c0:c1] += w * target[part]
        weight_sum[r0 - start : r1 - start, c0:c1] += w
    while start < height:
        yield finished()
        start += size


def assemble(strips: Iterable[np.ndarray], height: int, width: int) -> np.ndarray:
    """Successive strips (rows, width, K) as one array (height, width, K) float32."""
    whole = np.empty((height, width, NUM_ZONES), np.float32)
    start = 0
    for strip in strips:
        whole[start : start + len(strip)] = strip
        start += len(strip)
    return whole


def _answers(network: Network, tiling: Tiling) -> Iterator[tuple[int, int, np.ndarray]]:
    """Row, column and probabilities of each target; the last batch is filled up with repetitions."""
    size = TILE_BATCH if len(tiling.origins) > 1 else 1
    context, target = tiling.context_px, len(tiling.weights)
    margin = (context - target) // 2
    inner = slice(margin, margin + target)
    for start in range(0, len(tiling.origins), size):
        chosen = tiling.origins[start : start + size]
        filled = chosen + chosen[-1:] * (size - len(chosen))
        tiles = np.stack([tiling.padded[r : r + context, c : c + context] for r, c in filled])
        answers = np.rot90(network(tiles)[:, inner, inner], -tiling.quarter_turns, axes=(1, 2))
        for (row, column), answer in zip(tiling.places[start : start + size], answers, strict=False):
            yield row, column, answer


def _whole(
    network: Network, image: np.ndarray, quarter_turns: int, size_multiple: int, strip_px: int
) -> Iterator[np.ndarray]:
    turned = np.rot90(image, quarter_turns)
    rows, columns = (grid.fit_padding(size, 0, size_multiple) for size in turned.shape[:2])
    answer = network(grid.pad_mirrored(turned, rows, columns)[None])[0]
    height, width = turned.shape[:2]
    answer = answer[rows.before : rows.before + height, columns.before : columns.before + width]
    answer = np.rot90(answer, -quarter_turns)
    for start in range(0, len(answer), strip_px):
        yield answer[start : start + strip_px]
