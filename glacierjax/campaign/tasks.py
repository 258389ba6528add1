"""The tasks of a campaign, and the folder of a plan. A task is a glacier with one scene; for networks of series, with all."""

import csv
import dataclasses
import datetime
import functools
import importlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glacierjax.campaign.glaciers import Glacier
from glacierjax.campaign.scenes import Skipped
from glacierjax.campaign.settings import CampaignSettings
from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path, write_text
from glacierjax.core.json_values import Json, digest_of_json, parse_json, read_json
from glacierjax.core.scene_names import NameFacts
from glacierjax.core.version import version
from glacierjax.geo.areas import read_area
from glacierjax.geo.sources import MaskLayer, Source, Tile
from glacierjax.geo.vectors import polygon_feature, require_pyarrow, write_geojson
from glacierjax.prediction.records import states_of

PLAN, TASKS, SKIPPED, AREAS = "plan.json", "tasks.parquet", "skipped.csv", "areas"
NO_PIXELS = 0  # of a task whose pixel spacing is not known


@dataclasses.dataclass(frozen=True)
class Task:
    """`digest`: of all that decides the result; `name` of its scene, "": of the glacier's series; `covered`: share of the area
    that the scene covers (of a series its mean); `pixels` that the networks see."""

    digest: str
    glacier: str
    name: str
    date: datetime.date | None
    covered: float
    pixels: int
    sources: tuple[Source, ...]

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.glacier}/{self.name or f'series of {len(self.sources)}'}"


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """A plan in its `folder`. `digests`: of each glacier's batch (`glacierjax.campaign.settings.digest_of`).

    `table` of the tasks and `rows` of the glaciers: one at a time is made a `Task` or a `Glacier`.
    """

    folder: Path
    settings: CampaignSettings
    digests: dict[str, str]
    table: Any
    rows: dict[str, Json]

    def __len__(self) -> int:
        return self.table.num_rows

    def task(self, number: int) -> Task:
        """Raises `IndexError` for a number that no task has."""
        row = self.table.slice(number, 1).to_pylist()[0]
        return Task(**{**row, "sources": tuple(map(_source, parse_json(row["sources"])))})

    def glacier(self, identity: str) -> Glacier:
        """Raises `InputError` naming the file of its area if that cannot be read."""
        row = self.rows[identity]
        polygons = read_area(self.area_file(identity)).polygons
        assert polygons is not None, "areas are written as polygons"
        return Glacier(**{**row, "area": polygons, "checkpoints": tuple(row["checkpoints"])})

    def column(self, name: str) -> list[Any]:
        return self.table.column(name).to_pylist()

    def area_file(self, glacier: str) -> Path:
        return area_file(self.folder, glacier)

    def sources_of(self, glacier: str) -> list[Source]:
        """All sources of a glacier."""
        compute = importlib.import_module("pyarrow.compute")
        rows = self.table.filter(compute.equal(self.table.column("glacier"), glacier)).column("sources").to_pylist()
        return [_source(source) for row in rows for source in parse_json(row)]


def area_file(folder: Path, glacier: str) -> Path:
    return folder / AREAS / f"{glacier}.geojson"


def digest_of_task(batch_digest: str, name: str, sources: Sequence[Source]) -> str:
    """Another one where another result may come out: other settings, networks or area, another file or a changed one.

    With the name "": of files that all tasks of a glacier depend on, to be taken as their `batch_digest`.
    """
    states = [(s.size_bytes, s.modified_ns) for source in sources for s in states_of(source, Path())]
    facts = [batch_digest, name, [source.paths for source in sources], states]
    return digest_of_json(facts)


def write_areas(folder: Path, glaciers: Sequence[Glacier]) -> None:
    """A file for each glacier's area, which `predict` takes as --aoi and --glaciers."""
    for glacier in glaciers:
        facts = {"id": glacier.id, "name": glacier.name}
        write_geojson(area_file(folder, glacier.id), [polygon_feature(part, facts) for part in glacier.area.geoms])


