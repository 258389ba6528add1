"""Runs a campaign: the tasks of a plan that have no result yet, in this process or by the workers of a Dask cluster."""

import contextlib
import csv
import io
import json
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from glacierjax.campaign.journal import DONE, FAILED, NOTHING, History, read_journals
from glacierjax.campaign.products import write_products
from glacierjax.campaign.queue import Queue
from glacierjax.campaign.results import note_lost
from glacierjax.campaign.tasks import Plan, kept_plan
from glacierjax.campaign.work import Outcome, Work, predict_task, try_task
from glacierjax.core.choices import ATTEMPTS
from glacierjax.core.errors import ArgumentError, InputError, some_names, some_reasons
from glacierjax.core.files import user_path, write_text
from glacierjax.core.json_values import read_json
from glacierjax.core.progress import track
from glacierjax.terminus.compose import CompositeOptions
from glacierjax.terminus.mask_file import require_netcdf_extra

log = logging.getLogger(__name__)

POINTER = "campaign.json"  # in the output: which plan it is of
WITHOUT_RESULT = "without_result.csv"

Engine = Callable[[Queue, Work, Path, Path], Iterator[Outcome]]
"""Works on the tasks of a queue (the work, the plan's folder, the output's) and yields the last outcome of each."""


def run_campaign(
    plan: str | Path,
    output: str | Path,
    engine: Engine,
    shard: tuple[int, int] = (1, 1),
    attempts: int = ATTEMPTS,
    work: Work = predict_task,
    grid_spacing_m: float | None = None,
) -> None:
    """Does what is left of a plan.

    Args:
      plan: its folder.
      output: folder for the results; what it has of this plan or an earlier one is not done again. Results that are gone from it
        are: a run without shards looks for them.
      engine: who works, such as `in_this_process`.
      shard: (i, n): only each n-th task, from the i-th on, counted from 1. Shards share no task. The products of all
        (`glacierjax.campaign.products`) are written by a run without shards.
      attempts: a task without result is tried again until it was tried so often: in this run where it raised an error, in all
        runs where its process died.
      work: what a task is.
      grid_spacing_m: of the ice masks of all glaciers; None: no masks. Only of a run without shards.

    Raises:
      InputError: at the end, if tasks have no result or a glacier's results cannot be put together, with the reasons; at once
        for an output of other settings.
    """
    if attempts < 1:
        raise ArgumentError("attempts", attempts, "choose 1 or more")
    output = user_path(output).absolute()
    planned = kept_plan(plan)
    if grid_spacing_m is not None:
        if shard[1] > 1:
            raise ArgumentError("grid_spacing_m", grid_spacing_m, "masks are written by a run without `shard`")
        require_netcdf_extra("`grid_spacing_m`")
    composites = CompositeOptions(vector=planned.settings.vector, grid_spacing_m=grid_spacing_m)
    _claim(output, planned)
    numbers = range(shard[0] - 1, len(planned), shard[1])
    digests, histories = planned.column("digest"), read_journals(output)
    if shard[1] == 1 and (lost := note_lost(planned, output, histories)):
        log.warning("%d tasks were done, but their results are gone or damaged; they are done again", lost)
        histories = read_journals(output)
    left = [number for number in numbers if not histories.get(digests[number], NOTHING).done]
    deadly = {number for number in left if histories.get(digests[number], NOTHING).died >= attempts}
    if len(left) < len(numbers):
        log.info("%d of %d tasks are done already", len(numbers) - len(left), len(numbers))
    # Those that a process died of come last, so that they hold up nobody.
    todo = sorted(set(left) - deadly, key=lambda number: histories.get(digests[number], NOTHING).died)
    outcomes = engine(Queue(todo, digests, attempts), work, planned.folder, output)
    tried = {outcome.number: outcome.reason for outcome in track(outcomes, len(todo), "tasks")}
    histories = read_journals(output)
    missing = without_result(planned, histories, numbers, tried)
    _write_without_result(planned, output, missing)
    problems = write_products(planned, output, histories, composites) if shard[1] == 1 else []
    _tell(
        planned, output, [(number, reason) for number, reason in missing if number in numbers], len(numbers), problems
    )


