"""Monthly fronts, their table and ice masks of each glacier of a campaign, made again only where its fronts have changed."""

import contextlib
import dataclasses
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from glacierjax.campaign.glaciers import Glacier
from glacierjax.campaign.work import is_disk
from glacierjax.core.cli import reason_for
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.json_values import Json, read_json
from glacierjax.core.version import version
from glacierjax.geo.features import is_vector_file, read_features, read_text
from glacierjax.geo.vectors import GEOJSON
from glacierjax.prediction.folder import ALL_FRONTS
from glacierjax.terminus.compose import ANNUAL, FIGURE, MASK, MONTHLY, RESULT, CompositeOptions, make_composites
from glacierjax.terminus.follow import CHART, follow_terminus
from glacierjax.terminus.front_files import SCENES_TABLE
from glacierjax.terminus.open_series import SeriesOptions

log = logging.getLogger(__name__)

SERIES, COMPOSITES = "series", "composites"  # folders of a glacier
NOTE = "monthly.json"  # of a glacier: what they were made of, and what came out
FEW_DATES = "fewer than two dates with a front that is not rejected"
MONTHLY_TABLE, PICTURE = f"{COMPOSITES}/{MONTHLY}.csv", f"{COMPOSITES}/{FIGURE}.png"
LINKED = {"table": MONTHLY_TABLE, "picture": PICTURE, "ice mask": f"{COMPOSITES}/{MASK}", "series": f"{SERIES}/{CHART}"}
LISTED = (
    f"{COMPOSITES}/{MONTHLY}{GEOJSON}",
    f"{COMPOSITES}/{ANNUAL}{GEOJSON}",
    PICTURE,
    f"{COMPOSITES}/{MASK}",
)  # in the catalogue


@dataclasses.dataclass(frozen=True)
class MonthlyFronts:
    """What became of the monthly fronts of one glacier. `months` with a front, `gaps`: months without one between them; `files`
    from the glacier's folder; `problem`: why there is no front or no mask, "": all is there."""

    months: int = 0
    gaps: int = 0
    files: tuple[str, ...] = ()
    problem: str = ""


def make_monthly(glacier: Glacier, folder: Path, options: CompositeOptions) -> MonthlyFronts:
    """Follows the terminus of a glacier into folder/series and writes folder/composites, both as the commands do.

    What is there of the same fronts, box and options stays as it is, else both folders are made anew. No fault of the glacier
    is raised: it is told as `problem`. Raises `InputError` if nothing can be written.
    """
    try:
        digest = _digest(glacier, folder, options)
    except InputError as error:  # its box cannot be read
        forget_monthly(folder)
        return MonthlyFronts(problem=str(error))
    made = _kept(folder, digest)
    if made is not None:
        return made
    log.info("glacier %s: monthly fronts", glacier.id)
    forget_monthly(folder)
    problem, is_final = "", True
    try:
        with _warnings_only():
            problem = _make(glacier, folder, options)
    except Exception as error:
        if is_disk(error):
            raise
        # What is no fault of the input may be none of the next run either.
        problem, is_final = reason_for(error), isinstance(error, InputError)
    made = _found(folder, problem)
    if is_final:
        write_text(folder / NOTE, json.dumps({"digest": digest, **dataclasses.asdict(made)}, indent=1) + "\n")
    return made


def forget_monthly(folder: Path) -> None:
    """Removes what was made for a glacier."""
    (folder / NOTE).unlink(missing_ok=True)
    for part in (SERIES, COMPOSITES):
        shutil.rmtree(folder / part, ignore_errors=True)


def _make(glacier: Glacier, folder: Path, options: CompositeOptions) -> str:
    """Writes both; returns why there is no mask. Raises `InputError` for fronts or a box that cannot be used."""
    follow_terminus([str(folder)], folder / SERIES, SeriesOptions(box=glacier.box, name=glacier.name))
    refused = make_composites([str(folder / SERIES)], folder / COMPOSITES, options)
    return "" if refused is None else f"no ice mask: {refused}"


@contextlib.contextmanager
def _warnings_only() -> Iterator[None]:
    """Of thousands of glaciers nobody reads the notes on each scene; they stand in the tables."""
    logger = logging.getLogger("glacierjax.terminus")
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def _digest(glacier: Glacier, folder: Path, options: CompositeOptions) -> str:
    """Another one where something else may come out: other fronts, scenes, box, options or version.

    Raises `InputError` for a box that cannot be read.
    """
    facts = [version(), glacier.name, glacier.box, _content_of(glacier.box), dataclasses.asdict(options)]
    whole = hashlib.sha256(json.dumps(facts).encode())
    for file in (folder / SCENES_TABLE, folder / ALL_FRONTS):
        content = file.read_bytes() if file.is_file() else b""
        whole.update(f"{file.name} {len(content)}\n".encode() + content)
    return whole.hexdigest()


def _content_of(box: str) -> list[str]:
    """What a box file says: a vector file, which may be several on disk, its shapes; a CaFFe box its text."""
    if not box:
        return []
    return [shape.wkt for shape, _ in read_features(box)] if is_vector_file(box) else [read_text(box)]


def _kept(folder: Path, digest: str) -> MonthlyFronts | None:
    """What was found for this digest; None: nothing, or a file of it is gone."""
    try:
        note = read_json(folder / NOTE)
        same = note.pop("digest") == digest
        made = MonthlyFronts(**{**note, "files": tuple(note["files"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return made if same and all((folder / file).is_file() for file in made.files) else None


def _found(folder: Path, problem: str) -> MonthlyFronts:
    files = [path for part in (SERIES, COMPOSITES) for path in (folder / part).rglob("*") if path.is_file()]
    names = tuple(sorted(path.relative_to(folder).as_posix() for path in files))
    if f"{COMPOSITES}/{RESULT}" not in names:
        return MonthlyFronts(files=names, problem=problem)
    months: Json = read_json(folder / COMPOSITES / RESULT)["months"]
    return MonthlyFronts(months["seen"], months["all"] - months["seen"], names, problem)
