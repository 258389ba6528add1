"""A campaign's results as a STAC collection (stacspec.org, 1.1) with an item for each glacier, all links relative."""

import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely.geometry

from glacierjax.campaign.glaciers import Glacier
from glacierjax.campaign.settings import GLACIERS
from glacierjax.core.files import Json, write_text
from glacierjax.prediction.catalogue import COLLECTION, MEDIA_TYPES, VERSION, bounds_of
from glacierjax.reports.overview import GlacierFacts

STAC = "stac"  # folder in the output
IDENTITY = "calving-fronts"
_JSON = "application/json"


def write_collection(
    output: Path,
    glaciers: Sequence[Glacier],
    facts: Sequence[GlacierFacts],
    files: Sequence[Sequence[str]],
    fronts: str,
) -> None:
    """Writes stac/collection.json and stac/ID.json of each glacier that has dated fronts; items of an earlier time are removed.

    `files`: of the folder of each glacier; `fronts`: folder of the GeoParquet files. Links are relative, so that all can be
    moved.
    """
    items = {}
    for glacier, found, names in zip(glaciers, facts, files, strict=True):
        if found.first is not None and found.last is not None:
            items[f"{glacier.id}.json"] = _item(glacier, found, [_moment(found.first), _moment(found.last)], names)
    folder = output / STAC
    for name, item in items.items():
        write_text(folder / name, json.dumps(item, indent=1) + "\n")
    for path in folder.glob("*.json"):
        if path.name not in items and path.name != COLLECTION:
            path.unlink()
    if not items:
        return
    whole = [-180.0, -90.0, 180.0, 90.0]
    boxes = [item["bbox"] for item in items.values()]
    if all(west <= east for west, _, east, _ in boxes):  # none lies across 180 degrees
        whole = [*np.min(boxes, 0)[:2].tolist(), *np.max(boxes, 0)[2:].tolist()]
    starts = [item["properties"]["start_datetime"] for item in items.values()]
    ends = [item["properties"]["end_datetime"] for item in items.values()]
    collection = {
        "type": "Collection",
        "stac_version": VERSION,
        "id": IDENTITY,
        "title": "Calving fronts of glaciers",
        "description": "Calving fronts that glacierjax found, with their verdicts; an item for each glacier.",
        "license": "other",
        "extent": {"spatial": {"bbox": [whole]}, "temporal": {"interval": [[min(starts), max(ends)]]}},
        "links": [
            _link("root", COLLECTION),
            *(
                {**_link("item", name, MEDIA_TYPES[".geojson"]), "title": item["properties"]["title"]}
                for name, item in items.items()
            ),
        ],
        "assets": {
            fronts: {"href": f"../{fronts}", "type": MEDIA_TYPES[".parquet"], "title": "All fronts", "roles": ["data"]}
        },
    }
    write_text(folder / COLLECTION, json.dumps(collection, indent=1) + "\n")


def _item(glacier: Glacier, found: GlacierFacts, moments: Sequence[str], files: Sequence[str]) -> Json:
    place: Any = shapely.geometry.mapping(glacier.area)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "id": glacier.id,
        "collection": IDENTITY,
        "geometry": json.loads(json.dumps(place)),
        "bbox": bounds_of(glacier.area),
        "properties": {
            "title": glacier.name,
            "datetime": None,
            "start_datetime": moments[0],
            "end_datetime": moments[1],
            "region": glacier.region,
            "scenes": found.scenes,
            "fronts": found.fronts,
            "doubtful": found.doubtful,
            "rejected": found.rejected,
        },
        "links": [_link("root", COLLECTION), _link("parent", COLLECTION), _link("collection", COLLECTION)],
        "assets": {
            Path(name).stem: {
                "href": f"../{GLACIERS}/{glacier.id}/{name}",
                "type": MEDIA_TYPES[Path(name).suffix],
                "roles": ["data"],
            }
            for name in files
        },
    }


def _link(relation: str, name: str, media: str = _JSON) -> Json:
    return {"rel": relation, "href": f"./{name}", "type": media}


def _moment(day: datetime.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
