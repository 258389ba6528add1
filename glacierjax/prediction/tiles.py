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
from jaxtyping import Float32, UInt8
from scipy import ndimage

from glacierjax.core import grid
from glacierjax.core.choices import CLEAN, MODES
from glacierjax.core.errors import ArgumentError
from glacierjax.core.zones import NUM_ZONES
from glacierjax.data.series_geometry import tiled_pixels
from glacierjax.prediction.devices import tiles_at_once

Image = UInt8[np.ndarray, "height width *channel"]
Strip = Float32[np.ndarray, "rows width *answer"]  # probabilities of successive rows of a scene
# Images -> probabilities; N is always the same or 1, so few programs are compiled.
Network = Callable[[UInt8[np.ndarray, "N height width *channel"]], Float32[np.ndarray, "N height width *answer"]]
ONCE, TWICE = 0, 1
# Pixels of an axis that its padded positions show, mirrored in one step and in two (`tiled_pixels`).
Axis = tuple[np.ndarray, np.ndarray]
# Rows and columns -> pixels (rows, columns, ...) uint8.
Read = Callable[[Axis, Axis], np.ndarray]
# Row, column, and side of a target that may reach beyond the scene -> whether its answer is of use.
Needed = Callable[[int, int, int], bool]


class Tiling(NamedTuple):
    """How a scene is cut: a tile in one place of the (turned and padded) scene fills a target in another of the scene.

    `shape`: of the scene; `rows`, `columns`: of the scene turned by `quarter_turns`; `origins`: of each context in the
    padded one; `places`: row and column of each target in the scene as it was given, from the top down; `weights` (T, T): of a
    target's pixels, turned back.
    """

    shape: tuple[int, int]
    rows: Axis
    columns: Axis
    context_px: int
    quarter_turns: int
    origins: list[tuple[int, int]]
    places: list[tuple[int, int]]
    weights: Float32[np.ndarray, "target target"]

    def tile(self, read: Read, row: int, column: int) -> np.ndarray:
        """The pixels of the context at an origin."""
        size = self.context_px
        rows, columns = (
            (axis[ONCE][start : start + size], axis[TWICE][start : start + size])
            for axis, start in ((self.rows, row), (self.columns, column))
        )
        return read_turned(read, self.shape, rows, columns, self.quarter_turns)


def read_turned(read: Read, shape: tuple[int, int], rows: Axis, columns: Axis, quarter_turns: int) -> np.ndarray:
    """Pixels of a scene of `shape` turned counter-clockwise, at rows and columns of the turned scene."""
    height, width = shape
    of_scene = {
        0: (rows, columns),
        1: (columns, _from_the_end(rows, width)),
        2: (_from_the_end(rows, height), _from_the_end(columns, width)),
        3: (_from_the_end(columns, height), rows),
    }[quarter_turns]
    return np.rot90(read(*of_scene), quarter_turns)


def _from_the_end(axis: Axis, size: int) -> Axis:
    return size - 1 - axis[ONCE][::-1], size - 1 - axis[TWICE][::-1]


