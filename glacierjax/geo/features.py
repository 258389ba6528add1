"""Points, lines and polygons in vector files of any format and reference system, as longitude and latitude.

GeoJSON is read as it is. GeoPackage, Shapefile, FlatGeobuf, KML and GML need the extra [vector], GeoParquet needs pyarrow.
"""

import csv
import io
import json
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from rasterio.crs import CRS
from shapely.geometry import shape as geometry_from_mapping
from shapely.geometry.base import BaseGeometry

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path
from glacierjax.core.json_values import Json, parse_json
from glacierjax.geo.georeference import WGS84, crs_from_user, reproject
from glacierjax.geo.vectors import GEOJSON, require_pyarrow, require_vector_extra

log = logging.getLogger(__name__)

POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
JSON_SUFFIXES = (GEOJSON, ".json")
LAYER_SUFFIXES = (".gpkg", ".shp", ".fgb", ".kml", ".gml")
PARQUET_SUFFIXES = (".parquet", ".geoparquet")
BEYOND_EARTH = 1e9  # in any unit of a reference system
SUFFIXES = JSON_SUFFIXES + LAYER_SUFFIXES + PARQUET_SUFFIXES
_MARKS = str.maketrans("", "", "_ -")

Feature = tuple[BaseGeometry, dict[str, Any]]
"""geometry and properties"""


def is_vector_file(path: str | Path) -> bool:
    """Whether a file of this name holds features on Earth."""
    return Path(path).suffix.lower() in SUFFIXES


def plain_name(attribute: str) -> str:
    """The name of an attribute without capitals, underscores, spaces and dashes, as names of one thing differ in these alone."""
    return attribute.lower().translate(_MARKS)


def attribute_named(given: str, there: Iterable[str]) -> str | None:
    """Of attributes that are there the one of this name, else the first with the same plain name; None: there is none."""
    names = list(there)
    return given if given in names else next((name for name in names if plain_name(name) == plain_name(given)), None)


def read_shapes(path: str | Path, kinds: tuple[str, ...]) -> list[BaseGeometry]:
    """The geometries of certain kinds in a vector file, longitude and latitude; at least one."""
    found = [shape for shape, _ in read_features(path) if shape.geom_type in kinds]
    if not found:
        raise InputError(f"{path}: no {' or '.join(kinds)} in it; draw one")
    return found


def read_features(path: str | Path) -> list[Feature]:
    """(geometry in longitude and latitude, properties) of each feature of a vector file that has a geometry.

    Coordinates are in the reference system of the file: of GeoJSON WGS84 (RFC 7946), or the one that the `crs` member of
    older files names. A property without a value is None. Raises `InputError` naming the file.
    """
    path = user_path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file")
    suffix = path.suffix.lower()
    read = _read_layers if suffix in LAYER_SUFFIXES else _read_parquet if suffix in PARQUET_SUFFIXES else _read_geojson
    found = []
    for shape, properties in read(path):
        west, south, east, north = shape.bounds
        if min(west, east) < -360 or max(west, east) > 360 or south < -90 or north > 90:
            raise InputError(
                f"{path}: {west:g}, {south:g} is no longitude and latitude; save it in WGS84, or with its reference system"
            )
        found.append((shape, properties))
    return found


def read_text(path: str | Path) -> str:
    """A text file. Raises `InputError` naming it."""
    try:
        return user_path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable text file ({error})") from error


def read_table(path: str | Path) -> tuple[Sequence[str], list[dict[str, Any]]]:
    """Columns and rows of a CSV file with a line of names. Raises `InputError` naming it, and for a row with too many cells."""
    table = csv.DictReader(io.StringIO(read_text(path)))
    rows = []
    for row in table:
        if None in row:
            raise InputError(f"{path}: line {table.line_num}: more cells than columns; put text with commas in quotes")
        rows.append(row)
    return table.fieldnames or (), rows


