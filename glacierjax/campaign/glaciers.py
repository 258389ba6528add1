"""The table of a campaign's glaciers: where each lies, and with which networks and rules its scenes are predicted."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import shapely

from glacierjax.core.choices import NONE
from glacierjax.core.errors import InputError
from glacierjax.core.files import is_hub_name, user_path
from glacierjax.core.seasons import NORTH, SOUTH, hemisphere_of
from glacierjax.geo.antimeridian import cut_polygons
from glacierjax.geo.areas import read_area
from glacierjax.geo.features import POLYGONS, is_vector_file, read_features, read_table
from glacierjax.geo.glacier_ids import id_field, id_text

TABLE_SUFFIX = ".csv"
AREA_COLUMN = "aoi"
DEFAULT = "default"
BETWEEN = ";"  # between the checkpoints of an ensemble
NO_REGION = "unknown"
_SAFE_ID = re.compile(r"[\w\-][\w.\- ]*")  # a name of a folder on any system


@dataclasses.dataclass(frozen=True, eq=False)
class Glacier:
    """`area` of interest, longitude (-180..180) and latitude; `rock`: a file, "none" or ""; `box`: a file or ""; `checkpoints`
    of its networks, (): those of the campaign; `region`: a group of glaciers, as of RGI."""

    id: str
    name: str
    region: str
    area: shapely.MultiPolygon
    rock: str = ""
    box: str = ""
    checkpoints: tuple[str, ...] = ()


def read_glaciers(path: str | Path, field: str = "") -> list[Glacier]:
    """The glaciers of a table: CSV with a column `aoi` of vector files, or a vector file whose polygons are the areas.

    Other columns, all but the id may be missing or empty: `name`, `region`, `rock`, `box`, `checkpoint` (several with ; between,
    "default": those of the campaign), `hemisphere` (north or south, only checked). The id is in the column `field`, "": in one
    with a usual name. Files are meant from the folder of the table. Raises `InputError` naming the table and the glacier.
    """
    path = user_path(path)
    rows = list(_rows_of_csv(path) if path.suffix.lower() == TABLE_SUFFIX else _rows_of_layer(path))
    if not rows:
        raise InputError(f"{path}: no glacier in it")
    key = id_field(rows[0][1], field, path)
    glaciers: dict[str, Glacier] = {}
    for area, row in rows:
        glacier = _glacier(path, key, area, row)
        if glacier.id.casefold() in glaciers:
            raise InputError(f"{path}: two glaciers have the id {glacier.id}; give each an id of its own")
        glaciers[glacier.id.casefold()] = glacier
    return list(glaciers.values())


def _rows_of_csv(path: Path) -> Iterator[tuple[shapely.MultiPolygon, dict[str, Any]]]:
    columns, rows = read_table(path)
    if AREA_COLUMN not in columns:
        raise InputError(f"{path}: no column {AREA_COLUMN}; give one with a vector file for each glacier")
    for number, row in enumerate(rows, 2):
        file = str(row.get(AREA_COLUMN) or "").strip()
        if not file:
            raise InputError(f"{path}: line {number}: no file in the column {AREA_COLUMN}")
        try:
            polygons = read_area(path.parent / user_path(file)).polygons if is_vector_file(file) else None
        except InputError as error:
            raise InputError(f"{path}: line {number}: {error}") from error
        if polygons is None:
            raise InputError(f"{path}: line {number}: {file}: not a vector file; an area needs polygons on Earth")
        yield polygons, row


def _rows_of_layer(path: Path) -> Iterator[tuple[shapely.MultiPolygon, dict[str, Any]]]:
    if not is_vector_file(path):
        raise InputError(f"{path}: neither {TABLE_SUFFIX} nor a vector file; give the glaciers as one of them")
    for shape, row in read_features(path):
        if shape.geom_type not in POLYGONS:
            raise InputError(f"{path}: a {shape.geom_type} in it; the areas of glaciers are polygons")
        yield cut_polygons(list(shapely.get_parts(shape))), row


def _glacier(path: Path, key: str, area: shapely.MultiPolygon, row: Mapping[str, Any]) -> Glacier:
    identity = id_text(row.get(key)).strip()
    if not _SAFE_ID.fullmatch(identity):
        raise InputError(
            f"{path}: {identity!r} cannot be the id of a glacier, which names a folder; use letters, digits, - and _"
        )

    def text(column: str) -> str:
        return str(row.get(column) or "").strip()

    def file(value: str) -> str:
        found = (path.parent / user_path(value)).absolute()
        if not found.exists():
            raise InputError(f"{path}: glacier {identity}: {found}: no such file")
        return str(found)

    stated, latitude = text("hemisphere").lower(), shapely.centroid(area).y
    if stated and stated not in (NORTH, SOUTH):
        raise InputError(f"{path}: glacier {identity}: hemisphere {stated!r}; write {NORTH} or {SOUTH}")
    if stated and stated != hemisphere_of(None, latitude):
        raise InputError(
            f"{path}: glacier {identity}: its hemisphere is {stated}, but its area lies at latitude {latitude:.2f}; correct one"
        )
    checkpoints = [one.strip() for one in text("checkpoint").split(BETWEEN)]
    return Glacier(
        identity,
        text("name") or identity,
        text("region") or NO_REGION,
        area,
        text("rock") if text("rock") in ("", NONE) else file(text("rock")),
        text("box") and file(text("box")),
        tuple(one if is_hub_name(one) else file(one) for one in checkpoints if one not in ("", DEFAULT)),
    )