def gaussian_importance(target: int) -> Float32[np.ndarray, "{target} {target}"]:
    """Blending weights: Gaussian of sigma target / 8 around the centre pixel, peak 1.

    The Gaussian is cut at four sigma, which is where the target ends, so that every pixel of it has a say.
    """
    weights = np.zeros((target, target))
    weights[target // 2, target // 2] = 1
    weights = ndimage.gaussian_filter(weights, target / 8, mode="constant", truncate=4)
    return (weights / weights.max()).astype(np.float32)


def predict_scene(
    network: Network, image: Image, mode: str, context_px: int, size_multiple: int
) -> Float32[np.ndarray, "height width zone"]:
    """Class probabilities of a scene. `context_px` [512] for the tiled modes."""
    (strips,) = scene_strips([network], [0], image, mode, context_px, size_multiple)
    return assemble(strips, *image.shape[:2])


def scene_strips(
    networks: Sequence[Network],
    quarter_turns: Sequence[int],
    image: Image,
    mode: str,
    context_px: int,
    size_multiple: int,
    batch: int | None = None,
) -> list[Iterator[Strip]]:
    """For each network, on the scene turned by each of `quarter_turns`: its probabilities, turned back.

    They come as successive strips (context_px / 2 or, the last, fewer rows) of the scene as it was given, so
    that the members of an ensemble can be averaged strip by strip. `batch`: tiles at once; None: `tiles_at_once`. Raises
    `InputError` for an unknown mode.
    """

    def read(rows: Axis, columns: Axis) -> np.ndarray:
        rows_shown, columns_shown = rows[ONCE], columns[ONCE]
        left = columns_shown.min()
        part = image[:, left : columns_shown.max() + 1]
        return part[rows_shown].take(columns_shown - left, axis=1)  # five times as fast as indices for both axes

    height, width = image.shape[:2]
    return read_strips(networks, quarter_turns, read, (height, width), mode, context_px, size_multiple, batch=batch)


def read_strips(
    networks: Sequence[Network],
    quarter_turns: Sequence[int],
    read: Read,
    shape: tuple[int, int],
    mode: str,
    context_px: int,
    size_multiple: int,
    protocol: str = CLEAN,
    needed: Needed | None = None,
    batch: int | None = None,
    answer: tuple[int, ...] = (NUM_ZONES,),
) -> list[Iterator[Strip]]:
    """As `scene_strips`, of a scene of `shape` that is read tile by tile, with networks whose
    `answer` for a pixel has this shape.

    `protocol`: of the padding in the mode "tiled" (`grid.whole_padding`). Targets that are not `needed` stay 0 where no
    other one covers them. `batch`: tiles at once; None: `tiles_at_once`.
    """
    if mode not in MODES:
        raise ArgumentError("mode", mode, f"choose one of {', '.join(MODES)}")
    strip_px = context_px // 2
    batch = batch or tiles_at_once()
    found = []
    for turns in quarter_turns:
        if mode == "whole":
            found += [_whole(network, read, shape, turns, size_multiple, strip_px) for network in networks]
            continue
        tiling = cut(shape, mode, context_px, turns, protocol, needed)  # one for all networks
        found += [
            stitch_strips(_answers(network, tiling, read, batch), tiling.weights, *shape, answer)
            for network in networks
        ]
    return found


def cut(
    shape: tuple[int, int],
    mode: str,
    context_px: int,
    quarter_turns: int = 0,
    protocol: str = CLEAN,
    needed: Needed | None = None,
) -> Tiling:
    """The tiles of a scene of `shape` in the mode "tiled" or "overlap", of the scene turned counter-clockwise."""
    target = context_px // 2
    margin = (context_px - target) // 2
    height, width = shape
    turned = (width, height) if quarter_turns % 2 else (height, width)
    # `top`, `left`: where the target of the tile at origin 0 begins, in the turned image.
    if mode == "tiled":
        stride = target
        padding = [grid.whole_padding(size, target, protocol) for size in turned]
        rows, columns = (
            (grid.mirror_indices(-pad.before, size + pad.after, size), tiled_pixels(size, target, protocol))
            for size, pad in zip(turned, padding, strict=True)
        )
        top, left = (margin - axis.before for axis in padding)
        weights = np.ones((target, target), np.float32)
    else:
        stride = target // 2
        rows, columns = ((shown, shown) for shown in (grid.overlapping_pixels(n, context_px, stride) for n in turned))
        top = left = 0
        weights = gaussian_importance(target)
    origins = [
        (r, c)
        for r in grid.origins(len(rows[ONCE]), context_px, stride)
        for c in grid.origins(len(columns[ONCE]), context_px, stride)
    ]
    turned_back = {
        0: lambda r, c: (r, c),
        1: lambda r, c: (c, width - target - r),
        2: lambda r, c: (height - target - r, width - target - c),
        3: lambda r, c: (height - target - c, r),
    }[quarter_turns]
    places = [turned_back(r + top, c + left) for r, c in origins]
    order = sorted(range(len(places)), key=places.__getitem__)
    if needed is not None:
        order = [i for i in order if needed(*places[i], target)]
    weights = np.rot90(weights, -quarter_turns)
    chosen_origins, chosen_places = [origins[i] for i in order], [places[i] for i in order]
    return Tiling(shape, rows, columns, context_px, quarter_turns, chosen_origins, chosen_places, weights)


def stitch(
    tiles: Iterable[tuple[int, int, np.ndarray]], weights: Float32[np.ndarray, "target target"], height: int, width: int
) -> Float32[np.ndarray, "{height} {width} zone"]:
    """Weighted mean of targets, see `stitch_strips`."""
    return assemble(stitch_strips(tiles, weights, height, width), height, width)


def stitch_strips(
    tiles: Iterable[tuple[int, int, np.ndarray]],
    weights: Float32[np.ndarray, "target target"],
    height: int,
    width: int,
    answer: tuple[int, ...] = (NUM_ZONES,),
) -> Iterator[Strip]:
    """Weighted mean of targets (T, T, *answer) placed at (row, column), from the top down; what lies outside is dropped.

    What no target covers is 0. Yields strips (T or, the last, fewer rows, width, K) float32; two of them are in memory at a time.
    """
    size = len(weights)
    weights = weights.reshape(size, size, *(1 for _ in answer))
    # Of the same shape as the targets: NumPy multiplies it by them three times as fast.
    spread_weights = np.broadcast_to(weights, (size, size, *answer)).copy()
    total = np.zeros((2 * size, width, *answer), np.float32)
    weight_sum = np.zeros((2 * size, width, *weights.shape[2:]), np.float32)
    start = 0  # the scene's row that the buffers begin with

    def finished() -> Strip:
        rows = min(size, height - start)
        strip = total[:rows] / np.maximum(weight_sum[:rows], np.finfo(np.float32).tiny)
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
        total[r0 - start : r1 - start, c0:c1] += spread_weights[part] * target[part]
        weight_sum[r0 - start : r1 - start, c0:c1] += weights[part]
    while start < height:
        yield finished()
        start += size


def mean_over_members(members: Sequence[Iterator[Strip]]) -> Iterator[tuple[Strip, Strip]]:
    """Mean and standard deviation over the members of each strip."""
    for strips in zip(*members, strict=True):
        if len(strips) == 1:
            yield strips[0], np.zeros_like(strips[0])
            continue
        # Welford's running mean.
        mean, square_sum = strips[0].copy(), np.zeros_like(strips[0])
        for count, member in enumerate(strips[1:], 2):
            change = member - mean
            mean += change / count
            square_sum += change * (member - mean)
        yield mean, np.sqrt(square_sum / len(members))


def assemble(strips: Iterable[Strip], height: int, width: int) -> Float32[np.ndarray, "{height} {width} zone"]:
    """Successive strips as one array."""
    whole = np.empty((height, width, NUM_ZONES), np.float32)
    start = 0
    for strip in strips:
        whole[start : start + len(strip)] = strip
        start += len(strip)
    return whole


def _answers(network: Network, tiling: Tiling, read: Read, batch: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Row, column and probabilities of each target; the last batch is filled up with repetitions."""
    size = batch if len(tiling.origins) > 1 else 1
    context, target = tiling.context_px, len(tiling.weights)
    margin = (context - target) // 2
    inner = slice(margin, margin + target)
    for start in range(0, len(tiling.origins), size):
        tiles = [tiling.tile(read, row, column) for row, column in tiling.origins[start : start + size]]
        answers = network(tiles[0][None] if size == 1 else np.stack(tiles + tiles[-1:] * (size - len(tiles))))
        answers = np.rot90(answers[:, inner, inner], -tiling.quarter_turns, axes=(1, 2))
        for (row, column), answer in zip(tiling.places[start : start + size], answers, strict=False):
            yield row, column, answer


def _whole(
    network: Network, read: Read, shape: tuple[int, int], quarter_turns: int, size_multiple: int, strip_px: int
) -> Iterator[np.ndarray]:
    height, width = shape[::-1] if quarter_turns % 2 else shape
    rows, columns = (grid.fit_padding(size, 0, size_multiple) for size in (height, width))
    shown_rows = grid.mirror_indices(-rows.before, height + rows.after, height)
    shown_columns = grid.mirror_indices(-columns.before, width + columns.after, width)
    whole = read_turned(read, shape, (shown_rows, shown_rows), (shown_columns, shown_columns), quarter_turns)
    answer = network(np.ascontiguousarray(whole)[None])[0]
    answer = answer[rows.before : rows.before + height, columns.before : columns.before + width]
    answer = np.rot90(answer, -quarter_turns)
    for start in range(0, len(answer), strip_px):
        yield answer[start : start + strip_px]
