"""Where the pixels of a grid lie in an image that has another grid: a coarse table of places, interpolated."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

# Pixels of the grid between two nodes. Over 32 pixels of 40 m the curvature of map projections is below a centimetre.
NODE_PX = 32
FRINGE_PX = 1.5
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
    ) -> tuple[Float[np.ndarray, "_ _"], Float[np.ndarray, "_ _"]]:
        """Row and column in the image of pixels of the grid, also beyond its borders.

        Where rows lie along rows and columns along columns, as (height, 1) and (1, width).
        """
        rows, columns = np.asarray(rows, float), np.asarray(columns, float)
        if self.is_upright:
            row, column = (
                _between(self.nodes[:, 0, 0], rows, 0)[:, None],
                _between(self.nodes[0, :, 1], columns, 0)[None],
            )
        else:
            found = _between(_between(self.nodes, rows, 0), columns, 1)
            row, column = found[..., 0], found[..., 1]
        return np.round(row, ROUNDING), np.round(column, ROUNDING)

    @functools.cached_property
    def is_upright(self) -> bool:
        """Whether the row depends on the grid's row alone and the column on its column: of one system, not turned."""
        along = np.ptp(self.nodes[..., 0], axis=1).max(), np.ptp(self.nodes[..., 1], axis=0).max()
        return max(along) < 0.1**ROUNDING

    def nearest(
        self, image: UInt8[np.ndarray, "_ _"], rows: Int[np.ndarray, " height"], columns: Int[np.ndarray, " width"]
    ) -> tuple[UInt8[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
        """The image's pixels that lie nearest to pixels of the grid, 0 where it covers none; and whether it covers them."""
        places = self.places(rows, columns)
        covered = self._covers(places)
        row, column = (_inside(np.floor(place + 0.5), size) for place, size in zip(places, self.shape, strict=True))
        return np.where(covered, _Block(image, row, column).at(row, column), np.uint8(0)), covered

    def bilinear(
        self, image: UInt8[np.ndarray, "_ _"], rows: Int[np.ndarray, " height"], columns: Int[np.ndarray, " width"]
    ) -> tuple[UInt8[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
        """As `nearest`, interpolated between the image's pixels: borders in it keep their place to a fraction of a pixel.

        The image reaches `FRINGE_PX` farther here, so that what is interpolated between pixels of the grid, up to the image's
        very border, knows nothing of the black beside it.
        """
        places = self.places(rows, columns)
        if all((place == np.floor(place)).all() for place in places):
            return self.nearest(image, rows, columns)
        covered = self._covers(places, FRINGE_PX)
        if not covered.any():
            return np.zeros(covered.shape, np.uint8), covered
        above, left = (_inside(np.floor(place), size) for place, size in zip(places, self.shape, strict=True))
        below, right = (_inside(np.floor(place) + 1, size) for place, size in zip(places, self.shape, strict=True))
        down, across = (np.clip(place - np.floor(place), 0, 1).astype(np.float32) for place in places)
        block = _Block(image, np.stack([above, below]), np.stack([left, right]))
        first, second = (block.at(row, left) * (1 - across) + block.at(row, right) * across for row in (above, below))
        grey = np.rint(first * (1 - down) + second * down).astype(np.uint8)
        return np.where(covered, grey, np.uint8(0)), covered

    def _covers(self, places: tuple[np.ndarray, np.ndarray], fringe: float = 0) -> np.ndarray:
        """Whether places lie on the image's pixels, half a pixel around their centres, or so many pixels beside it."""
        height, width = self.shape
        row, column = places
        low = -0.5 - fringe
        return (row >= low) & (row < height + fringe - 0.5) & (column >= low) & (column < width + fringe - 0.5)


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


class _Block:
    """The part of an image that rows and columns lie in, in memory: fancy indexing over a file would read pixel by pixel."""

    def __init__(self, image: np.ndarray, rows: np.ndarray, columns: np.ndarray):
        self._top, self._left = int(rows.min()), int(columns.min())
        self._pixels = np.array(image[self._top : int(rows.max()) + 1, self._left : int(columns.max()) + 1])

    def at(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return self._pixels[row - self._top, column - self._left]


def _inside(place: np.ndarray, size: int) -> np.ndarray:
    """Whole numbers as pixels of an axis; those beyond its ends are its last ones."""
    return np.clip(place, 0, size - 1).astype(int)


def _between(
    nodes: Float[np.ndarray, "*node"], places: Float[np.ndarray, " place"], axis: int
) -> Float[np.ndarray, "..."]:
    """Linear interpolation between nodes along an axis."""
    steps = places / NODE_PX
    before = np.clip(np.floor(steps).astype(int), 0, nodes.shape[axis] - 2)
    share = (steps - before).reshape((-1,) + (1,) * (nodes.ndim - 1 - axis))
    low, high = nodes.take(before, axis), nodes.take(before + 1, axis)
    return low + (high - low) * share
