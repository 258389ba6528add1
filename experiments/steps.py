"""Studies as lists of commands: what is done already is not done again, and several can run at once."""

import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple


class Step(NamedTuple):
    """A command, and the file that is there once it is done."""

    module: str
    flags: tuple[str, ...]
    result: Path


Chain = list[Step]  # one after the other


def flags_of(options: Mapping[str, object]) -> tuple[str, ...]:
    """Options as flags of a command."""
    return tuple(f"--{key}={value}" for key, value in options.items())


class Share:
    """Deals the processor's cores out to jobs that run at once: on a few cores of its own each job computes faster."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._free: SimpleQueue[set[int]] = SimpleQueue()
        cores = sorted(os.sched_getaffinity(0)) if jobs > 1 and hasattr(os, "sched_getaffinity") else []
        for job in range(jobs):
            self._free.put(set(cores[job::jobs] or cores))

    def run(self, command: list[str]) -> int:
        """Runs a command on one of the shares; returns its exit code."""
        cores = self._free.get()
        try:
            process = subprocess.Popen(command)
            if cores:
                with contextlib.suppress(ProcessLookupError):  # it may have ended already
                    os.sched_setaffinity(process.pid, cores)
            return process.wait()
        finally:
            self._free.put(cores)


def run_chain(chain: Chain, share: Share) -> None:
    """Runs what is left of a chain; leaves with an error for a command that fails."""
    if failure := _failure_of(chain, share):
        raise SystemExit(failure)


def _failure_of(chain: Chain, share: Share) -> str:
    """Runs what is left of a chain, up to a command that fails; returns what failed, or ""."""
    for step in chain:
        if step.result.exists():
            continue
        print(f"python -m {step.module} {shlex.join(step.flags)}", flush=True)
        started = time.monotonic()
        if code := share.run([sys.executable, "-m", step.module, *step.flags]):
            return f"python -m {step.module} for {step.result.parent}: failed with exit code {code}, see above"
        print(f"{step.result.parent}: done in {time.monotonic() - started:.0f} s", flush=True)
    return ""


def no_report() -> None:
    pass


def run_stages(stages: Sequence[Sequence[Chain]], share: Share, report: Callable[[], None] = no_report) -> None:
    """Runs stages one after the other, and the chains of each at once, as many as there are shares.

    A chain that fails does not stop the others; a stage in which all fail is the last one. `report` is called after each stage.
    Leaves with an error that names what failed.
    """
    failures: list[str] = []
    for stage in stages:
        with ThreadPoolExecutor(share.jobs) as pool:
            failed = [failure for failure in pool.map(lambda chain: _failure_of(chain, share), stage) if failure]
        failures += failed
        report()
        if failed and len(failed) == len(stage):
            break
    if failures:
        raise SystemExit("\n".join([*failures, "start the study again: what is done is not done again"]))
