"""The scenes of a campaign and where each lies on Earth: from folders, STAC items and lists of files."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import shapely

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import user_path
from glacierjax.core.progress import track
from glacierjax.geo.antimeridian import cut_polygons
from glacierjax.geo.features import read_table, read_text
from glacierjax.geo.inputs import STAC_SUFFIXES, find_sources, require_items
from glacierjax.geo.layers import PNG_SUFFIXES
from glacierjax.geo.registration import Footprint
from glacierjax.geo.scenes import ReadOptions, outline_of
from glacierjax.geo.sources import Coverage, Source, is_virtual, shown_path, whole_path
from glacierjax.geo.vectors import require_pyarrow

log = logging.getLogger(__name__)

PATH = "path"
BOUNDS = ("west", "south", "east", "north")
SPACING = "pixel_spacing_m"
LINES, TABLE, PARQUET = ".txt", ".csv", ".parquet"
LISTS = (LINES, TABLE, PARQUET)


class PlacedScene(NamedTuple):
    """A scene with the polygons that it covers, longitude (-180..180) and latitude; `pixel_spacing_m` None: not known."""

    source: Source
    polygons: shapely.Polygon | shapely.MultiPolygon
    pixel_spacing_m: float | None


class Skipped(NamedTuple):
    """Something that gets no task, and why."""

    what: str
    reason: str


def find_scenes(
    patterns: Sequence[str], options: ReadOptions, asset: str | None = None
) -> tuple[list[PlacedScene], list[Skipped]]:
    """The scenes that patterns name, and those that cannot be placed.

    Args:
      patterns: as of `glacierjax.geo.inputs.find_sources`, and lists: .txt with a path or link a line; .csv or .parquet with a
        column `path` and, for scenes that need not be opened, `west`, `south`, `east`, `north` in degrees and `pixel_spacing_m`.
      options: how scenes are read.
      asset: of STAC items; None: by polarisation.

    The pixels of scenes are not read. A scene whose place is told by its STAC item or its list is not opened either. Raises
    `InputError` for a pattern that names nothing, and for a list that is none.
    """
    told: dict[str, Coverage | None] = {}
    named, skipped = [], []
    for pattern in patterns:
        if Path(pattern).suffix.lower() not in LISTS or is_virtual(pattern):
            named.append(_from_root(pattern))
            continue
        for path, coverage in _entries(user_path(pattern)):
            problem = _problem(path, options, asset)
            if problem:
                skipped.append(Skipped(path, f"{problem}; it stands in {pattern}"))
                continue
            named.append(path)
            told[path] = coverage
    require_items(named, asset)
    if not named:
        raise ArgumentError("scenes", patterns[0], f"no file of it can be used ({skipped[0].reason})")
    try:
        sources = find_sources(named, options.polarisation, asset)
    except ArgumentError as error:
        raise ArgumentError("scenes", error.value, error.advice) from None
    placed = []
    for source in track(sources, len(sources), "scenes placed"):
        try:
            placed.append(_place(source, told, options))
        except InputError as error:
            skipped.append(Skipped(source.where, str(error)))
    return placed, skipped


def _place(source: Source, told: Mapping[str, Coverage | None], options: ReadOptions) -> PlacedScene:
    """Raises `InputError` for a scene that cannot be read or has no place on Earth."""
    if source.problem:
        raise InputError(source.problem)
    if any(Path(shown_path(tile.path)).suffix.lower() in PNG_SUFFIXES for tile in source.tiles):
        raise InputError(f"{source.where}: a PNG, of which no area can be read; convert it to GeoTIFF")
    known = [tile.coverage or told.get(whole_path(tile.path)) for tile in source.tiles]
    coverages = [coverage for coverage in known if coverage is not None]
    if len(coverages) < len(known):
        outline = outline_of(source, options)
        if outline.place is None:
            raise InputError(f"{source.where}: not georeferenced, so it cannot be assigned to a glacier")
        return PlacedScene(source, Footprint(outline.place, outline.shape).on_earth(), outline.pixel_spacing_m)
    spacings = [coverage.pixel_spacing_m for coverage in coverages if coverage.pixel_spacing_m]
    polygons = coverages[0].polygons
    if len(coverages) > 1:
        parts = [part for coverage in coverages for part in shapely.get_parts(coverage.polygons)]
        polygons = shapely.MultiPolygon(parts)
    return PlacedScene(source, polygons, options.pixel_spacing_m or min(spacings, default=None))


def _entries(path: Path) -> Iterator[tuple[str, Coverage | None]]:
    """The paths and links of a list, and where each lies if the list tells."""
    for number, row in enumerate(_rows(path), 1):
        text = str(row.get(PATH) or "").strip()
        if not text:
            raise InputError(f"{path}: row {number}: no {PATH}")
        yield _from_root(text, path.parent), _coverage(row, f"{path}: row {number}")


def _from_root(text: str, folder: Path = Path()) -> str:
    """A path or link so that it means the same from any folder; `folder`: from which the path is meant."""
    return whole_path(text if is_virtual(text) else str(folder / user_path(text)))


def _problem(path: str, options: ReadOptions, asset: str | None) -> str:
    """What is wrong with an entry of a list that names nothing, "": nothing. It is to stop no other."""
    if is_virtual(path):
        return ""
    try:
        if not Path(path).exists():
            return "no such file or folder"
        if not Path(path).is_dir() and Path(path).suffix.lower() not in STAC_SUFFIXES:
            return ""  # a file is always taken, and what is wrong with it is told with it
        find_sources([path], options.polarisation, asset)
    except ArgumentError as error:
        return error.advice
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return ""


def _rows(path: Path) -> list[Mapping[str, Any]]:
    suffix = path.suffix.lower()
    rows: list[Any]
    if suffix == PARQUET:
        pyarrow = require_pyarrow(str(path))
        try:
            schema = pyarrow.parquet.read_schema(path)
            rows = pyarrow.parquet.read_table(
                path, columns=[name for name in (PATH, *BOUNDS, SPACING) if name in schema.names]
            ).to_pylist()
        except FileNotFoundError:
            raise InputError(f"{path}: no such file") from None
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(f"{path}: not a readable Parquet file ({error}); save it again") from None
    elif suffix == TABLE:
        _, rows = read_table(path)
    else:
        rows = [{PATH: line} for line in read_text(path).splitlines() if line.strip()]
    if not rows or PATH not in rows[0]:
        raise InputError(f"{path}: not a list of scenes; expected a column {PATH} and at least one row")
    return rows


def _coverage(row: Mapping[str, Any], where: str) -> Coverage | None:
    try:
        numbers = [None if row.get(name) in (None, "") else float(row[name]) for name in (*BOUNDS, SPACING)]
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}; {', '.join((*BOUNDS, SPACING))} are numbers or empty") from None
    *bounds, spacing_m = numbers
    if all(bound is None for bound in bounds):
        return None
    west, south, east, north = (float("nan") if bound is None else bound for bound in bounds)
    if not (-90 <= south < north <= 90 and -180 <= west <= 180 and -180 <= east <= 360 and west != east):
        raise InputError(f"{where}: {bounds} are no bounds; give {', '.join(BOUNDS)} in degrees, or none of them")
    if spacing_m is not None and not spacing_m > 0:
        raise InputError(f"{where}: {SPACING} {spacing_m}; give metres above 0")
    box = shapely.box(west, south, east + 360 if east < west else east, north)
    return Coverage(box if west < east <= 180 else cut_polygons([box]), spacing_m)
