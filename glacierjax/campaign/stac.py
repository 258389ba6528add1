"""A campaign's results as a STAC collection with an item for each glacier (`glacierjax.prediction.stac`)."""

from collections.abc import Sequence
from pathlib import Path

from glacierjax.campaign.glaciers import Glacier
from glacierjax.campaign.settings import GLACIERS
from glacierjax.core.json_values import Json
from glacierjax.prediction.stac import asset_of, item_of, write_collection
from glacierjax.reports.overview import GlacierFacts

IDENTITY, TITLE = "calving-fronts", "Calving fronts of glaciers"
DESCRIPTION = "Calving fronts that glacierjax found, with their verdicts; an item for each glacier."


def write_catalogue(
    output: Path,
    glaciers: Sequence[Glacier],
    facts: Sequence[GlacierFacts],
    files: Sequence[Sequence[str]],
    fronts: Sequence[str],
) -> None:
    """Writes collection.json and stac/ID.json of each glacier that has dated fronts; items of an earlier time are removed.

    `files`: of the folder of each glacier; `fronts`: the GeoParquet files, from the output.
    """
    items = {}
    for glacier, found, names in zip(glaciers, facts, files, strict=True):
        if found.first is not None and found.last is not None:
            properties: Json = {
                "title": glacier.name,
                "region": glacier.region,
                "scenes": found.scenes,
                "fronts": found.fronts,
                "doubtful": found.doubtful,
                "rejected": found.rejected,
            }
            assets = {Path(name).stem: asset_of(f"../{GLACIERS}/{glacier.id}/{name}") for name in names}
            days = (found.first, found.last)
            items[glacier.id] = item_of(glacier.id, IDENTITY, glacier.area, days, properties, assets)
    write_collection(output, IDENTITY, DESCRIPTION, items, {name: asset_of(name) for name in fronts}, title=TITLE)
