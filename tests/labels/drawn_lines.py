"""Vector files of lines and polygons, and labels made of them over plain scenes."""

import json

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.labels.make import LabelOptions, label_scenes

NORTH = ((50, 70), (50, 10))  # runs north: the glacier lies in the west


def write_vectors(path, shapes_lonlat, rows, epsg):
    """Shapes with their attributes as GeoJSON with a reference system, or as what the suffix says."""
    shapes = [shapely.transform(s, lambda points: reproject(points, WGS84, CRS.from_epsg(epsg))) for s in shapes_lonlat]
    if path.suffix == ".geojson":
        members = [
            {"type": "Feature", "geometry": shapely.geometry.mapping(s), "properties": row}
            for s, row in zip(shapes, rows, strict=True)
        ]
        crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": members}))
    else:
        pyogrio = pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
        names = list(rows[0])
        pyogrio.raw.write(
            path,
            np.array([s.wkb for s in shapes], object),
            fields=np.array(names),
            field_data=[np.array([row[name] for row in rows], object) for name in names],
            geometry_type=shapes[0].geom_type,
            crs=f"EPSG:{epsg}",
        )
    return path


def straight(place, *corners):
    """A line through these pixels (column, row), in longitude and latitude."""
    return shapely.LineString(place.to_lonlat(np.array(corners, float)))


def label_plain(plain, tmp_path, shapes, rows, **options):
    paths, _ = plain
    fronts = write_vectors(tmp_path / "fronts.geojson", shapes, rows, 4326)
    return label_scenes([str(path) for path in paths], [str(fronts)], tmp_path / "out", LabelOptions(**options))
