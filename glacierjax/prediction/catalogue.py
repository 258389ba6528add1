"""The results of a run as a STAC collection (stacspec.org, 1.1) with an item for each scene, all links relative.

Only what lies on the map and has a date can be an item. Of a scene only the day is known, so an item spans it.
"""

import datetime
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
import shapely

from glacierjax.core.errors import some_names
from glacierjax.core.json_values import Json
from glacierjax.geo.mosaic import georeference_of
from glacierjax.geo.registration import Footprint
from glacierjax.geo.vectors import DECIMALS
from glacierjax.prediction.records import Record
from glacierjax.prediction.stac import MEDIA_TYPES, asset_of, item_of, write_collection

log = logging.getLogger(__name__)

PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
ROLES = {"overlays": "overview", "fronts": "data", "zones": "data", "lines": "data"}  # others: metadata
TOLD = ("error_m", "error_low_m", "error_high_m", "quality", "reasons", "length_m")  # columns of a scene
WHOLE_MAP = "zones"  # every scene has it


def write_catalogue(output: Path, records: Mapping[str, Record]) -> None:
    """Writes collection.json and stac/NAME.json for the scenes with a record in a run's output; old items are removed."""
    identity = output.resolve().name or "run"
    items, left_out = {}, []
    for name, record in sorted(records.items()):
        item = _item(output, record, identity) if record.row["georeferenced"] and record.row["date"] else None
        if item is None:
            left_out.append(name)
        else:
            items[name] = item
    summary = [path.name for path in sorted(output.iterdir()) if path.suffix in MEDIA_TYPES]
    description = "Calving fronts and zones of glaciers, predicted by glacierjax."
    write_collection(output, identity, description, items, {name: asset_of(name) for name in summary})
    if left_out:
        log.warning("no STAC item, as date or map coordinates are missing: %s", some_names(left_out))


def _item(output: Path, record: Record, collection: str) -> Json | None:
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
    day = datetime.date.fromisoformat(row["date"])
    facts = {
        **({"platform": row["sensor"]} if row["sensor"] else {}),
        **system,
        "proj:shape": list(grid.shape),
        "proj:transform": list(place.transform),
        **{f"glacierjax:{name}": row[name] for name in TOLD},
    }
    assets = dict(_asset(file) for file in files)
    return item_of(row["scene"], collection, outline, (day, day), facts, assets, [PROJECTION])


def _asset(file: str) -> tuple[str, Json]:
    """Name and description of a file of a scene; lines in formats other than GeoJSON are named after their format too."""
    path = Path(file)
    kind = path.parts[0]
    key = kind if path.suffix in (".tif", ".png", ".geojson") else f"{kind}_{path.suffix[1:]}"
    return key, asset_of(f"../{file}", ROLES.get(kind, "metadata"))


def _grid_of(path: Path) -> Footprint | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
        with rasterio.open(path) as dataset:
            place = georeference_of(dataset)
            return None if place is None else Footprint(place, (dataset.height, dataset.width))
