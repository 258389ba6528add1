"""Collects the networks' outputs for a frame of a series on the frame's own pixels, strip by strip."""

import numpy as np
from jaxtyping import Float

from glacierjax.prediction.frames import Frame
from glacierjax.prediction.scene_maps import NewArray, SceneMaps

BLOCK_PX = 512
Probabilities = Float[np.ndarray, "row column zone"]


class Answers:
    """`maps` of a frame, as strips of the `grid` (rows, columns) have filled them; `new_array` as in `SceneMaps`."""

    def __init__(self, frame: Frame, grid: tuple[int, int], with_deviation: bool, new_array: NewArray = np.zeros):
        self._frame, self._grid = frame, grid
        self.maps = SceneMaps(frame.shape, with_deviation, new_array=new_array)
        self._above: list[np.ndarray] | None = None  # last row of the strip before
        self._blocks = _blocks(frame, grid)

    def take(self, top: int, mean: Probabilities, spread: Probabilities) -> None:
        """The next strip of the grid, whose first row is `top`: mean and standard deviation over the ensemble."""
        maps = [mean] if self.maps.deviation is None else [mean, spread]
        above = self._above or [one[:1] for one in maps]
        self._above = [one[-1:].copy() for one in maps]
        rows = [np.concatenate(parts) for parts in zip(above, maps, strict=True)]
        bottom = top + len(mean)
        for block, first, last in self._blocks:
            if last < top or first >= bottom:
                continue
            row, column = self._frame.on_grid(*block)
            chosen, there = _between(row, column, rows, top, self._grid)
            if chosen.any():
                self.maps.fill(block, chosen, there[0], there[-1])


def _blocks(frame: Frame, grid: tuple[int, int]) -> list[tuple[tuple[slice, slice], int, int]]:
    """The frame in squares, each with the first and the last row of the grid that decides on it."""
    found = []
    height, width = frame.shape
    for top in range(0, height, BLOCK_PX):
        for left in range(0, width, BLOCK_PX):
            block = slice(top, min(top + BLOCK_PX, height)), slice(left, min(left + BLOCK_PX, width))
            row = _deciding(frame.on_grid(*block)[0], grid[0])[1]
            found.append((block, int(row.min()), int(row.max())))
    return found


def _deciding(place: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pixels of the grid before and behind places along an axis, and how far the place is towards the second."""
    place = np.clip(place, 0, size - 1)
    if place.dtype.kind == "i":
        return place, place, np.zeros(place.shape, np.float32)
    before = np.floor(place).astype(int)
    behind = np.ceil(place).astype(int)
    return before, behind, (place - before).astype(np.float32)


def _between(
    row: np.ndarray, column: np.ndarray, maps: list[np.ndarray], top: int, grid: tuple[int, int]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Which places (h, w) the strip from `top` on decides, and its `maps` (1 + rows, width, K), with a row above, there."""
    above, below, down = _deciding(row, grid[0])
    left, right, across = _deciding(column, grid[1])
    shape = np.broadcast_shapes(row.shape, column.shape)
    chosen = np.broadcast_to((below >= top) & (below < top + len(maps[0]) - 1), shape)
    above, below, down, left, right, across = (
        np.broadcast_to(part, shape)[chosen] for part in (above, below, down, left, right, across)
    )
    above, below = above - top + 1, below - top + 1
    found = []
    for one in maps:
        if not down.any() and not across.any():
            found.append(one[below, left])
            continue
        first = one[above, left] + (one[above, right] - one[above, left]) * across[:, None]
        second = one[below, left] + (one[below, right] - one[below, left]) * across[:, None]
        found.append(first + (second - first) * down[:, None])
    return chosen, found