def _read_geojson(path: Path) -> Iterator[Feature]:
    text = read_text(path)
    try:
        document = parse_json(text)
        members = document["features"] if document["type"] == "FeatureCollection" else [document]
        with np.errstate(invalid="ignore"):  # of NaN, which `_in_degrees` refuses
            there = [member for member in members if member["type"] != "Feature" or member["geometry"]]
            pairs = [_feature(member) for member in there]
        _tell_empty(path, len(members) - len(there))
        name = (document.get("crs") or {}).get("properties", {}).get("name")
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        shapely.errors.ShapelyError,
    ) as error:
        raise InputError(
            f"{path}: not a readable GeoJSON file ({type(error).__name__}: {error}); save it again"
        ) from None
    yield from _in_degrees(path, pairs, WGS84 if name is None else crs_from_user(name, str(path)))


def _feature(member: Json) -> Feature:
    """Geometry and properties of a GeoJSON feature, or of a bare geometry."""
    if member["type"] == "Feature":
        return geometry_from_mapping(member["geometry"]), dict(member.get("properties") or {})
    return geometry_from_mapping(member), {}


def _read_layers(path: Path) -> Iterator[Feature]:
    """All layers of a file that OGR reads."""
    pyogrio = require_vector_extra(str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of fields and rings that OGR mends
            layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
            tables = [pyogrio.raw.read(path, layer=name, datetime_as_string=True) for name in layers]
    except Exception as error:  # pyogrio's errors have no base class but RuntimeError, and it raises others too
        raise InputError(f"{path}: not a readable vector file ({str(error).splitlines()[0]}); save it again") from None
    for facts, _, geometries, columns in tables:
        rows = zip(*columns, strict=True) if columns else ((),) * len(geometries)
        yield from _table(
            path, facts["crs"], geometries, [dict(zip(facts["fields"], row, strict=True)) for row in rows]
        )


def _read_parquet(path: Path) -> Iterator[Feature]:
    pyarrow = require_pyarrow(str(path))
    try:
        table = pyarrow.parquet.read_table(path)
        facts = parse_json((table.schema.metadata or {})[b"geo"])
        column = facts["primary_column"]
        kind = facts["columns"][column]["encoding"]
        crs = facts["columns"][column].get("crs", "OGC:CRS84")
        rows = table.to_pylist()
        geometries = [row.pop(column) for row in rows]
    except Exception as error:  # a damaged file can end in any of pyarrow's exceptions
        raise InputError(
            f"{path}: not a readable GeoParquet file ({str(error).splitlines()[:1]}); save it again"
        ) from None
    if kind != "WKB":
        raise InputError(f"{path}: geometries encoded as {kind}; save them as WKB")
    yield from _table(path, json.dumps(crs) if isinstance(crs, dict) else crs, geometries, rows)


def _table(path: Path, crs: str | None, geometries: Sequence[bytes | None], rows: list[dict]) -> Iterator[Feature]:
    if crs is None:
        raise InputError(f"{path}: no reference system in it (a Shapefile needs its .prj); save it again with one")
    try:
        shapes = shapely.force_2d(shapely.from_wkb(list(geometries)))
    except shapely.errors.ShapelyError as error:
        raise InputError(f"{path}: a damaged geometry ({error}); save it again") from None
    pairs = zip(shapes, rows, strict=True)
    there = [(shape, {name: _plain(v) for name, v in row.items()}) for shape, row in pairs if shape is not None]
    _tell_empty(path, len(rows) - len(there))
    yield from _in_degrees(path, there, crs_from_user(crs, str(path)))


def _tell_empty(path: Path, number: int) -> None:
    if number:
        log.warning("%s: %d feature(s) without geometry left out", path, number)


def _plain(value: object) -> object:
    """A property as JSON has it; None for a missing one."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _in_degrees(path: Path, pairs: Sequence[Feature], crs: CRS) -> Iterator[Feature]:
    for shape, properties in pairs:
        shape = shapely.force_2d(shape)
        if shape.is_empty or not (np.abs(shapely.get_coordinates(shape)) < BEYOND_EARTH).all():
            raise InputError(f"{path}: a geometry without coordinates, or with some beyond the Earth; remove it")
        try:
            yield shapely.transform(shape, lambda points: reproject(points, crs, WGS84)), properties
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
