"""Rectangles that are read from a raster: around an area of interest, with the context that networks need."""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from glacierjax.core.errors import InputError
from glacierjax.core.spacing import looks_for
from glacierjax.geo.areas import Area
from glacierjax.geo.georeference import Georeference, pixel_size


class Region(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right` of a grid, the upper bounds exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def common(self, other: "Region") -> "Region":
        """What both have; its shape has a side of 0 or less if there is nothing."""
        return Region(*np.maximum(self[:2], other[:2]).tolist(), *np.minimum(self[2:], other[2:]).tolist())

    def grown(self, margin: int) -> "Region":
        return Region(self.top - margin, self.left - margin, self.bottom + margin, self.right + margin)

    def moved(self, rows: int, columns: int) -> "Region":
        return Region(self.top + rows, self.left + columns, self.bottom + rows, self.right + columns)


@dataclasses.dataclass(frozen=True)
class Interest:
    """What of large scenes is wanted: the rectangle around `area`, read with `context_px` pixels of the network around it.

    `network_spacing_m`: pixel spacing that the network works at; 0: the scene's own.
    """

    area: Area
    context_px: int
    network_spacing_m: float = 0

    def inner(self, georeference: Georeference, grid: Region) -> Region:
        """The rectangle around what the grid has of the area. Raises `InputError` if they do not meet."""
        found = [around(georeference.to_pixels(points)).common(grid) for points in self.area.outlines(georeference)]
        found = [part for part in found if min(part.shape) > 0]
        if not found:
            raise InputError(f"lies beside the area of interest {self.area.where}; leave it out or draw another `aoi`")
        return Region(
            *np.min([part[:2] for part in found], 0).tolist(), *np.max([part[2:] for part in found], 0).tolist()
        )

    def margin_px(self, georeference: Georeference, shape: tuple[int, int]) -> int:
        """Pixels of the scene on each side that the network looks at."""
        spacing_m = pixel_size(georeference, shape).spacing_m
        return self.context_px * looks_for(spacing_m, self.network_spacing_m)


def around(pixels: Float[np.ndarray, "point 2"]) -> Region:
    """The whole pixels that points (n, 2) of column and row lie in."""
    left, top = np.floor(pixels.min(0)).astype(int).tolist()
    right, bottom = np.ceil(pixels.max(0)).astype(int).tolist()
    return Region(top, left, bottom, right)
