"""Finds the files with front lines that a file, a folder or a pattern names."""

import csv
import io
import logging
from collections.abc import Sequence
from pathlib import Path

from glacierjax.core.errors import ArgumentError, InputError, some_names
from glacierjax.core.files import named_paths, user_path, visible_files
from glacierjax.core.json_values import parse_json
from glacierjax.geo.features import JSON_SUFFIXES, SUFFIXES, read_text
from glacierjax.geo.vectors import POINT_COLUMNS

log = logging.getLogger(__name__)

LINES_FOLDER, SCENES_TABLE = "lines", "scenes.csv"  # of the output of glacierjax.predict
JUDGED = "judged.geojson"  # of that of glacierjax.timeseries
POINTS_SUFFIX = ".csv"
ALWAYS_WRITTEN = (*JSON_SUFFIXES, POINTS_SUFFIX)  # by predict, whatever other formats it writes


def files_of(pattern: str) -> list[Path]:
    """The files with front lines that a file, a folder or a pattern names. Raises `InputError` if there are none.

    Of a folder that predict wrote: of the scenes in its table. What is left out of a folder is logged.
    """
    path = user_path(pattern)
    if not path.is_dir():
        files = [file for file in named_paths(path) if not file.is_dir()]
    elif (path / LINES_FOLDER).is_dir():
        files = _in_table(_of_folder(path / LINES_FOLDER), path / SCENES_TABLE)
    elif (path / JUDGED).is_file():
        files = [path / JUDGED]
    else:
        files = _of_folder(path)
    if not files:
        raise ArgumentError("fronts", pattern, f"no front lines there ({', '.join((*SUFFIXES, POINTS_SUFFIX))})")
    return files


def _of_folder(folder: Path) -> list[Path]:
    """The files with lines in a folder, each front once."""
    files, other = [], []
    for file in visible_files(folder, (*SUFFIXES, POINTS_SUFFIX)):
        (other if _is_something_else(file) else files).append(file)
    if other:
        log.warning("%s: left out, as no front lines are in it: %s", folder, _names(other))
    written = {file.stem for file in files if file.suffix.lower() in ALWAYS_WRITTEN}
    again = [file for file in files if file.suffix.lower() not in ALWAYS_WRITTEN and file.stem in written]
    if again:
        log.info("%s: left out, as a GeoJSON or CSV file has the same name: %s", folder, _names(again))
    return [file for file in files if file not in again]


def _is_something_else(file: Path) -> bool:
    """A table or JSON file of another kind, such as notes. Damaged files are not: reading them tells what is wrong."""
    try:
        if file.suffix.lower() == POINTS_SUFFIX:
            header = next(csv.reader(io.StringIO(read_text(file))), None)
            return header is not None and tuple(header) != POINT_COLUMNS
        if file.suffix.lower() == ".json":
            document = parse_json(read_text(file))
            return not isinstance(document, dict) or "type" not in document
    except (InputError, ValueError, csv.Error):
        pass
    return False


def _in_table(files: list[Path], table: Path) -> list[Path]:
    """The files of the scenes in the table of a prediction; others are of settings that no longer hold, or not finished."""
    if not table.is_file():
        return files
    rows = csv.DictReader(io.StringIO(read_text(table)))
    if "scene" not in (rows.fieldnames or ()):
        return files
    scenes = {row["scene"] for row in rows}
    others = [file for file in files if file.stem not in scenes]
    if others:
        log.warning("left out, as their scenes are not in %s: %s; predict them again", table, _names(others))
    return [file for file in files if file.stem in scenes]


def _names(files: Sequence[Path]) -> str:
    return some_names([file.name for file in files])