def in_this_process(queue: Queue, work: Work, plan: Path, output: Path) -> Iterator[Outcome]:
    """One task after the other. Raises `InputError` if the results cannot be written."""
    while queue:
        outcome = try_task(work, str(plan), str(output), *queue.take())
        if queue.is_final(outcome):
            yield outcome
        if queue.is_without_disk(outcome.process):
            raise no_disk(outcome)


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM, which clusters send at the end of a job's time, stops a run as Ctrl-C does, so that the journal tells of it."""
    if threading.current_thread() is not threading.main_thread():  # Python lets no other one handle signals
        yield
        return

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def engine_for(scheduler: str = "", processes: int = 0, attempts: int = ATTEMPTS) -> Iterator[Engine]:
    """This process, or with one of the two the workers of a Dask scheduler or so many processes of this machine.

    Raises `InputError` without the extra [dask], and for arguments that do not go together.
    """
    if processes < 0:
        raise ArgumentError("processes", processes, "give a number from 0 on")
    if scheduler and processes:
        raise ArgumentError("processes", processes, "does not go with `scheduler`, whose workers do the tasks")
    if not scheduler and not processes:
        yield in_this_process
        return
    try:
        from glacierjax.campaign.cluster import by_workers, local_workers, workers_of
    except ImportError:
        raise InputError(
            "`scheduler` and `processes` need the extra [dask]; pip install 'glacierjax[dask]', or use `shard`"
        ) from None
    logging.getLogger("distributed").setLevel(logging.WARNING)  # it tells of every connection
    with workers_of(scheduler) if scheduler else local_workers(processes, attempts) as client:
        log.info("Dask's dashboard: %s", client.dashboard_link)
        yield by_workers(client)


def no_disk(outcome: Outcome) -> InputError:
    """The error of a run in which nobody can write."""
    return InputError(
        f"stopped, as results cannot be written: {outcome.reason}; then start again, it does what is left"
    )


def shard_from(text: str) -> tuple[int, int]:
    """The shard that a flag names as i/n. Raises `ArgumentError`."""
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise ArgumentError("shard", text, "write i/n, such as 3/8 for the third of eight shards")
    return int(part), int(parts)


def _claim(output: Path, plan: Plan) -> None:
    """Notes the plan in the output. Raises `InputError` if it holds glaciers that were predicted otherwise."""
    before = read_pointer(output)
    changed = [name for name, digest in plan.digests.items() if before.get("glaciers", {}).get(name, digest) != digest]
    if changed:
        raise InputError(
            f"{output}: holds results of other settings, networks or areas of {some_names(changed)}; use another `output`"
        )
    glaciers = {**before.get("glaciers", {}), **plan.digests}
    text = json.dumps({"plan": str(plan.folder), "glaciers": glaciers}, indent=1) + "\n"
    if not (output / POINTER).is_file() or (output / POINTER).read_text(encoding="utf-8") != text:
        write_text(output / POINTER, text)


def read_pointer(output: Path) -> dict:
    """What an output tells of its campaign; {}: nothing. Raises `InputError` for a damaged file."""
    path = output / POINTER
    if not path.is_file():
        return {}
    try:
        content = read_json(path)
        return {"plan": str(content["plan"]), "glaciers": dict(content["glaciers"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not readable ({error}); remove it or use another `output`") from error


def without_result(
    plan: Plan, histories: Mapping[str, History], own: range, tried: Mapping[int, str]
) -> list[tuple[int, str]]:
    """The numbers of the tasks without a result, with the reasons: of `own` all, of others those whose last try has ended.

    `own`: tasks of this run, on which nobody works any more; `tried`: how the tries of this run ended, for a journal that could
    not be written.
    """
    found = []
    for number, digest in enumerate(plan.column("digest")):
        history = histories.get(digest, NOTHING)
        if history.state == FAILED or (history.state != DONE and number in own):
            found.append((number, reason_of(history) or tried.get(number, "not tried")))
    return found


def reason_of(history: History) -> str:
    """Why a task has no result, in words."""
    if history.died:
        again = f"; before: {history.reason}" if history.reason else ""
        return (
            f"its process ended {history.died} time(s) before it was done, out of memory or killed{again}; `attempts`="
            f"{history.died + ATTEMPTS} tries it again"
        )
    return history.reason


def _write_without_result(plan: Plan, output: Path, missing: Sequence[tuple[int, str]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("glacier", "scene", "source", "reason"))
    for number, reason in missing:
        task = plan.task(number)
        table.writerow((task.glacier, task.name, task.sources[0].where, reason))
    write_text(output / WITHOUT_RESULT, text.getvalue())


def _tell(plan: Plan, output: Path, missing: Sequence[tuple[int, str]], tasks: int, problems: Sequence[str]) -> None:
    """Raises `InputError` naming the tasks without result, of so many, and what is wrong with the products of glaciers."""
    log.info("%d of %d tasks have a result: %s", tasks - len(missing), tasks, output)
    told = []
    if missing:
        reasons = some_reasons([f"{plan.task(number).label} ({reason})" for number, reason in missing])
        told.append(f"{len(missing)} tasks have no result, all of them in {output / WITHOUT_RESULT}: {reasons}")
    if problems:
        told.append(f"results of {len(problems)} glaciers cannot be put together: {some_reasons(problems)}")
    if told:
        raise InputError("; ".join(told))
