"""Studies as lists of commands: what is done already is not done again, and several can run at once."""

import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
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
        self.failed = False  # nothing new begins then

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
    for step in chain:
        if step.result.exists() or share.failed:
            continue
        print(f"python -m {step.module} {shlex.join(step.flags)}", flush=True)
        started = time.monotonic()
        if code := share.run([sys.executable, "-m", step.module, *step.flags]):
            share.failed = True
            raise SystemExit(f"python -m {step.module}: failed with exit code {code}, see above; start the study again")
        print(f"{step.result.parent}: done in {time.monotonic() - started:.0f} s", flush=True)


def run_stages(stages: Sequence[Sequence[Chain]], share: Share) -> None:
    """Runs stages one after the other, and the chains of each at once, as many as there are shares."""
    for stage in stages:
        with ThreadPoolExecutor(share.jobs) as pool:
            for finished in as_completed([pool.submit(run_chain, chain, share) for chain in stage]):
                finished.result()
