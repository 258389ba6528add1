"""Where a front may be: a CaFFe box in pixels, or polygons on Earth."""

import contextlib
import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Bool
from rasterio import features
from rasterio.transform import Affine
from shapely.affinity import translate

from glacierjax.core.boxes import BoundingBox, read_box
from glacierjax.core.errors import InputError
from glacierjax.fronts.extract import inside_box
from glacierjax.geo.antimeridian import cut_polygons
from glacierjax.geo.features import POLYGONS, is_vector_file, read_shapes, read_text
from glacierjax.geo.georeference import WGS84, Georeference, reproject, turn_around_earth

LONGEST_SIDE_DEG = 0.01  # sides are cut to this before they are bent into another projection


@dataclasses.dataclass(frozen=True)
class Area:
    """Either `box` in pixels of every scene, or `polygons`, longitude (-180..180) and latitude. `where`: its file."""

    where: str
    box: BoundingBox | None = None
    polygons: shapely.MultiPolygon | None = None

    @property
    def digest(self) -> str:
        """Tells one area from another, wherever its file lies."""
        return hashlib.sha256(f"{self.box} {self.polygons and self.polygons.wkt}".encode()).hexdigest()

    def mask(self, shape: tuple[int, int], georeference: Georeference | None) -> Bool[np.ndarray, "height width"]:
        """bool (H, W), true where the middle of a pixel lies inside. Raises `InputError` where that cannot be told."""
        if self.polygons is None:
            return inside_box(np.ones(shape, bool), self.box or ())
        if georeference is None:
            raise InputError(
                f"{self.where}: polygons on Earth, but the scene is not georeferenced; give a CaFFe text box"
            )
        polygons = shapely.segmentize(self.polygons, LONGEST_SIDE_DEG)
        on_map = shapely.transform(polygons, lambda points: reproject(points, WGS84, georeference.crs))
        copies = [translate(on_map, shift) for shift in _shifts(georeference)]
        return features.geometry_mask(copies, shape, Affine(*georeference.transform), invert=True)

    def outlines(self, georeference: Georeference) -> list[np.ndarray]:
        """The corners (n, 2) of each part in the reference system of a scene; without those that it cannot show.

        In degrees each part stands there at each of its longitudes: a scene may count from 0 to 360, or on beyond 180.
        """
        if self.polygons is None:
            xmin, ymin, xmax, ymax = self.box or BoundingBox(0, 0, 0, 0)
            return [georeference.to_crs(np.array([(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax)]))]
        found = []
        for part in self.polygons.geoms:
            points = shapely.get_coordinates(shapely.segmentize(part, LONGEST_SIDE_DEG))
            with contextlib.suppress(InputError):  # on the other side of the Earth
                on_map = reproject(points, WGS84, georeference.crs)
                found += [on_map + np.array([shift, 0]) for shift in _shifts(georeference)]
        return found


def _shifts(georeference: Georeference) -> tuple[float, ...]:
    """What may have to be added to x, as a scene in degrees may count from 0 to 360, or on beyond 180."""
    turn = turn_around_earth(georeference.crs)
    return (-turn, 0, turn) if turn else (0,)


def read_area(path: str | Path) -> Area:
    """The area in a CaFFe box file (text) or a vector file with polygons. Raises `InputError` naming the file."""
    if is_vector_file(path):
        parts = [part for shape in read_shapes(path, POLYGONS) for part in shapely.get_parts(shape)]
        return Area(str(path), polygons=cut_polygons(parts))
    return Area(str(path), box=read_box(read_text(path), str(path)))
