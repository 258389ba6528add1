"""What an output folder says is done: a record for each scene, with its source as it was and the files that were written.

A scene is written under the name of its file. Where another scene has that name, folders stand before it: A/VV.tif and
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

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.scene_names import FOLDER_MARK

log = logging.getLogger(__name__)

RECORDS = "records"  # folder of them in the output


@dataclasses.dataclass(frozen=True)
class Source:
    """A scene's file: `path` from the output folder (so that both can be moved), size and time; -1: no file on disk."""

    path: str
    size_bytes: int = -1
    modified_ns: int = -1


@dataclasses.dataclass(frozen=True)
class Record:
    """One scene that is done. `row` of the table; `files` that were written, from the output folder."""

    source: Source
    row: dict[str, Any]
    files: list[str]


def source_of(file: Path, output: Path) -> Source:
    """What identifies a scene's file."""
    try:
        path = Path(os.path.relpath(file, output)).as_posix()
    except ValueError:  # another drive of Windows
        path = Path(os.path.abspath(file)).as_posix()  # noqa: PTH100 (links are not followed)
    try:
        state = file.stat()
    except OSError:
        return Source(path)
    return Source(path, state.st_size, state.st_mtime_ns)


def read_records(output: Path) -> dict[str, Record]:
    """The records in an output folder by the scene's name; one that cannot be read is named and left out."""
    found = {}
    for file in sorted((output / RECORDS).glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            found[content["row"]["scene"]] = Record(
                Source(**content["source"]), content["row"], [str(path) for path in content["files"]]
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning(
                "%s: not a readable record (%s: %s); its scene counts as not done", file, type(error).__name__, error
            )
    return found


def write_record(output: Path, record: Record) -> None:
    """Writes the record of a scene, after all of its other files: it means "done"."""
    text = json.dumps(dataclasses.asdict(record), indent=1) + "\n"
    write_text(output / RECORDS / f"{record.row['scene']}.json", text)


def is_done(record: Record | None, source: Source, output: Path) -> bool:
    """Whether a scene is there, made from its file as it is now, with all that was written."""
    if record is None or not _is_same(record.source, source, output):
        return False
    return all((output / file).is_file() for file in record.files)


def _is_same(before: Source, now: Source, output: Path) -> bool:
    """The same file, unchanged; it may have been moved."""
    if before == now:
        return True
    moved = now.size_bytes >= 0 and not (output / before.path).exists()
    return moved and dataclasses.replace(before, path=now.path) == now


def name_scenes(
    files: Sequence[Path], records: Mapping[str, Record], output: Path
) -> tuple[dict[Path, str], dict[Path, str]]:
    """The name of each scene in the output, and what is wrong with the files that get none.

    A file that has a record keeps its name. Others get the name of the file, with as many folders before it as it needs to
    differ from all names there, capital letters or not.
    """
    names: dict[Path, str] = {}
    sources = {file: source_of(file, output) for file in files}
    name_of_path = {record.source.path: name for name, record in records.items()}
    for file, source in sources.items():
        name, namesake = name_of_path.get(source.path), records.get(file.stem)
        if name is None and namesake and _is_same(namesake.source, source, output):
            name = file.stem
        if name is not None and name not in names.values():
            names[file] = name
    taken = {name.casefold() for name in records}
    problems: dict[Path, str] = {}
    rest: list[Path] = []
    first: dict[tuple[Path, str], Path] = {(file.parent, file.stem.casefold()): file for file in names}
    for file in (file for file in files if file not in names):
        other = first.setdefault((file.parent, file.stem.casefold()), file)
        if other is file:
            rest.append(file)
        else:
            problems[file] = f"{file}: would be written under the name of {other}; rename one of them"
    folders = 0
    while rest:
        named = {file: _with_folders(file, folders) for file in rest}
        counts = Counter(name.casefold() for name in named.values() if name)
        for file, name in named.items():
            if name is None:
                problems[file] = f"{file}: its name is that of another scene in {output}; use another --output"
            elif counts[name.casefold()] == 1 and name.casefold() not in taken:
                names[file] = name
        taken |= {name.casefold() for name in names.values()}
        rest = [file for file in rest if file not in names and file not in problems]
        folders += 1
    return {file: names[file] for file in files if file in names}, problems


def _with_folders(file: Path, folders: int) -> str | None:
    """The file's name with so many folders before it; None if it does not lie that deep."""
    parents = Path(os.path.abspath(file)).parent.parts[1:]  # noqa: PTH100 (links are not followed)
    if folders > len(parents):
        return None
    return FOLDER_MARK.join([*parents[len(parents) - folders :], file.stem])


def check_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Raises `InputError` if the results beside the settings file `path` were made with others than `settings`."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in settings if before.get(name) != settings[name]]
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not readable ({error}); remove it or use another --output") from error
    if changed:
        raise InputError(
            f"{path.parent}: holds results of other settings ({', '.join(changed)}); use another --output, or --overwrite to do "
            "all of them again"
        )
