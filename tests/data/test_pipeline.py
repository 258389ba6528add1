"""Batches from worker processes that die, read damaged data, or lose the training process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.data.pipeline import batches

PATIENCE_S = 60


class Numbers:
    """Numbered samples in batches of two; one of them may be damaged or kill its process."""

    local = 2

    def __init__(self, broken: int | None = None, deadly: int | None = None, notes: Path | None = None):
        self.broken, self.deadly, self.notes = broken, deadly, notes

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if self.notes:
            (self.notes / str(os.getpid())).touch()
        if index == self.broken:
            raise InputError(f"shard 3, record {index}: damaged record")
        if index == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": np.int64(index)}


def read(source: Numbers, workers: int) -> list[list[int]]:
    """The first ten batches; an error is raised."""
    with batches(source, 0, workers) as stream:  # pyright: ignore[reportArgumentType]
        return [next(stream)["x"].tolist() for _ in range(10)]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_record_is_named_by_whoever_reads_it(workers):
    with pytest.raises(InputError, match="shard 3, record 9: damaged record"):
        read(Numbers(broken=9), workers)


def test_a_worker_that_dies_is_said_and_nothing_hangs():
    with pytest.raises(InputError, match=r"a process that reads training data died .*`config.data.workers`"):
        read(Numbers(deadly=9), 2)


def test_workers_do_not_outlive_a_killed_training(tmp_path):
    code = (
        "import sys, time, pathlib; from test_pipeline import Numbers, batches\n"
        "if __name__ == '__main__':\n"
        "    with batches(Numbers(notes=pathlib.Path(sys.argv[1])), 0, 2) as stream:\n"
        "        next(stream), next(stream); print('reads', flush=True); time.sleep(600)\n"
    )
    script = tmp_path / "training.py"
    script.write_text(code)
    notes = tmp_path / "notes"
    notes.mkdir()
    paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, str(script), str(notes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as training:
        assert training.stdout is not None and training.stdout.readline() == b"reads\n"
        training.kill()
    workers = [int(note.name) for note in notes.iterdir()]
    assert len(workers) == 2
    started = time.monotonic()
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() - started < PATIENCE_S:
        time.sleep(0.1)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