def write_tasks(
    folder: Path,
    settings: CampaignSettings,
    glaciers: Sequence[Glacier],
    digests: Mapping[str, str],
    tasks: Sequence[Task],
    skipped: Sequence[Skipped],
    summary: Json,
) -> None:
    """Writes a plan into a folder that has the areas of its glaciers."""
    pyarrow = require_pyarrow("plan")
    rows = {field.name: [getattr(task, field.name) for task in tasks] for field in dataclasses.fields(Task)}
    rows["sources"] = [_sources_text(task.sources) for task in tasks]
    pyarrow.parquet.write_table(pyarrow.table(rows, schema=_schema(pyarrow)), folder / TASKS)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([Skipped._fields, *skipped])
    write_text(folder / SKIPPED, text.getvalue())
    content = {
        "version": version(),
        "summary": summary,
        "settings": settings.to_json(),
        "glaciers": [{**_facts(glacier), "digest": digests[glacier.id]} for glacier in glaciers],
    }
    write_text(folder / PLAN, json.dumps(content, indent=1) + "\n")


def read_plan(folder: str | Path) -> Plan:
    """The plan in a folder. Raises `InputError` naming the file that cannot be read."""
    folder = user_path(folder).absolute()
    pyarrow = require_pyarrow("plan")
    try:
        content = read_json(folder / PLAN)
        table = pyarrow.parquet.read_table(folder / TASKS)
        digests = {row["id"]: row.pop("digest") for row in content["glaciers"]}
        rows = {row["id"]: row for row in content["glaciers"]}
        settings = CampaignSettings.from_json(content["settings"])
        if table.schema != _schema(pyarrow):
            raise ValueError("the columns of the tasks are those of another version")
    except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowException) as error:
        raise InputError(
            f"{folder}: not a readable plan ({type(error).__name__}: {error}); make one with glacierjax plan"
        ) from None
    return Plan(folder, settings, digests, table, rows)


def _schema(pyarrow: Any) -> Any:
    kinds = {
        "digest": pyarrow.string(),
        "glacier": pyarrow.string(),
        "name": pyarrow.string(),
        "date": pyarrow.date32(),
        "covered": pyarrow.float64(),
        "pixels": pyarrow.int64(),
        "sources": pyarrow.string(),
    }
    return pyarrow.schema(list(kinds.items()))


def _facts(glacier: Glacier) -> Json:
    names = ("id", "name", "region", "rock", "box", "checkpoints")
    return {name: getattr(glacier, name) for name in names}


def _sources_text(sources: Sequence[Source]) -> str:
    return json.dumps([_source_json(source) for source in sources], separators=(",", ":"))


def _source_json(source: Source) -> Json:
    facts = {name: value for name, value in vars(source.facts).items() if value is not None}
    if source.facts.date is not None:
        facts["date"] = source.facts.date.isoformat()
    tiles = [[tile.path, *([dataclasses.asdict(tile.mask)] if tile.mask else [])] for tile in source.tiles]
    return {"name": source.name, "tiles": tiles, "facts": facts}


def _source(content: Json) -> Source:
    facts = dict(content["facts"])
    if "date" in facts:
        facts["date"] = datetime.date.fromisoformat(facts["date"])
    tiles = []
    for path, *mask in content["tiles"]:
        layer = MaskLayer(**{**mask[0], "affected": tuple(mask[0]["affected"])}) if mask else None
        tiles.append(Tile(path, layer))
    return Source(content["name"], tuple(tiles), NameFacts(**facts))


def kept_plan(folder: str | Path) -> Plan:
    """As `read_plan`, read again in a process only if the files have changed."""
    folder = user_path(folder).absolute()
    try:
        states = [(file.stat().st_size, file.stat().st_mtime_ns) for file in (folder / PLAN, folder / TASKS)]
    except OSError as error:
        raise InputError(f"{folder}: no plan ({error.strerror}); make one with glacierjax plan") from None
    return _read_in_state(folder, tuple(states))


@functools.lru_cache(maxsize=2)
def _read_in_state(folder: Path, states: tuple[tuple[int, int], ...]) -> Plan:
    """`states` only tell plans of one folder from each other."""
    return read_plan(folder)
