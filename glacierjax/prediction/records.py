"""Records of finished scenes in an output folder: the state of each scene's files when it was read, and what was written.

A scene is written under the name of its source. Where another scene has that name, folders stand before it: A/VV.tif and
B/VV.tif become A__VV and B__VV.
"""

import dataclasses
import json
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glacierjax.core.choices import VECTOR_FORMATS
from glacierjax.core.errors import InputError, some_names
from glacierjax.core.files import absolute_path, visible_files, write_text
from glacierjax.core.json_values import Json, digest_of_json, read_json
from glacierjax.core.scene_names import FOLDER_MARK
from glacierjax.core.version import version
from glacierjax.geo.sources import Source, is_virtual, split_archive

log = logging.getLogger(__name__)

RECORDS = "records"  # folder of them in the output
SETTINGS = "settings.json"  # of the output


@dataclasses.dataclass(frozen=True)
class FileState:
    """A file that a scene is read from: `path` from the output folder (so that both can be moved), size and time; -1: no
    file on disk, as links."""

    path: str
    size_bytes: int = -1
    modified_ns: int = -1


States = tuple[FileState, ...]


@dataclasses.dataclass(frozen=True)
class Record:
    """One scene that is done. `source`: its files, then those of the scenes that it was predicted with; `row` of the table;
    `files` that were written, from the output folder; `settings` that they were made with (their digest)."""

    source: States
    row: dict[str, Any]
    files: list[str]
    settings: str


def states_of(source: Source, output: Path) -> States:
    """What identifies the files of a source, its masks too."""
    return tuple(_state_of(path, output) for path in source.paths)


def _state_of(path: str, output: Path) -> FileState:
    zipped = split_archive(path)
    if zipped is not None:
        archive = _state(Path(zipped[0]), output)
        return dataclasses.replace(archive, path=f"{archive.path}/{zipped[1]}")
    return FileState(path) if is_virtual(path) else _state(Path(path), output)


