"""Where the pixels of a grid lie in an image that has another grid: a coarse table of places, interpolated."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

# Pixels of the grid between two nodes. Over 32 pixels of 40 m the curvature of map projections is below a centimetre.
NODE_PX = 32
ROUNDING = 6  # decimals of a pixel; less is noise of the coordinates, and would decide between two neighbours


@dataclasses.dataclass(frozen=True, eq=False)
class PixelMap:
    """Places in an image of `shape` (rows, columns) for a grid.

    `nodes`: row and column in the image, in pixels from the centre of its first one, of every `NODE_PX`-th pixel of the grid.
    """

    shape: tuple[int, int]
    nodes: Float[np.ndarray, "row column 2"]

    def places(
        self, rows: Float[np.ndarray, " height"], columns: Float[np.ndarray, " width"]
    ) -> tuple[Float[np.ndarray, "height width"], Float[np.ndarray, "height width"]]:
        """Row and column in the image of pixels of the grid, also beyond its borders."""
        below = _between(self.nodes, np.asarray(rows, float), 0)
        found = np.round(_between(below, np.asarray(columns, float), 1), ROUNDING)
        return found[..., 0], found[..., 1]

    def nearest(
        self, rows: Int[np.ndarray, " height"], columns: Int[np.ndarray, " width"]
    ) -> tuple[Int[np.ndarray, "height width"], Int[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
        """The pixels of the image that lie at pixels of the grid, and whether the image covers them.

        Where it does not, row and column are those of its nearest border, so that they can be read.
        """
        row, column = (np.floor(place + 0.5).astype(int) for place in self.places(rows, columns))
        height, width = self.shape
        covered = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        return np.clip(row, 0, height - 1), np.clip(column, 0, width - 1), covered


def pixel_map(
    places: Callable[[Float[np.ndarray, "point 2"]], Float[np.ndarray, "point 2"]],
    shape: tuple[int, int],
    grid_shape: tuple[int, int],
) -> PixelMap:
    """The table for a grid of `grid_shape` and an image of `shape`.

    `places`: points (n, 2) of column and row in pixels of the grid, from its outer corner, to those of the image.
    """
    rows, columns = (np.arange(0, size + NODE_PX, NODE_PX) for size in grid_shape)
    centres = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) + 0.5
    nodes = places(centres)[:, ::-1] - 0.5
    return PixelMap(shape, nodes.reshape(len(rows), len(columns), 2))


def _between(
    nodes: Float[np.ndarray, "*node"], places: Float[np.ndarray, " place"], axis: int
) -> Float[np.ndarray, "..."]:
    """Linear interpolation between nodes along an axis."""
    steps = places / NODE_PX
    before = np.clip(np.floor(steps).astype(int), 0, nodes.shape[axis] - 2)
    share = (steps - before).reshape((-1,) + (1,) * (nodes.ndim - 1 - axis))
    low, high = nodes.take(before, axis), nodes.take(before + 1, axis)
    return low + (high - low) * share
