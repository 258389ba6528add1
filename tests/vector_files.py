"""Writes vector files of lines and polygons as other programs do, for tests."""

import json

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from glacierjax.geo.georeference import WGS84, reproject


def write_vectors(path, shapes_lonlat, rows, epsg=4326):
    """Writes shapes of one kind with their attributes in the format of the suffix and a reference system.

    None is a feature without geometry; the first is none of these.
    """
    crs = CRS.from_epsg(epsg)
    shapes = [s and shapely.transform(s, lambda points: reproject(points, WGS84, crs)) for s in shapes_lonlat]
    names = list(rows[0])
    if path.suffix == ".parquet":
        import pyarrow.parquet

        pyproj = pytest.importorskip("pyproj", reason="pyproj (extra [test]) is not installed")
        column = {"encoding": "WKB", "geometry_types": [shapes[0].geom_type], "crs": pyproj.CRS(epsg).to_json_dict()}
        geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}}
        table = pyarrow.table({n: [row[n] for row in rows] for n in names} | {"geometry": [s.wkb for s in shapes]})
        pyarrow.parquet.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    elif path.suffix == ".geojson":
        members = [
            {"type": "Feature", "geometry": s and shapely.geometry.mapping(s), "properties": row}
            for s, row in zip(shapes, rows, strict=True)
        ]
        named = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}
        path.write_text(json.dumps({"type": "FeatureCollection", "crs": named, "features": members}))
    else:
        pyogrio = pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
        columns = [np.array([row[name] for row in rows]) for name in names]
        pyogrio.raw.write(
            path,
            np.array([s and s.wkb for s in shapes], object),
            fields=np.array(names),
            field_data=[c.astype(object) if c.dtype.kind == "U" else c for c in columns],
            geometry_type=shapes[0].geom_type,
            crs=f"EPSG:{epsg}",
        )
    return path
