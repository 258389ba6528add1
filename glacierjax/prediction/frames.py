"""Frames of a series on one grid: what a tile shows of each, and where each frame's own pixels lie on the grid."""

import dataclasses
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Shaped, UInt8

from glacierjax.core.choices import CLEAN
from glacierjax.core.pixel_map import PixelMap
from glacierjax.data.series_geometry import pixels_back, scaled_pixels
from glacierjax.prediction.tiles import ONCE, TWICE, Axis

Pixels = Shaped[np.ndarray, "_ _"]


@runtime_checkable
class Frame(Protocol):
    """One frame. `shape` (rows, columns) of its own pixels, which its answers come back to."""

    @property
    def shape(self) -> tuple[int, int]: ...

    def read(self, rows: Axis, columns: Axis) -> UInt8[np.ndarray, "height width"]:
        """Grey values at rows and columns of the grid; 0 where there are none."""
        ...

    def covers(self, top: int, left: int, side: int) -> bool:
        """False if none of the frame's pixels can lie in this square of the grid."""
        ...

    def on_grid(self, rows: slice, columns: slice) -> tuple[Pixels, Pixels]:
        """Row (h, 1 or w) and column (1 or h, w) on the grid of its own pixels: whole numbers, or places in between."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class FrameBySize:
    """A frame that shows the same ground as the grid, whatever its size.

    `image`: its pixels, averaged by `looks`; `grid` (rows, columns); `protocol`, `tile`: as in `scaled_pixels`. A frame of
    the grid's size is not touched, and its borders are mirrored in two steps in the mode "tiled".
    """

    image: UInt8[np.ndarray, "_ _"]
    shape: tuple[int, int]
    grid: tuple[int, int]
    looks: int = 1
    protocol: str = CLEAN
    tile: int = 256

    def read(self, rows: Axis, columns: Axis) -> UInt8[np.ndarray, "height width"]:
        if self.image.shape == self.grid:
            return self.image[rows[TWICE][:, None], columns[TWICE]]
        row, column = (
            scaled_pixels(own, wanted, self.protocol, self.tile)[axis[ONCE]]
            for own, wanted, axis in zip(self.image.shape, self.grid, (rows, columns), strict=True)
        )
        return self.image[row[:, None], column]

    def covers(self, top: int, left: int, side: int) -> bool:
        return top + side > 0 and left + side > 0 and top < self.grid[0] and left < self.grid[1]

    def on_grid(self, rows: slice, columns: slice) -> tuple[Pixels, Pixels]:
        row, column = (self._axis_on_grid(axis)[part] for axis, part in enumerate((rows, columns)))
        return row[:, None], column[None]

    def _axis_on_grid(self, axis: int) -> np.ndarray:
        averaged = self.image.shape[axis]
        back = pixels_back(averaged, self.grid[axis])
        if self.looks == 1:
            return back
        middles = np.clip((np.arange(self.shape[axis]) + 0.5) / self.looks - 0.5, 0, averaged - 1)
        return np.interp(middles, np.arange(averaged), back)


@dataclasses.dataclass(frozen=True, eq=False)
class FrameByMap:
    """A frame that lies on the grid by its map coordinates.

    `image`: its pixels, averaged or not; `in_image`: where pixels of the grid lie in it; `in_grid`: where its own pixels lie
    on the grid.
    """

    image: UInt8[np.ndarray, "_ _"]
    shape: tuple[int, int]
    in_image: PixelMap
    in_grid: PixelMap

    def read(self, rows: Axis, columns: Axis) -> UInt8[np.ndarray, "height width"]:
        return self.in_image.bilinear(self.image, rows[TWICE], columns[TWICE])[0]

    def covers(self, top: int, left: int, side: int) -> bool:
        edges = np.array([-1.0, side])  # and a pixel more, which interpolation looks at
        return all(
            place.max() >= -1 and place.min() <= size
            for place, size in zip(self.in_image.places(top + edges, left + edges), self.image.shape, strict=True)
        )

    def on_grid(self, rows: slice, columns: slice) -> tuple[Pixels, Pixels]:
        height, width = self.shape
        return self.in_grid.places(np.arange(height)[rows], np.arange(width)[columns])
