"""Writes the products of a campaign: tables and monthly fronts of each glacier, GeoParquet, STAC collection, overview page."""

import contextlib
import dataclasses
import datetime
import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import shapely

from glacierjax.campaign.glaciers import Glacier
from glacierjax.campaign.journal import NOTHING, History
from glacierjax.campaign.monthly import FEW_DATES, LINKED, LISTED, MonthlyFronts, forget_monthly, make_monthly
from glacierjax.campaign.results import remove_earlier_names
from glacierjax.campaign.settings import GLACIERS
from glacierjax.campaign.stac import write_catalogue
from glacierjax.campaign.tasks import Plan
from glacierjax.campaign.work import is_disk
from glacierjax.core.cli import reason_for
from glacierjax.core.errors import SHOWN_REASONS, some_names
from glacierjax.core.files import write_beside, write_text
from glacierjax.core.progress import track
from glacierjax.core.version import version
from glacierjax.fronts.verdict import DOUBTFUL, REJECT
from glacierjax.geo.georeference import WGS84
from glacierjax.geo.run_layer import read_run
from glacierjax.geo.vectors import geo_table, require_pyarrow
from glacierjax.prediction.folder import ALL_FRONTS, write_summary
from glacierjax.prediction.records import current_records, read_records
from glacierjax.reports.overview import GlacierFacts, overview_text
from glacierjax.terminus.compose import CompositeOptions
from glacierjax.terminus.front_files import SCENES_TABLE

log = logging.getLogger(__name__)

FRONTS, FILE = "fronts", "fronts.parquet"
OVERVIEW = "overview.html"
NO_YEAR = "__HIVE_DEFAULT_PARTITION__"  # what programs read as no value
PARTITION_COLUMN = "Year"  # stands in the name of the folder instead


def write_products(
    plan: Plan, output: Path, histories: Mapping[str, History], composites: CompositeOptions
) -> list[str]:
    """Writes the products of all glaciers of a plan that have results; those of an earlier run are replaced.

    Returns what is wrong with glaciers whose results cannot be put together; they are left out of what is made of the lines.

    glaciers/ID/scenes.csv, fronts.geojson and fronts.qml as `predict` writes them; fronts/region=R/year=Y/fronts.parquet;
    glaciers/ID/series and composites, these as `composites` chooses; collection.json (STAC) with an item a glacier in stac;
    overview.html.
    """
    missing: Counter[str] = Counter()
    names: dict[str, set[str]] = {}
    for glacier, name, digest in zip(*map(plan.column, ("glacier", "name", "digest")), strict=True):
        missing[glacier] += not histories.get(digest, NOTHING).done
        names.setdefault(glacier, set()).add(name)
    facts, glaciers, broken = [], [], {}
    with contextlib.ExitStack() as stack:
        writers: dict[Path, Any] = {}
        for identity in track(plan.rows, len(plan.rows), "glaciers put together"):
            folder, records = output / GLACIERS / identity, {}
            with _noting(identity, broken):
                glaciers.append(plan.glacier(identity))
            if identity in broken:  # a damaged area
                continue
            with _noting(identity, broken):
                records = remove_earlier_names(folder, read_records(folder), names.get(identity, set()))
                records = current_records(folder, records)
                if records:
                    write_summary(folder, records, plan.settings.vector)
                    _add_fronts(glaciers[-1], folder / ALL_FRONTS, output, writers, stack)
            rows = [record.row for record in records.values()]
            facts.append(_facts(glaciers[-1], rows, missing[identity]))
    kept = set(writers)
    for path in (output / FRONTS).glob(f"*/*/{FILE}"):
        if path not in kept:
            path.unlink()
    files = []
    for number, glacier in enumerate(track(glaciers, len(glaciers), "monthly fronts")):
        made = (
            MonthlyFronts(problem=broken[glacier.id])
            if glacier.id in broken
            else _monthly(glacier, facts[number], output, composites)
        )
        links = [(text, f"{GLACIERS}/{glacier.id}/{name}") for text, name in LINKED.items() if name in made.files]
        facts[number] = dataclasses.replace(
            facts[number], months=made.months, gaps=made.gaps, links=tuple(links), problem=made.problem
        )
        always = [] if glacier.id in broken else [SCENES_TABLE, ALL_FRONTS]
        files.append([*always, *(name for name in LISTED if name in made.files)])
    _tell_problems(facts, output)
    fronts = sorted(path.relative_to(output).as_posix() for path in kept)
    write_catalogue(output, glaciers, facts, files, fronts)
    if facts:
        write_text(output / OVERVIEW, overview_text(facts, "Calving fronts of all glaciers", version()))
    else:
        (output / OVERVIEW).unlink(missing_ok=True)  # the area of no glacier can be read
    log.info("%d fronts of %d glaciers: %s", sum(one.fronts for one in facts), len(facts), output / OVERVIEW)
    return [f"glacier {name}: {problem}" for name, problem in broken.items()]


@contextlib.contextmanager
def _noting(glacier: str, broken: dict[str, str]) -> Iterator[None]:
    """What goes wrong with a glacier stops no other. Raises what is a full disk."""
    try:
        yield
    except Exception as error:
        if is_disk(error):
            raise
        broken[glacier] = reason_for(error)


def _tell_problems(facts: Sequence[GlacierFacts], output: Path) -> None:
    """Names the glaciers without monthly fronts or masks, one line a reason."""
    by_reason: dict[str, list[str]] = {}
    for one in facts:
        if one.problem:
            by_reason.setdefault(one.problem, []).append(one.id)
    for reason, names in list(by_reason.items())[:SHOWN_REASONS]:
        log.warning("monthly fronts of %s: %s", some_names(names), reason)
    if len(by_reason) > SHOWN_REASONS:
        log.warning("%d more reasons in %s", len(by_reason) - SHOWN_REASONS, output / OVERVIEW)


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
    parquet = require_pyarrow(FILE).parquet
    by_year: dict[int | None, list[tuple[shapely.MultiLineString, dict]]] = {}
    for line, values in zip(lines, properties, strict=True):
        named = {**values, "glacier": values["glacier"] or glacier.name, "GlacierID": glacier.id}
        by_year.setdefault(values["Year"], []).append((line, named))
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
