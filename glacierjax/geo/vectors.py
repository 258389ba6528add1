"""Lines, polygons and points as files: on Earth GeoJSON, GeoPackage, Shapefile and GeoParquet, else a table of points.

GeoJSON follows RFC 7946: WGS84 longitude and latitude, seven decimals (a centimetre), lines that cross 180 degrees cut
there. The others are in the reference system that the caller chooses.
"""

import csv
import errno
import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float
from rasterio.crs import CRS
from shapely.geometry.base import BaseGeometry

from glacierjax.core.choices import GEOPACKAGE, GEOPARQUET, SHAPEFILE
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_beside, write_text
from glacierjax.core.json_values import Json
from glacierjax.geo.antimeridian import cut_line, cut_polygons
from glacierjax.geo.line_columns import COLUMNS, Column, Properties, arrays_of, name_in

GEOJSON = ".geojson"
DECIMALS = 7
DRIVERS = {GEOPACKAGE: "GPKG", SHAPEFILE: "ESRI Shapefile"}  # of OGR, by suffix; with the extra [vector]
SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg")  # beside the .shp
LAYER = "front"
LAYER_BYTES, WKB_TIMES = 1 << 20, 8  # more than a layer takes: an empty GeoPackage has 100 KB
POINT_COLUMNS = ("scene", "line", "x_px", "y_px", "pixel_spacing_m")


def feature(line_lonlat: Float[np.ndarray, "point 2"], properties: Properties) -> Json:
    """A GeoJSON feature of one line (n, 2) of longitude and latitude; `properties`: `COLUMNS`."""
    parts = [np.round(part, DECIMALS).tolist() for part in cut_line(line_lonlat)]
    if len(parts) == 1:
        geometry = {"type": "LineString", "coordinates": parts[0]}
    else:
        geometry = {"type": "MultiLineString", "coordinates": parts}
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


def polygon_feature(polygon_lonlat: shapely.Polygon, properties: Properties) -> Json:
    """A GeoJSON feature of a polygon of longitude and latitude with its holes, outer rings counter-clockwise (RFC 7946)."""
    parts = [
        [np.round(shapely.get_coordinates(ring), DECIMALS).tolist() for ring in (part.exterior, *part.interiors)]
        for part in shapely.orient_polygons(cut_polygons([polygon_lonlat])).geoms
    ]
    kind, coordinates = ("Polygon", parts[0]) if len(parts) == 1 else ("MultiPolygon", parts)
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


def point_feature(point_lonlat: Float[np.ndarray, "2"], properties: Properties) -> Json:
    """A GeoJSON feature of a point (2,) of longitude and latitude."""
    coordinates = np.round(point_lonlat, DECIMALS).tolist()
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates},
        "properties": dict(properties),
    }


