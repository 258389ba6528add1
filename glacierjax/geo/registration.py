"""Lays scenes over each other by their map coordinates: where the pixels of one lie in the other, and whether they meet."""

import dataclasses

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.errors import InputError
from glacierjax.core.pixel_map import PixelMap, pixel_map
from glacierjax.geo.antimeridian import TURN_DEG, cut_outline
from glacierjax.geo.georeference import Georeference, pixel_size, reproject, turn_around_earth

BORDER_POINTS = 21  # along each side of a scene, which is bent in another reference system
# Beside a pole, neighbours on the border are far apart in longitude. Points are added until they are nearer than this.
NEAR_DEG, MOST_BORDER_POINTS = 45.0, 2_001


@dataclasses.dataclass(frozen=True)
class Footprint:
    """A grid of pixels on the map: `shape` (rows, columns)."""

    place: Georeference
    shape: tuple[int, int]

    def map_into(self, image: "Footprint") -> PixelMap:
        """Where the pixels of this grid lie in an image. Raises `InputError` where coordinates cannot be converted."""
        return pixel_map(lambda points: _moved(points, self.place, image), image.shape, self.shape)

    def outline(self, grid: "Footprint") -> shapely.Polygon:
        """The border of this grid, in pixels (column, row) of another one."""
        return shapely.Polygon(_moved(self._border_px(), self.place, grid)).buffer(0)

    def on_earth(self) -> shapely.MultiPolygon:
        """The border of this grid, longitude (-180..180) and latitude."""
        points = BORDER_POINTS
        border = self.place.to_lonlat(self._border_px())
        while (
            points < MOST_BORDER_POINTS and np.abs(np.diff(np.unwrap(border[:, 0], period=TURN_DEG))).max() > NEAR_DEG
        ):
            points = 10 * (points - 1) + 1
            border = self.place.to_lonlat(self._border_px(points))
        return cut_outline(border)

    def _border_px(self, points: int = BORDER_POINTS) -> Float[np.ndarray, "point 2"]:
        height, width = self.shape
        along = np.linspace(0, 1, points)
        sides = [(along, 0 * along), (0 * along + 1, along), (along[::-1], 0 * along + 1), (0 * along, along[::-1])]
        return np.concatenate([np.column_stack(side) for side in sides]) * (width, height)

    def averaged(self, looks: int) -> "Footprint":
        """The grid of means over looks x looks pixels (`glacierjax.core.spacing.average_looks`)."""
        a, b, c, d, e, f = self.place.transform
        height, width = (-(-size // looks) for size in self.shape)
        return Footprint(
            Georeference(self.place.crs, (a * looks, b * looks, c, d * looks, e * looks, f)), (height, width)
        )

    def with_square_pixels(self) -> "Footprint":
        """A grid of square pixels, of the same area and about the same extent. A grid that has them is returned."""
        size = pixel_size(self.place, self.shape)
        if size.is_square:
            return self
        across, down = (size.spacing_m / side for side in size.sides_m)
        a, b, c, d, e, f = self.place.transform
        square = Georeference(self.place.crs, (a * across, b * down, c, d * across, e * down, f))
        rows, columns = (int(np.ceil(n / share)) for n, share in zip(self.shape, (down, across), strict=True))
        return Footprint(square, (rows, columns))

    def around(self, others: "list[Footprint]") -> "Footprint":
        """This grid, made as large as it takes to hold all of the others too."""
        bounds = np.array([other.outline(self).bounds for other in others] + [(0, 0, *self.shape[::-1])])
        left, top = np.floor(np.round(bounds[:, :2].min(0), 3)).astype(int).tolist()
        right, bottom = np.ceil(np.round(bounds[:, 2:].max(0), 3)).astype(int).tolist()
        return Footprint(self.place.moved(left, top), (bottom - top, right - left))

    def shared_with(self, other: "Footprint") -> float:
        """The area that both have, as a share of the smaller one; 0 where one cannot be found in the other's system."""
        try:
            there = other.outline(self)
        except InputError:
            return 0.0
        here = shapely.box(0, 0, self.shape[1], self.shape[0])
        smaller = min(here.area, there.area)
        return float(here.intersection(there).area / smaller) if smaller > 0 else 0.0


@dataclasses.dataclass(frozen=True)
class MapRegistration:
    """Frames of training samples by number, laid over each other by map coordinates."""

    scenes: tuple[Footprint, ...]

    def __call__(self, frame: int, reference: int) -> PixelMap:
        """Where the pixels of the reference lie in the frame."""
        return self.scenes[reference].map_into(self.scenes[frame])


def _moved(
    points_px: Float[np.ndarray, "point 2"], place: Georeference, image: Footprint
) -> Float[np.ndarray, "point 2"]:
    """Points (n, 2) column, row of the grid at `place` as column, row of an image."""
    if place == image.place:
        return np.array(points_px, float)
    points = reproject(place.to_crs(points_px), place.crs, image.place.crs)
    if turn := turn_around_earth(image.place.crs):
        middle = image.place.to_crs(np.array([[image.shape[1] / 2, image.shape[0] / 2]]))[0, 0]
        points[:, 0] += turn * np.round((middle - points[:, 0]) / turn)  # the same meridian, as the image counts it
    return image.place.to_pixels(points)
