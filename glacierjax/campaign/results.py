"""Checks the results of tasks that are done: which are missing, and which lie under an earlier name of their scene."""

from collections.abc import Collection, Mapping
from pathlib import Path

from glacierjax.campaign.journal import LOST, NOTHING, History, Journal
from glacierjax.campaign.settings import GLACIERS
from glacierjax.campaign.tasks import Plan, Task
from glacierjax.geo.sources import Source
from glacierjax.prediction.records import Record, is_there, name_scenes, read_records, remove_record, states_of


def note_lost(plan: Plan, output: Path, histories: Mapping[str, History]) -> int:
    """Notes in the journal which tasks are done, but have a result that somebody removed or that is damaged; how many."""
    done: dict[str, list[int]] = {}
    digests = plan.column("digest")
    for number, glacier in enumerate(plan.column("glacier")):
        if histories.get(digests[number], NOTHING).done:
            done.setdefault(glacier, []).append(number)
    lost: dict[int, str] = {}
    for glacier, numbers in done.items():
        folder = output / GLACIERS / glacier
        records = read_records(folder)
        reasons = {number: _what_is_gone(plan.task(number), records, folder) for number in numbers}
        lost |= {number: reason for number, reason in reasons.items() if reason}
    if lost:
        journal = Journal(output)
        for number, reason in lost.items():
            journal.write(LOST, digests[number], reason=reason, results=histories[digests[number]].results)
    return len(lost)


def _what_is_gone(task: Task, records: Mapping[str, Record], folder: Path) -> str:
    """What is missing of the result of a task, "": nothing. The files of its scenes may be gone, they are not read again."""
    names = {task.sources[0]: task.name} if task.name else name_scenes(task.sources, records, folder)[0]
    for source, name in names.items():
        record = records.get(name)
        if record is None or not _is_of(record, source, folder):
            return f"{folder}: the record of {name} is gone or damaged"
        for file in record.files:
            if not is_there(folder / file):
                return f"{folder / file}: is gone or empty"
    return ""


def _is_of(record: Record, source: Source, folder: Path) -> bool:
    """Whether a record is of this source, which may have been moved, changed or removed since."""
    if not record.source:
        return False
    before, now = record.source[0], states_of(source, folder)[0]
    is_moved = now.size_bytes >= 0 and before.size_bytes == now.size_bytes and before.modified_ns == now.modified_ns
    return before.path == now.path or is_moved


def remove_earlier_names(folder: Path, records: Mapping[str, Record], names: Collection[str]) -> dict[str, Record]:
    """Removes what a glacier's folder has of a scene under another name than the plan gives it, and returns the other records.

    `names` that the plan gives. An earlier plan, without a namesake of the scene, gave it a shorter name. What is under that
    name stays until the scene has a result under its new one.
    """
    files = {records[name].source[0].path for name in names if name in records and records[name].source}
    earlier = {
        name
        for name, record in records.items()
        if name not in names and record.source and record.source[0].path in files
    }
    kept = {name: record for name, record in records.items() if name not in earlier}
    used = {file for record in kept.values() for file in record.files}
    for name in earlier:
        remove_record(folder, name, [file for file in records[name].files if file not in used])
    return kept