def _state(file: Path, output: Path) -> FileState:
    file = (
        file.parent.resolve() / file.name
    )  # a folder may be reached by several ways; a linked file has a name of its own
    try:
        path = Path(os.path.relpath(file, output.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        path = file.as_posix()
    try:
        state = file.stat()
    except OSError:
        return FileState(path)
    return FileState(path, state.st_size, state.st_mtime_ns)


def read_records(output: Path) -> dict[str, Record]:
    """The records in an output folder by the scene's name; one that cannot be read is named and left out."""
    records = {}
    folder = output / RECORDS
    for file in visible_files(folder, (".json",)) if folder.is_dir() else ():
        record = _read_record(file)
        if record is not None:
            records[record.row["scene"]] = record
    return records


def current_records(output: Path, records: Mapping[str, Record]) -> dict[str, Record]:
    """Those of the records that were made with the settings of the output; names the others.

    There are others where making all scenes again was stopped, or was done for some of them only.
    """
    file = output / SETTINGS
    if not file.is_file():
        return dict(records)
    digest = digest_of_json(_read_settings(file))
    others = [name for name, record in records.items() if record.settings != digest]
    if others:
        log.warning(
            "%s: made with other settings, so not in the tables of %s; predict their scenes again",
            some_names(others),
            output,
        )
    return {name: record for name, record in records.items() if record.settings == digest}


def read_record(output: Path, name: str) -> Record | None:
    """The record of one scene; None: it has none, or one that cannot be read."""
    file = _record_file(output, name)
    return _read_record(file) if file.is_file() else None


def _record_file(output: Path, name: str) -> Path:
    return output / RECORDS / f"{name}.json"


def _read_record(file: Path) -> Record | None:
    try:
        content = read_json(file)
        source = tuple(FileState(**state) for state in content["source"])
        row: Json = content["row"]
        files = [str(path) for path in content["files"]]
        return Record(source, {"scene": row["scene"], **row}, files, str(content["settings"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning(
            "%s: not a readable record (%s: %s); its scene counts as not done", file, type(error).__name__, error
        )
        return None


def write_record(output: Path, record: Record) -> None:
    """Writes the record of a scene with the version of the program, after all of its other files: it means "done"."""
    text = json.dumps({"version": version(), **dataclasses.asdict(record)}, indent=1) + "\n"
    write_text(_record_file(output, record.row["scene"]), text)


def remove_record(output: Path, name: str, files: Sequence[str]) -> None:
    """Removes files of a scene (paths from the output folder), then its record."""
    for file in files:
        (output / file).unlink(missing_ok=True)
    _record_file(output, name).unlink(missing_ok=True)


def is_done(record: Record | None, now: States, output: Path, settings: str) -> bool:
    """Whether a scene is finished with these settings: its files have not changed since, and all that was written is there."""
    if record is None or record.settings != settings or not _is_same(record.source, now, output):
        return False
    return all(is_there(output / file) for file in record.files)


def is_there(file: Path) -> bool:
    """Whether a result is there. All of them have content: an empty one is what a computer that lost its power left of it."""
    return file.is_file() and file.stat().st_size > 0


def _is_same(before: States, now: States, output: Path) -> bool:
    """The same files, unchanged; they may have been moved."""
    if before == now:
        return True
    moved = all(state.size_bytes >= 0 for state in now) and not any((output / state.path).exists() for state in before)
    return moved and [_content(state) for state in before] == [_content(state) for state in now]


def _content(state: FileState) -> tuple[int, int]:
    return state.size_bytes, state.modified_ns


def name_scenes(
    sources: Sequence[Source], records: Mapping[str, Record], output: Path
) -> tuple[dict[Source, str], dict[Source, str]]:
    """The name of each scene in the output, and what is wrong with the sources that get none.

    A source that has a record keeps its name. Others get their own name, with as many folders before it as it needs to
    differ from all names in the output, ignoring case.
    """
    names: dict[Source, str] = {}
    problems = {source: source.problem for source in sources if source.problem}
    readable = [source for source in sources if not source.problem]
    states = {source: states_of(source, output) for source in readable}
    name_of_path = {record.source[0].path: name for name, record in records.items() if record.source}
    for source, state in states.items():
        name, namesake = name_of_path.get(state[0].path), records.get(source.name)
        # Of a series the record holds the files of the other scenes too, behind its own.
        if name is None and namesake and _is_same(namesake.source[: len(state)], state, output):
            name = source.name
        if name is not None and name not in names.values():
            names[source] = name
    taken = {name.casefold() for name in records}
    rest: list[Source] = []
    first = {_place(source): source for source in names}
    for source in (source for source in readable if source not in names):
        other = first.setdefault(_place(source), source)
        if other is source:
            rest.append(source)
        else:
            where = source.where
            problems[source] = f"{where}: would be written under the name of {other.where}; rename one of them"
    folders = 0
    while rest:
        named = {source: _with_folders(source, folders) for source in rest}
        counts = Counter(name.casefold() for name in named.values() if name)
        for source, name in named.items():
            if name is None:
                problems[source] = (
                    f"{source.where}: its name is that of another scene in {output}; use another `output`"
                )
            elif counts[name.casefold()] == 1 and name.casefold() not in taken:
                names[source] = name
        taken |= {name.casefold() for name in names.values()}
        rest = [source for source in rest if source not in names and source not in problems]
        folders += 1
    return {source: names[source] for source in readable if source in names}, problems


def _place(source: Source) -> tuple[tuple[str, ...], str]:
    return _folders(source), source.name.casefold()


def _with_folders(source: Source, folders: int) -> str | None:
    """The source's name after the last `folders` folders of its path; None if the path has fewer."""
    parents = _folders(source)
    if folders > len(parents):
        return None
    return FOLDER_MARK.join([*parents[len(parents) - folders :], source.name])


def _folders(source: Source) -> tuple[str, ...]:
    """The folders that the first file of a source lies in."""
    path = source.paths[0]
    if not is_virtual(path):
        path = absolute_path(path).as_posix()
    return tuple(part for part in path.split("/")[:-1] if part)


def check_settings(path: Path, settings: Json) -> None:
    """Raises `InputError` if the results beside the settings file `path` were made with others than `settings`."""
    before = _read_settings(path)
    changed = [name for name in settings if before.get(name) != settings[name]]
    if changed:
        raise InputError(
            f"{path.parent}: holds results of other settings ({', '.join(changed)}); use another `output`, or `overwrite` to do "
            "all of them again"
        )


def formats_before(path: Path) -> list[str]:
    """The formats of lines beside GeoJSON in the settings file of an output; none without a readable one."""
    try:
        found = _read_settings(path).get("vector")
    except InputError:
        return []
    return [kind for kind in VECTOR_FORMATS if kind in found] if isinstance(found, list) else []


def _read_settings(path: Path) -> Json:
    try:
        settings = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable ({error}); remove it or use another `output`") from error
    if not isinstance(settings, dict):
        raise InputError(f"{path}: holds no settings; remove it or use another `output`")
    return settings
