"""Tries one task of a campaign in this process, notes its events in the journal, and turns errors into outcomes."""

import contextlib
import errno
import functools
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from glacierjax.campaign.journal import DONE, FAILED, STARTED, STOPPED, Journal
from glacierjax.campaign.settings import KEPT_NETWORKS, digest_of, forget_networks
from glacierjax.campaign.tasks import Plan, Task, digest_of_task, kept_plan
from glacierjax.core.cli import reason_for
from glacierjax.core.errors import InputError
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.records import SETTINGS, read_record

log = logging.getLogger(__name__)

KEPT_GLACIERS = KEPT_NETWORKS  # opened areas and rock that a process keeps, with their networks
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)

Work = Callable[[Plan, Task, Path], None]
"""Does a task: the plan, the task, the folder for the results. It raises where there is no result."""


class Outcome(NamedTuple):
    """How a try of task `number` ended. `reason`: why it has no result, "": it has one; `process` that worked on it;
    `is_disk`: it could not write, which is no fault of the task."""

    number: int
    reason: str
    process: str
    is_disk: bool = False


def predict_task(plan: Plan, task: Task, output: Path) -> None:
    """Predicts a scene of a glacier, or its series, into output/glaciers/ID as `predict` does.

    Raises `InputError` if files or networks are not those that were planned.
    """
    batch = _batch(plan, task.glacier, output)
    if not (batch.output / SETTINGS).is_file():
        batch.claim_output()  # somebody has removed the folder since this process opened it
    if digest_of_task(plan.digests[task.glacier], task.name, task.sources) != task.digest:
        raise InputError(f"{task.sources[0].where}: has changed or vanished since the plan was made; plan again")
    if not task.name:
        batch.run(task.sources)
        return
    (source,) = task.sources
    before = read_record(batch.output, task.name)
    if not batch.is_done(source, before, task.name):
        batch.predict(source, task.name, before)


@functools.lru_cache(maxsize=KEPT_GLACIERS)
def _batch(plan: Plan, glacier: str, output: Path) -> Batch:
    def opened_now() -> Batch:
        return plan.settings.batch(plan.glacier(glacier), plan.area_file(glacier), output, plan.sources_of(glacier))

    opened = opened_now()
    if digest_of(opened) != plan.digests[glacier]:
        forget_networks()  # this process may have them from a time before the plan
        opened = opened_now()
    if digest_of(opened) != plan.digests[glacier]:
        raise InputError(
            f"{plan.folder}: networks, calibration, rock or box of glacier {glacier} have changed since the plan was made; plan "
            "again"
        )
    opened.claim_output()
    return opened


def try_task(work: Work, plan_folder: str, output: str, number: int, digest: str) -> Outcome:
    """One try of the task with a number and digest in a plan, with its events in the journal of this process."""
    folder = Path(output)
    journal = _journal(folder)
    try:
        journal.write(STARTED, digest)
        started = time.perf_counter()
        plan = kept_plan(plan_folder)
        task = plan.task(number) if number < len(plan) else None
        if task is None or task.digest != digest:
            raise InputError(f"{plan_folder}: is another plan here than where the run was started; start again")
        work(plan, task, folder)
        journal.write(DONE, digest, seconds=round(time.perf_counter() - started, 3))
        return Outcome(number, "", journal.process)
    except Exception as error:
        reason = reason_for(error)
        log.info("task %d: %s", number + 1, reason)
        with contextlib.suppress(OSError):
            journal.write(FAILED, digest, reason=reason)
        return Outcome(number, reason, journal.process, is_disk(error))
    except KeyboardInterrupt:  # somebody stopped the run, which is no fault of the task
        with contextlib.suppress(OSError):
            journal.write(STOPPED, digest)
        raise


@functools.lru_cache(maxsize=1)
def _journal(output: Path) -> Journal:
    return Journal(output)


def is_disk(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, is a disk that cannot be written."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in DISK:
            return True
        error = error.__cause__
    return False
