"""The results of a run as a STAC collection (stacspec.org, 1.1) with an item for each scene, all links relative.

Only what lies on the map and has a date can be an item. Of a scene only the day is known, so an item spans it.
"""

import json
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
import shapely
from shapely.geometry import mapping

from glacierjax.core.errors import some_names
from glacierjax.core.files import Json, write_text
from glacierjax.geo.antimeridian import HALF_TURN_DEG
from glacierjax.geo.mosaic import georeference_of
from glacierjax.geo.registration import Footprint
from glacierjax.geo.vectors import DECIMALS
from glacierjax.prediction.records import Record

log = logging.getLogger(__name__)

COLLECTION, ITEMS = "collection.json", "stac"  # a file and a folder of the output
VERSION = "1.1.0"
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
MEDIA_TYPES = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".png": "image/png",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".shp": "application/vnd.shp",
    ".parquet": "application/vnd.apache.parquet",
    ".csv": "text/csv",
    ".nc": "application/netcdf",
}
ROLES = {"overlays": "overview", "fronts": "data", "zones": "data", "lines": "data"}  # others: metadata
TOLD = ("error_m", "error_low_m", "error_high_m", "quality", "reasons", "length_m")  # columns of a scene
WHOLE_MAP = "zones"  # every scene has it


def write_catalogue(output: Path, records: Mapping[str, Record]) -> None:
    """Writes collection.json and stac/NAME.json for the scenes with a record in a run's output; old items are removed."""
    items, left_out = {}, []
    for name, record in sorted(records.items()):
        item = _item(output, record) if record.row["georeferenced"] and record.row["date"] else None
        if item is None:
            left_out.append(name)
        else:
            items[name] = item
    for old in (output / ITEMS).glob("*.json"):
        if old.stem not in items:
            old.unlink()
    for name, item in items.items():
        write_text(output / ITEMS / f"{name}.json", _text(item))
    write_text(output / COLLECTION, _text(_collection(output, items)))
    if left_out:
        log.warning("no STAC item, as date or map coordinates are missing: %s", some_names(left_out))


def _item(output: Path, record: Record) -> Json | None:
    """The item of a scene; None if its zones are not there."""
    row = record.row
    files = [file for file in record.files if Path(file).suffix in MEDIA_TYPES]
    whole = next((output / file for file in files if file.startswith(f"{WHOLE_MAP}/")), None)
    if whole is None or not whole.is_file():
        return None
    grid = _grid_of(whole)
    if grid is None:
        return None
    place = grid.place
    outline = shapely.orient_polygons(shapely.transform(grid.on_earth(), lambda points: np.round(points, DECIMALS)))
    code = place.crs.to_epsg()
    system: Json = (
        {"proj:code": f"EPSG:{code}"}
        if code
        else {"proj:code": None, "proj:projjson": place.crs.to_dict(projjson=True)}
    )
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [PROJECTION],
        "id": row["scene"],
        "collection": _identifier(output),
        "geometry": mapping(outline if len(outline.geoms) > 1 else outline.geoms[0]),
        "bbox": bounds_of(outline),
        "properties": {
            "datetime": f"{row['date']}T00:00:00Z",
            "start_datetime": f"{row['date']}T00:00:00Z",
            "end_datetime": f"{row['date']}T23:59:59Z",
            **({"platform": row["sensor"]} if row["sensor"] else {}),
            **system,
            "proj:shape": list(grid.shape),
            "proj:transform": list(place.transform),
            **{f"glacierjax:{name}": row[name] for name in TOLD},
        },
        "assets": dict(_asset(file) for file in files),
        "links": [
            {"rel": rel, "href": f"../{COLLECTION}", "type": "application/json"}
            for rel in ("root", "parent", "collection")
        ],
    }


def _collection(output: Path, items: Mapping[str, Json]) -> Json:
    boxes = [item["bbox"] for item in items.values()]
    days = sorted(item["properties"]["datetime"] for item in items.values())
    whole = [-180.0, -90.0, 180.0, 90.0]
    if boxes and all(west <= east for west, _, east, _ in boxes):
        whole = [*np.min(boxes, 0)[:2].tolist(), *np.max(boxes, 0)[2:].tolist()]
    summary = [path for path in sorted(output.iterdir()) if path.suffix in MEDIA_TYPES]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "id": _identifier(output),
        "description": "Calving fronts and zones of glaciers, predicted by glacierjax.",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [whole, *(boxes if len(boxes) > 1 else [])]},
            "temporal": {
                "interval": [[days[0], days[-1].replace("T00:00:00Z", "T23:59:59Z")] if days else [None, None]]
            },
        },
        "assets": {path.name: _about(path.name, path.suffix, "data") for path in summary},
        "links": [
            {"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"},
            *({"rel": "item", "href": f"./{ITEMS}/{name}.json", "type": "application/geo+json"} for name in items),
        ],
    }


def _asset(file: str) -> tuple[str, Json]:
    """Name and description of a file of a scene; lines in formats other than GeoJSON are named after their format too."""
    path = Path(file)
    kind = path.parts[0]
    key = kind if path.suffix in (".tif", ".png", ".geojson") else f"{kind}_{path.suffix[1:]}"
    return key, _about(f"../{file}", path.suffix, ROLES.get(kind, "metadata"))


def _about(href: str, suffix: str, role: str) -> Json:
    return {"href": href if href.startswith(".") else f"./{href}", "type": MEDIA_TYPES[suffix], "roles": [role]}


def _grid_of(path: Path) -> Footprint | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
        with rasterio.open(path) as dataset:
            place = georeference_of(dataset)
            return None if place is None else Footprint(place, (dataset.height, dataset.width))


def bounds_of(outline: shapely.MultiPolygon) -> list[float]:
    """west, south, east, north; west is the greater one of an outline in two parts, across 180 degrees (RFC 7946)."""
    west, south, east, north = outline.bounds
    parts = [part.bounds for part in outline.geoms]
    if len(parts) > 1 and east - west > HALF_TURN_DEG:
        west = min(bounds[0] for bounds in parts if bounds[0] >= 0)
        east = max(bounds[2] for bounds in parts if bounds[0] < 0)
    return [west, south, east, north]


def _identifier(output: Path) -> str:
    return output.resolve().name or "run"


def _text(document: Json) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
