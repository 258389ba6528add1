"""What a campaign gives: tables and monthly fronts of each glacier, all fronts as GeoParquet, a STAC collection, an overview."""

import contextlib
import dataclasses
import datetime
import itertools
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import shapely

from glacierjax.campaign.glaciers import Glacier
from glacierjax.campaign.journal import History
from glacierjax.campaign.monthly import FEW_DATES, LINKED, LISTED, MonthlyFronts, forget_monthly, make_monthly
from glacierjax.campaign.settings import GLACIERS
from glacierjax.campaign.stac import write_collection
from glacierjax.campaign.tasks import Plan
from glacierjax.core.errors import some_names
from glacierjax.core.files import write_beside, write_text
from glacierjax.core.progress import track
from glacierjax.core.version import version
from glacierjax.fronts.verdict import DOUBTFUL, REJECT
from glacierjax.geo.georeference import WGS84
from glacierjax.geo.run_layer import read_run
from glacierjax.geo.vectors import geo_table, require_pyarrow
from glacierjax.prediction.folder import ALL_FRONTS, TABLE, write_summary
from glacierjax.prediction.records import RECORDS, read_records
from glacierjax.reports.overview import GlacierFacts, overview_text
from glacierjax.terminus.compose import CompositeOptions

log = logging.getLogger(__name__)

FRONTS, FILE = "fronts", "fronts.parquet"
OVERVIEW = "overview.html"
NO_YEAR = "__HIVE_DEFAULT_PARTITION__"  # what programs read as no value
PARTITION_COLUMN = "Year"  # stands in the name of the folder instead
SHOWN_PROBLEMS = 10  # all of them are in the overview


def write_products(plan: Plan, output: Path, histories: Mapping[str, History], composites: CompositeOptions) -> None:
    """Writes the products of all glaciers of a plan that have results; those of an earlier run are replaced.

    glaciers/ID/scenes.csv, fronts.geojson and fronts.qml as `predict` writes them; fronts/region=R/year=Y/fronts.parquet;
    glaciers/ID/series and composites, these as `composites` chooses; stac/collection.json with an item a glacier;
    overview.html.
    """
    missing: Counter[str] = Counter()
    for name, digest in zip(plan.column("glacier"), plan.column("digest"), strict=True):
        history = histories.get(digest)
        missing[name] += history is None or not history.done
    facts, glaciers = [], []
    with contextlib.ExitStack() as stack:
        writers: dict[Path, Any] = {}
        for identity in track(plan.rows, len(plan.rows), "glaciers put together"):
            glacier, folder = plan.glacier(identity), output / GLACIERS / identity
            rows = []
            if (folder / RECORDS).is_dir():
                write_summary(folder, plan.settings.vector)
                rows = [record.row for record in read_records(folder).values()]
                _add_fronts(glacier, folder / ALL_FRONTS, output, writers, stack)
            facts.append(_facts(glacier, rows, missing[identity]))
            glaciers.append(glacier)
    kept = set(writers)
    for path in (output / FRONTS).glob(f"*/*/{FILE}"):
        if path not in kept:
            path.unlink()
    files = []
    for number, glacier in enumerate(track(glaciers, len(glaciers), "monthly fronts")):
        made = _monthly(glacier, facts[number], output, composites)
        links = [(text, f"{GLACIERS}/{glacier.id}/{name}") for text, name in LINKED.items() if name in made.files]
        facts[number] = dataclasses.replace(
            facts[number], months=made.months, gaps=made.gaps, links=tuple(links), problem=made.problem
        )
        files.append([TABLE, ALL_FRONTS, *(name for name in LISTED if name in made.files)])
    _tell_problems(facts, output)
    write_collection(output, glaciers, facts, files, FRONTS)
    write_text(output / OVERVIEW, overview_text(facts, "Calving fronts of all glaciers", version()))
    log.info("%d fronts of %d glaciers: %s", sum(one.fronts for one in facts), len(facts), output / OVERVIEW)


def _tell_problems(facts: Sequence[GlacierFacts], output: Path) -> None:
    """Names the glaciers without monthly fronts or masks, one line a reason."""
    by_reason: dict[str, list[str]] = {}
    for one in facts:
        if one.problem:
            by_reason.setdefault(one.problem, []).append(one.id)
    for reason, names in list(by_reason.items())[:SHOWN_PROBLEMS]:
        log.warning("monthly fronts of %s: %s", some_names(names), reason)
    if len(by_reason) > SHOWN_PROBLEMS:
        log.warning("%d more reasons in %s", len(by_reason) - SHOWN_PROBLEMS, output / OVERVIEW)


def _monthly(glacier: Glacier, found: GlacierFacts, output: Path, options: CompositeOptions) -> MonthlyFronts:
    """The monthly fronts of a glacier; of one without results there is nothing to tell."""
    folder = output / GLACIERS / glacier.id
    if not found.scenes:
        return MonthlyFronts()
    if found.first == found.last:
        forget_monthly(folder)
        return MonthlyFronts(problem=FEW_DATES)
    return make_monthly(glacier, folder, options)


def _add_fronts(
    glacier: Glacier, collection: Path, output: Path, writers: dict[Path, Any], stack: contextlib.ExitStack
) -> None:
    """Adds the lines of a glacier to the Parquet files of its region, one row group a glacier and year."""
    if not collection.is_file():
        return
    lines, properties = read_run(collection)
    by_year: dict[int | None, list[tuple[shapely.MultiLineString, dict]]] = {}
    for line, values in zip(lines, properties, strict=True):
        named = {**values, "glacier": values["glacier"] or glacier.name, "GlacierID": glacier.id}
        by_year.setdefault(values["Year"], []).append((line, named))
    parquet = require_pyarrow(FILE).parquet
    for year, members in by_year.items():
        shapes, columns = [line for line, _ in members], [values for _, values in members]
        table = geo_table(shapes, columns, WGS84, "MultiLineString").drop_columns([PARTITION_COLUMN])
        region = quote(glacier.region, safe=" ")
        path = output / FRONTS / f"region={region}" / f"year={NO_YEAR if year is None else year}" / FILE
        if path not in writers:
            temporary = stack.enter_context(write_beside(path))
            writers[path] = stack.enter_context(parquet.ParquetWriter(temporary, table.schema))
        writers[path].write_table(table)


def _facts(glacier: Glacier, rows: Sequence[Mapping[str, Any]], without_result: int) -> GlacierFacts:
    """What the rows of a glacier's table say together."""
    middle = shapely.point_on_surface(max(glacier.area.geoms, key=lambda part: part.area))
    with_front = [row for row in rows if row["front_lines"]]
    quality = Counter(row["quality"] for row in with_front)
    usable = sorted(
        datetime.date.fromisoformat(row["date"]) for row in with_front if row["date"] and row["quality"] != REJECT
    )
    gaps = [(after - before).days for before, after in itertools.pairwise(usable)]
    return GlacierFacts(
        glacier.id,
        glacier.name,
        glacier.region,
        middle.x,
        middle.y,
        len(rows),
        len(with_front),
        quality[DOUBTFUL],
        quality[REJECT],
        usable[0] if usable else None,
        usable[-1] if usable else None,
        max(gaps, default=None),
        without_result,
    )
