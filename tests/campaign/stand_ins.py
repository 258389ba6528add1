"""Works that stand in for a prediction, for processes of their own: what they do stands in files beside the output."""

import errno
import os
import signal
import time
from pathlib import Path

from glacierjax.campaign.settings import GLACIERS
from glacierjax.campaign.tasks import Plan, Task
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.prediction.records import Record, states_of, write_record


def note(plan: Plan, task: Task, output: Path) -> None:
    """Leaves a record without files, and a file of the task's name with one line for each time that it was done."""
    folder = output / GLACIERS / task.glacier
    row = {"scene": task.name, "georeferenced": False, "front_lines": 0, "quality": "", "date": None}
    write_record(folder, Record(states_of(task.sources[0], folder), row, [], "stand-in"))
    path = output / "done" / f"{task.glacier}_{task.name}"
    write_text(path, (path.read_text() if path.is_file() else "") + "done\n")


def note_slowly(plan: Plan, task: Task, output: Path) -> None:
    time.sleep(2)
    note(plan, task, output)


def be_stopped_at_the_second(plan: Plan, task: Task, output: Path) -> None:
    """The process gets SIGTERM, as at the end of a job's time."""
    if task.label == plan.task(1).label:
        os.kill(os.getpid(), signal.SIGTERM)
    note(plan, task, output)


def die_of_the_second(plan: Plan, task: Task, output: Path) -> None:
    """Kills its own process at the second task of G1, as running out of memory does."""
    if task.label == plan.task(1).label:
        os.kill(os.getpid(), signal.SIGKILL)
    note(plan, task, output)


def fail_at_first(plan: Plan, task: Task, output: Path) -> None:
    """Each task fails twice before it is done."""
    path = output / "tries" / f"{task.glacier}_{task.name}"
    tries = len(path.read_text()) if path.is_file() else 0
    write_text(path, "x" * (tries + 1))
    if tries < 2:
        raise RuntimeError("not yet")
    note(plan, task, output)


def refuse_the_second(plan: Plan, task: Task, output: Path) -> None:
    if task.label == plan.task(1).label:
        raise InputError("a.tif: not readable")
    note(plan, task, output)


def refuse_the_last(plan: Plan, task: Task, output: Path) -> None:
    if task.label == plan.task(len(plan) - 1).label:
        raise InputError("b.tif: not readable")
    note(plan, task, output)


def full_disk(plan: Plan, task: Task, output: Path) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror})") from error
