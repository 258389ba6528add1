"""Where a front may be: a CaFFe box in pixels, or polygons on Earth from GeoJSON."""

import contextlib
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from rasterio import features
from rasterio.transform import Affine
from shapely.affinity import translate
from shapely.geometry import shape as geometry_from_mapping
from shapely.geometry.base import BaseGeometry

from glacierjax.core.boxes import BoundingBox, read_box
from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path
from glacierjax.fronts.extract import inside_box
from glacierjax.geo.antimeridian import cut_polygons
from glacierjax.geo.georeference import WGS84, Georeference, crs_from_user, reproject, turn_around_earth

POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
JSON_SUFFIXES = (".geojson", ".json")
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

    def mask(self, shape: tuple[int, int], georeference: Georeference | None) -> np.ndarray:
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
    """The area in a CaFFe box file (text) or a GeoJSON file of polygons. Raises `InputError` naming the file."""
    if is_vector_file(path):
        parts = [part for shape in read_shapes(path, POLYGONS) for part in shapely.get_parts(shape)]
        return Area(str(path), polygons=cut_polygons(parts))
    return Area(str(path), box=read_box(_text(user_path(path)), str(path)))


def is_vector_file(path: str | Path) -> bool:
    """Whether a file of this name holds features on Earth; else it is CaFFe's text."""
    return Path(path).suffix.lower() in JSON_SUFFIXES


def read_shapes(path: str | Path, kinds: tuple[str, ...]) -> list[BaseGeometry]:
    """The geometries of certain kinds in a GeoJSON file, longitude and latitude; at least one.

    Coordinates are WGS84 (RFC 7946), or of the reference system that the `crs` member of older files names.
    """
    found = [shape for shape, _ in read_features(path) if shape.geom_type in kinds]
    if not found:
        raise InputError(f"{path}: no {' or '.join(kinds)} in it; draw one and save it as GeoJSON in WGS84")
    return found


def read_features(path: str | Path) -> list[tuple[BaseGeometry, dict[str, Any]]]:
    """(geometry in longitude and latitude, properties) of each feature of a GeoJSON file that has a geometry."""
    path = user_path(path)
    try:
        document = json.loads(_text(path))
        members = document["features"] if document["type"] == "FeatureCollection" else [document]
        pairs = [_feature(member) for member in members if member["type"] != "Feature" or member["geometry"]]
        name = document.get("crs", {}).get("properties", {}).get("name")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"{path}: not a readable GeoJSON file ({type(error).__name__}: {error}); save it again"
        ) from None
    if name is not None:
        crs = crs_from_user(name, str(path))
        pairs = [(shapely.transform(shape, lambda p: reproject(p, crs, WGS84)), rest) for shape, rest in pairs]
    for shape, _ in pairs:
        if shape.is_empty or not np.isfinite(shape.bounds).all():
            raise InputError(f"{path}: a geometry without coordinates; remove it")
        west, south, east, north = shape.bounds
        if min(west, east) < -360 or max(west, east) > 360 or south < -90 or north > 90:
            raise InputError(f"{path}: {west:g}, {south:g} is no longitude and latitude; save it as GeoJSON in WGS84")
    return pairs


def _feature(member: dict[str, Any]) -> tuple[BaseGeometry, dict[str, Any]]:
    """Geometry and properties of a GeoJSON feature, or of a bare geometry."""
    if member["type"] == "Feature":
        return geometry_from_mapping(member["geometry"]), member.get("properties") or {}
    return geometry_from_mapping(member), {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable text file ({error})") from error
