"""The glacier that a front belongs to, by the id of its outline (RGI, TermPicks), and the options of written lines."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from rasterio.crs import CRS

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.geo.antimeridian import cut_line, cut_polygons
from glacierjax.geo.features import POLYGONS, attribute_named, plain_name, read_features
from glacierjax.geo.georeference import WGS84, equal_area_plane, reproject

# Attributes that are tried, by their plain names: of TermPicks, RGI 7 and 6, GLIMS.
ID_FIELDS = ("glacierid", "rgiid", "glacid", "glimsid", "id", "name")
NEAR_M = 2000.0  # outlines are of one date: a front that has moved lies beside them
AROUND_DEG = 0.5  # polygons farther away are not looked at; longitudes by the latitude


@dataclasses.dataclass(frozen=True, eq=False)
class GlacierOutlines:
    """`polygons` of longitude (-180 to 180) and latitude, with their `ids`."""

    ids: tuple[str, ...]
    polygons: shapely.STRtree

    @property
    def digest(self) -> str:
        """Tells outlines with their ids from others."""
        content = b"".join(shapely.to_wkb(self.polygons.geometries))
        return hashlib.sha256(repr(self.ids).encode() + content).hexdigest()

    def find(self, lines_lonlat: Sequence[np.ndarray]) -> str | None:
        """The id of the polygon in which most of the lines (n, 2) lies, else of the nearest within `NEAR_M`; None: none."""
        if not lines_lonlat:
            return None
        parts = [shapely.LineString(part) for line in lines_lonlat for part in cut_line(line)]
        front = shapely.MultiLineString(parts)
        latitude = min(abs(front.centroid.y), 89.0)
        west, south, east, north = front.bounds
        aside = AROUND_DEG / np.cos(np.radians(latitude))
        near = self.polygons.query(shapely.box(west - aside, south - AROUND_DEG, east + aside, north + AROUND_DEG))
        if not len(near):
            return None
        plane = equal_area_plane(shapely.get_coordinates(front))
        line, *outlines = shapely.transform(
            [front, *self.polygons.geometries[near]], lambda points: reproject(points, WGS84, plane)
        )
        inside = shapely.length(shapely.intersection(shapely.make_valid(outlines), line))
        if inside.max() > 0:
            return self.ids[near[inside.argmax()]] or None
        distances_m = shapely.distance(outlines, line)
        return self.ids[near[distances_m.argmin()]] or None if distances_m.min() <= NEAR_M else None


def read_outlines(path: str | Path, field: str = "") -> GlacierOutlines:
    """The polygons of a vector file with their ids, from the attribute `field`, or from one with a usual name.

    Raises `InputError` naming the file if there are no polygons, and for an attribute that is not there.
    """
    features = [(shape, facts) for shape, facts in read_features(path) if shape.geom_type in POLYGONS]
    if not features:
        raise InputError(f"{path}: no polygon in it; give outlines of glaciers")
    key = id_field(features[0][1], field, path)
    ids, polygons = [], []
    for shape, facts in features:
        for part in cut_polygons(list(shapely.get_parts(shape))).geoms:
            ids.append(id_text(facts.get(key)))
            polygons.append(part)
    return GlacierOutlines(tuple(ids), shapely.STRtree(polygons))


def outlines_of(path: str, field: str = "") -> GlacierOutlines | None:
    """As `read_outlines`; None without a file. Raises `ArgumentError` for an attribute of no file."""
    if field and not path:
        raise ArgumentError("glacier_field", field, "is of the polygons of `glaciers`; give them too, or leave it out")
    return read_outlines(path, field) if path else None


def id_field(facts: Mapping[str, Any], field: str, path: str | Path) -> str:
    """The attribute that holds the id among those of a feature: `field`, "": the first with a usual name."""
    there = ", ".join(facts) or "none"
    if field:
        named = attribute_named(field, facts)
        if named is None:
            raise ArgumentError("glacier_field", field, f"no such attribute in {path}; there are: {there}")
        return named
    plain = {plain_name(name): name for name in reversed(list(facts))}
    found = next((plain[name] for name in ID_FIELDS if name in plain), None)
    if found is None:
        raise InputError(f"{path}: no attribute tells the glacier's id; name one of {there} with `glacier_field`")
    return found


def id_text(value: Any) -> str:
    """An id as text; whole numbers without decimals."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


@dataclasses.dataclass(frozen=True, eq=False)
class LineOptions:
    """`crs` of the lines in formats other than GeoJSON, None: that of the scene; `outlines`: polygons that tell the glacier's id,
    None: it is not told; `author`: who answers for the lines."""

    crs: CRS | None = None
    outlines: GlacierOutlines | None = None
    author: str = "glacierjax"


PLAIN = LineOptions()
