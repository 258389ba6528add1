"""Front lines as files: GeoJSON, GeoPackage and Shapefile where a scene lies on Earth, else a table of points.

GeoJSON follows RFC 7946: WGS84 longitude and latitude, seven decimals (a centimetre), lines that cross 180 degrees cut
there. The other two keep the reference system of the scene.
"""

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.errors import InputError
from glacierjax.core.files import Json, write_beside, write_text
from glacierjax.geo.antimeridian import cut_line, cut_polygons
from glacierjax.geo.georeference import Georeference

DECIMALS = 7
FORMATS = {"gpkg": "GPKG", "shp": "ESRI Shapefile"}  # by suffix; with the extra [vector]
LAYER = "front"
SHORT_NAMES = {"pixel_spacing_m": "spacing_m"}  # Shapefiles cut names after ten characters
# What every line carries, and its type in a GeoPackage or Shapefile. Unknown facts are None.
FIELDS: dict[str, Any] = {
    "scene": object,
    "line": np.int64,
    "glacier": object,
    "date": object,
    "sensor": object,
    "length_m": np.float64,
    "pixel_spacing_m": np.float64,
    "checkpoint": object,
}
POINT_COLUMNS = ("scene", "line", "x_px", "y_px", "pixel_spacing_m")

Properties = Mapping[str, Any]


def feature(line_lonlat: Float[np.ndarray, "point 2"], properties: Properties) -> Json:
    """A GeoJSON feature of one line (n, 2) of longitude and latitude; `properties`: `FIELDS`."""
    parts = [np.round(part, DECIMALS).tolist() for part in cut_line(line_lonlat)]
    if len(parts) == 1:
        geometry = {"type": "LineString", "coordinates": parts[0]}
    else:
        geometry = {"type": "MultiLineString", "coordinates": parts}
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


def polygon_feature(polygon_lonlat: shapely.Polygon, properties: Properties) -> Json:
    """A GeoJSON feature of a polygon of longitude and latitude, outer rings counter-clockwise (RFC 7946)."""
    parts = shapely.get_parts(shapely.orient_polygons(cut_polygons([polygon_lonlat])))
    rings = [np.round(shapely.get_coordinates(part), DECIMALS).tolist() for part in parts]
    if len(rings) == 1:
        geometry = {"type": "Polygon", "coordinates": rings}
    else:
        geometry = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
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
    path: Path, lines: Sequence[np.ndarray], properties: Sequence[Properties], georeference: Georeference
) -> list[Path]:
    """Writes lines (n, 2) of map coordinates with their `FIELDS` as the format that the suffix names.

    Returns the files, `path` first; a Shapefile is several. The layer of a GeoPackage is named `LAYER`: a scene's name may
    hold what no layer may. Raises `InputError` when the extra [vector] is not installed.
    """
    kind = path.suffix[1:]
    pyogrio = require_vector_extra(f"`vector`={kind}")
    with write_beside(path) as unused, tempfile.TemporaryDirectory(dir=unused.parent, prefix=".layer.") as folder:
        pyogrio.raw.write(
            Path(folder) / f"{LAYER}.{kind}",
            geometry=np.array([shapely.to_wkb(shapely.LineString(line)) for line in lines], object),
            geometry_type="LineString",
            fields=np.array([SHORT_NAMES.get(name, name) if kind == "shp" else name for name in FIELDS]),
            field_data=[np.array([p[name] for p in properties], dtype) for name, dtype in FIELDS.items()],
            crs=georeference.crs.to_wkt(),
            driver=FORMATS[kind],
        )
        others = []
        for part in sorted(Path(folder).iterdir()):
            if part.suffix != path.suffix:
                others.append(path.with_name(f"{path.stem}{part.suffix}"))
            part.replace(unused if part.suffix == path.suffix else others[-1])
    return [path, *others]


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
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if tuple(table.fieldnames or ()) != POINT_COLUMNS:
                raise ValueError(f"columns {table.fieldnames}")
            for row in table:
                lines.setdefault(row["line"], []).append((float(row["x_px"]), float(row["y_px"])))
                spacing_m = float(row["pixel_spacing_m"])
    except (OSError, ValueError, TypeError) as error:
        expected = ",".join(POINT_COLUMNS)
        raise InputError(f"{path}: not a table of front lines ({error}); expected the columns {expected}") from error
    return [np.array(line) for line in lines.values()], spacing_m