def write_geojson(path: Path, features: Sequence[Json]) -> None:
    """Writes features as one collection; an empty one is a file without fronts."""
    lines = ",\n".join(json.dumps(member, allow_nan=False, ensure_ascii=False) for member in features)
    write_text(path, f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n')


def write_layer(
    path: Path,
    shapes: Sequence[BaseGeometry],
    properties: Sequence[Properties],
    crs: CRS,
    kind: str = "LineString",
    columns: Mapping[str, Column] = COLUMNS,
) -> list[Path]:
    """Writes shapes of one `kind` with their `columns` as the format that the suffix names.

    Returns the files, `path` first; a Shapefile is several. The layer of a GeoPackage is named `LAYER`: a scene's name may
    hold what no layer may. Raises `InputError` when the extra [vector] is not installed.
    """
    suffix = path.suffix[1:]
    with write_beside(path) as unused, tempfile.TemporaryDirectory(dir=unused.parent, prefix=".layer.") as folder:
        layer = Path(folder) / f"{LAYER}.{suffix}"
        if suffix == GEOPARQUET:
            table = geo_table(shapes, properties, crs, kind, columns)
            require_pyarrow(f"`vector`={suffix}").parquet.write_table(table, layer)
        else:
            pyogrio = require_vector_extra(f"`vector`={suffix}")
            values, missing = arrays_of(properties, columns)
            wkb = [shapely.to_wkb(shape) for shape in shapes]
            _require_space(unused.parent, sum(map(len, wkb)))
            pyogrio.raw.write(
                layer,
                geometry=np.array(wkb, object),
                geometry_type=kind,
                fields=np.array([name_in(name, suffix) for name in values]),
                field_data=list(values.values()),
                field_mask=[missing[name] if array.dtype == np.int64 else None for name, array in values.items()],
                crs=crs.to_wkt(),
                driver=DRIVERS[suffix],
            )
        others = []
        for part in sorted(Path(folder).iterdir()):
            if part.suffix != path.suffix:
                others.append(path.with_name(f"{path.stem}{part.suffix}"))
            part.replace(unused if part.suffix == path.suffix else others[-1])
    return [path, *others]


def _require_space(folder: Path, wkb_bytes: int) -> None:
    """Raises the `OSError` of a full disk before GDAL writes there: it does not tell whether all bytes were written."""
    if shutil.disk_usage(folder).free < LAYER_BYTES + WKB_TIMES * wkb_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def remove_layer(path: Path) -> None:
    """Removes what `write_layer` may have written as `path`."""
    parts = SHAPEFILE_PARTS if path.suffix == f".{SHAPEFILE}" else ()
    for suffix in (path.suffix, *parts):
        path.with_suffix(suffix).unlink(missing_ok=True)


def geo_table(
    shapes: Sequence[BaseGeometry],
    properties: Sequence[Properties],
    crs: CRS,
    kind: str,
    columns: Mapping[str, Column] = COLUMNS,
) -> Any:
    """Shapes of one `kind` with their `columns` as a table of pyarrow that is GeoParquet 1.0 (geoparquet.org) once written.

    The columns have the same types whatever is in them. Raises `InputError` without pyarrow.
    """
    pyarrow = require_pyarrow("`vector`=parquet")
    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "date": pyarrow.date32(),
    }
    values, missing = arrays_of(properties, columns)
    arrays = {
        name: pyarrow.array(array, types[columns[name].kind], mask=missing[name]) for name, array in values.items()
    }
    wkb = [shapely.to_wkb(shape) for shape in shapes]
    table = pyarrow.table({**arrays, "geometry": pyarrow.array(wkb, pyarrow.binary())})
    facts = {
        "version": "1.0.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": [kind], "crs": crs.to_dict(projjson=True)}},
    }
    return table.replace_schema_metadata({"geo": json.dumps(facts)})


def require_format(kind: str, where: str) -> None:
    """Raises `InputError` naming `where` if what one of `core.choices.VECTOR_FORMATS` needs is not installed."""
    (require_pyarrow if kind == GEOPARQUET else require_vector_extra)(where)


def require_pyarrow(where: str) -> Any:
    """pyarrow. Raises `InputError` naming `where`, a flag or file, with what to install where it is missing."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise InputError(f"{where}: GeoParquet needs pyarrow; pip install pyarrow") from None
    return pyarrow


def require_vector_extra(where: str) -> Any:
    """pyogrio. Raises `InputError` naming `where`, a flag or file, with what to install where it is missing."""
    try:
        import pyogrio.raw
    except ImportError:
        raise InputError(f"{where}: needs the extra [vector]; pip install 'glacierjax[vector]'") from None
    return pyogrio


def write_points(path: Path, lines: Sequence[np.ndarray], scene: str, pixel_spacing_m: float) -> None:
    """Writes lines (n, 2) of pixel coordinates as a table, one row a point (`POINT_COLUMNS`)."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(POINT_COLUMNS)
    for number, line in enumerate(lines, 1):
        for x_px, y_px in line.tolist():
            table.writerow([scene, number, x_px, y_px, pixel_spacing_m])
    write_text(path, text.getvalue())


def read_points(path: Path) -> tuple[list[np.ndarray], float | None]:
    """Lines (n, 2) in pixels and the pixel spacing in metres (None without lines) that `write_points` wrote."""
    lines: dict[str, list[tuple[float, float]]] = {}
    spacing_m = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if tuple(table.fieldnames or ()) != POINT_COLUMNS:
                raise ValueError(f"columns {table.fieldnames}")
            for row in table:
                x_px, y_px, spacing_m = (float(row[name]) for name in ("x_px", "y_px", "pixel_spacing_m"))
                if not (math.isfinite(x_px) and math.isfinite(y_px) and 0 < spacing_m < math.inf):
                    raise ValueError(
                        f"the point {row['x_px']}, {row['y_px']} with pixels of {row['pixel_spacing_m']} m"
                    )
                lines.setdefault(row["line"], []).append((x_px, y_px))
    except (OSError, ValueError, TypeError) as error:
        expected = ",".join(POINT_COLUMNS)
        raise InputError(f"{path}: not a table of front lines ({error}); expected the columns {expected}") from error
    return [np.array(line) for line in lines.values()], spacing_m
