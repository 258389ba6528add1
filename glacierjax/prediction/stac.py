"""Builds and writes STAC items and collections (stacspec.org, 1.1), for single runs and campaigns; all links are relative."""

import datetime
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import numpy as np
import shapely
from shapely.geometry import mapping

from glacierjax.core.files import write_text
from glacierjax.core.json_values import Json
from glacierjax.geo.antimeridian import HALF_TURN_DEG

COLLECTION, ITEMS = "collection.json", "stac"  # a file and a folder
VERSION = "1.1.0"
JSON = "application/json"
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
WHOLE_EARTH = [-180.0, -90.0, 180.0, 90.0]


def item_of(
    identity: str,
    collection: str,
    outline: shapely.MultiPolygon,
    days: tuple[datetime.date, datetime.date],
    properties: Json,
    assets: Mapping[str, Json],
    extensions: Iterable[str] = (),
) -> Json:
    """An item of the collection of that name.

    `outline`: longitude (-180..180) and latitude, in parts at 180 degrees; `days`: the first and the last that it shows, both
    whole; `assets`: as `asset_of` makes them.
    """
    first, last = map(moments_of, days)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [*extensions],
        "id": identity,
        "collection": collection,
        "geometry": mapping(outline if len(outline.geoms) > 1 else outline.geoms[0]),
        "bbox": bounds_of(outline),
        "properties": {
            "datetime": first[0] if first == last else None,
            "start_datetime": first[0],
            "end_datetime": last[1],
            **properties,
        },
        "assets": assets,
        "links": [_link(relation, f"../{COLLECTION}") for relation in ("root", "parent", "collection")],
    }


def asset_of(file: str, role: str = "data", **more: str) -> Json:
    """A file of an item or of the collection. `file`: its path from the folder of the JSON file, such as ../zones/A.tif."""
    return {"href": href_of(file), "type": MEDIA_TYPES[PurePosixPath(file).suffix], "roles": [role], **more}


def write_collection(
    folder: Path, identity: str, description: str, items: Mapping[str, Json], assets: Mapping[str, Json], **more: str
) -> None:
    """Writes the collection into a folder, and its items, by name, into stac/; items of an earlier time are removed.

    A collection without items is valid too; it shows the whole Earth at no time that is known.
    """
    names = {f"{name}.json" for name in items}
    for old in (folder / ITEMS).glob("*.json"):
        if old.name not in names:
            old.unlink()
    for name, item in items.items():
        write_text(folder / ITEMS / f"{name}.json", _text(item))
    links = [_link("root", COLLECTION)]
    for name, item in items.items():
        title = {"title": item["properties"]["title"]} if "title" in item["properties"] else {}
        links.append(_link("item", f"{ITEMS}/{name}.json", MEDIA_TYPES[".geojson"]) | title)
    collection = {
        "type": "Collection",
        "stac_version": VERSION,
        "id": identity,
        **more,
        "description": description,
        "license": "other",
        "extent": _extent([*items.values()]),
        "links": links,
        "assets": assets,
    }
    write_text(folder / COLLECTION, _text(collection))


def moments_of(day: datetime.date) -> tuple[str, str]:
    """The first and the last second of a day."""
    return f"{day.isoformat()}T00:00:00Z", f"{day.isoformat()}T23:59:59Z"


def href_of(file: str) -> str:
    """A relative path as a link: names may hold spaces, # and %."""
    return quote(file if file.startswith(".") else f"./{file}", safe="/=")


def bounds_of(outline: shapely.MultiPolygon) -> list[float]:
    """west, south, east, north; west is the greater one of an outline in two parts, across 180 degrees (RFC 7946)."""
    west, south, east, north = outline.bounds
    parts = [part.bounds for part in outline.geoms]
    if len(parts) > 1 and east - west > HALF_TURN_DEG:
        west = min(bounds[0] for bounds in parts if bounds[0] >= 0)
        east = max(bounds[2] for bounds in parts if bounds[0] < 0)
    return [west, south, east, north]


def _extent(items: list[Json]) -> Json:
    """Around all items, then each of them."""
    boxes = [item["bbox"] for item in items]
    whole = WHOLE_EARTH
    if boxes and all(west <= east for west, _, east, _ in boxes):  # none lies across 180 degrees
        whole = [*np.min(boxes, 0)[:2].tolist(), *np.max(boxes, 0)[2:].tolist()]
    starts = [item["properties"]["start_datetime"] for item in items]
    ends = [item["properties"]["end_datetime"] for item in items]
    return {
        "spatial": {"bbox": [whole, *(boxes if len(boxes) > 1 else [])]},
        "temporal": {"interval": [[min(starts, default=None), max(ends, default=None)]]},
    }


def _link(relation: str, file: str, media: str = JSON) -> Json:
    return {"rel": relation, "href": href_of(file), "type": media}


def _text(document: Json) -> str:
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
