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
    """Numbered samples in batches of two; one of them may be damaged or kill its process. Arrays of `shape`."""

    local = 2

    def __init__(
        self,
        broken: int | None = None,
        deadly: int | None = None,
        notes: Path | None = None,
        shape: tuple[int, ...] = (),
    ):
        self.broken, self.deadly, self.notes, self.shape = broken, deadly, notes, shape

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if self.notes:
            (self.notes / str(os.getpid())).touch()
        if index == self.broken:
            raise InputError(f"shard 3, record {index}: damaged record")
        if index == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"x": np.full(self.shape, index)}


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


@pytest.fixture
def training(tmp_path):
    """Starts a process that reads batches: its source, what it does with the stream, and where its messages go."""

    def start(source: str, body: str, stderr: int) -> subprocess.Popen[bytes]:
        script = tmp_path / "training.py"
        script.write_text(
            "import pathlib, time; from test_pipeline import Numbers, batches\n"
            f"def train():\n    with batches({source}, 0, 2) as stream:\n        {body}\n"
            "if __name__ == '__main__':\n    train()\n"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
        return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=stderr, env=environment)

    return start


def test_a_training_that_ends_before_its_batches_do_leaves_no_shared_memory(training):
    body = "train.kept = stream; next(stream); time.sleep(1)"
    with training("Numbers(shape=(64, 64))", body, subprocess.PIPE) as process:
        assert process.communicate() == (b"", b"")  # Python would warn of what it leaves


def test_workers_do_not_outlive_a_killed_training(training, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    body = "next(stream), next(stream); print('reads', flush=True); time.sleep(600)"
    with training(f"Numbers(notes=pathlib.Path({str(notes)!r}))", body, subprocess.DEVNULL) as process:
        assert process.stdout is not None and process.stdout.readline() == b"reads\n"
        process.kill()
    workers = [int(note.name) for note in notes.iterdir()]
    assert len(workers) == 2
    started = time.monotonic()
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() - started < PATIENCE_S:
        time.sleep(0.1)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]
