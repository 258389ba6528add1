"""Runs the tasks of a campaign on Dask's workers: on this machine, or those of a running scheduler.

A worker has one task at a time, so that of one that dies it is known what it died of. Only the numbers of tasks and the outcomes
travel; plans, scenes and results are files that all machines see.
"""

import contextlib
import dataclasses
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, KilledWorker, LocalCluster, Worker, WorkerPlugin, as_completed, get_worker

from glacierjax.campaign.journal import DIED, STOPPED, Journal
from glacierjax.campaign.queue import Queue
from glacierjax.campaign.run import Engine, no_disk
from glacierjax.campaign.work import Outcome, Work, try_task
from glacierjax.core.errors import InputError
from glacierjax.core.startup import kept_memory_variables

SECONDS_BETWEEN_COUNTS = 1.0  # of the workers, who may come and go
SECONDS_TO_END = 20.0


class LocalWorker(WorkerPlugin):
    """Gives each of a number of workers on one machine cores of its own; JAX starts as many threads as it sees cores."""

    name = "local-worker"

    def __init__(self, workers: int):
        self._workers = workers

    def setup(self, worker: Worker) -> None:
        # At the end of a run a worker may find that the scheduler has gone before it. What tasks raise comes with their outcomes.
        logging.getLogger("distributed.worker").setLevel(logging.CRITICAL)
        if hasattr(os, "sched_setaffinity"):  # Linux
            cores = _cores()
            own = cores[int(worker.name) % self._workers :: self._workers]
            os.sched_setaffinity(0, own or cores)


@contextlib.contextmanager
def local_workers(processes: int, attempts: int) -> Iterator[Client]:
    """A client of so many worker processes on this machine, each with one thread for tasks.

    A task whose worker died `attempts` times is given up.
    """
    choices = {
        "distributed.scheduler.allowed-failures": attempts - 1,
        "distributed.nanny.pre-spawn-environ": _environment(processes),
    }
    with (
        dask.config.set(choices),
        # No limit of memory: above one a worker would be paused, and with memory that JAX keeps it would stay so.
        LocalCluster(
            n_workers=processes, threads_per_worker=1, processes=True, memory_limit=0, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(LocalWorker(processes))
        yield client


def _environment(workers: int) -> dict[str, str]:
    """What a worker process starts with instead of Dask's choices: as many threads for linear algebra as it has cores.

    Dask also makes it give freed memory back to the system at once. A network frees and takes the same memory for every tile,
    so that costs a third of its speed.
    """
    threads = str(max(1, len(_cores()) // workers))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**dict.fromkeys(names, threads), **kept_memory_variables()}


def _cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


@contextlib.contextmanager
def workers_of(scheduler: str) -> Iterator[Client]:
    """A client of a scheduler at an address such as tcp://HOST:PORT. Raises `InputError` if there is none."""
    try:
        client = Client(scheduler)
    except (OSError, ValueError) as error:
        raise InputError(
            f"`scheduler`={scheduler}: no Dask scheduler answers there ({error}); start one with dask scheduler"
        ) from None
    with client:
        yield client


@dataclasses.dataclass(eq=False)
class _Workers:
    """How many tasks the workers of a client take at once."""

    client: Client
    _counted: float = float("-inf")
    _threads: int = 0

    @property
    def threads(self) -> int:
        now = time.monotonic()
        if now - self._counted > SECONDS_BETWEEN_COUNTS:
            self._threads, self._counted = sum(_threads_of(self.client).values()), now
        return self._threads


def by_workers(client: Client) -> Engine:
    """An engine of the workers of a client, who may come, go and die while it runs.

    It raises `InputError` if the scheduler goes, if workers cannot run tasks, and if no worker is left that can write.
    """

    def engine(queue: Queue, work: Work, plan: Path, output: Path) -> Iterator[Outcome]:
        journal, workers = Journal(output), _Workers(client)
        in_work: dict[Any, tuple[int, str]] = {}
        futures = as_completed(loop=client.loop)

        def fill() -> None:
            while queue and len(in_work) < max(workers.threads, 1):  # the one waits for the first worker
                task = queue.take()
                future = client.submit(_on_worker, work, str(plan), str(output), *task, pure=False)
                in_work[future.key] = task
                futures.add(future)

        try:
            fill()
            for future in futures:
                number, digest = in_work.pop(future.key)
                if future.status in ("cancelled", "lost"):
                    raise InputError("the Dask scheduler has gone; start again, it does what is left")
                error = future.exception() if future.status == "error" else None
                if isinstance(error, KilledWorker):
                    reason = f"{error.allowed_failures + 1} workers died of it, out of memory or killed"
                    journal.write(DIED, digest, reason=reason)
                    yield Outcome(number, reason, "")
                elif error is not None:
                    raise InputError(
                        f"workers cannot do tasks ({type(error).__name__}: {error}); do they have this version of glacierjax?"
                    )
                else:
                    outcome, address = future.result()
                    if queue.is_final(outcome):
                        yield outcome
                    if queue.is_without_disk(outcome.process):
                        future.release()
                        _send_home(client, address)
                        if not _threads_of(client):
                            raise no_disk(outcome)
                future.release()
                fill()
        except (KeyboardInterrupt, GeneratorExit):  # somebody stopped the run, which is no fault of the tasks
            with contextlib.suppress(OSError):
                for _, digest in in_work.values():
                    journal.write(STOPPED, digest)
            raise

    return engine


def _threads_of(client: Client) -> dict[str, int]:
    """The threads of each worker, by address."""
    found: Any = client.nthreads()  # typed as what it is in a coroutine too
    return found


def _send_home(client: Client, address: str) -> None:
    """Ends a worker. A scheduler refuses that while a worker holds a result, which it learns of a little later."""
    deadline = time.monotonic() + SECONDS_TO_END
    while address in _threads_of(client) and time.monotonic() < deadline:
        client.retire_workers([address])
        time.sleep(SECONDS_TO_END / 100)


def _on_worker(work: Work, plan: str, output: str, number: int, digest: str) -> tuple[Outcome, str]:
    """The outcome of a task and the address of the worker."""
    return try_task(work, plan, output, number, digest), get_worker().address
