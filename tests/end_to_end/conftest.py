"""Fixtures for tests of whole commands: a small archive, its data set, a trained network, and a function that runs commands."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from small_world import TINY, build_flags, val_lines, write_archive

from tfds_builders.build import main as build

Command = Callable[..., subprocess.CompletedProcess]
PATIENCE_S = 240  # more than the slowest machine takes to compile


@pytest.fixture(scope="session")
def data_raw(tmp_path_factory) -> Path:
    """The archive; read only."""
    return write_archive(tmp_path_factory.mktemp("archive") / "data_raw")


@pytest.fixture(scope="session")
def data(tmp_path_factory, data_raw) -> Path:
    """The data set built from it; read only."""
    folder = tmp_path_factory.mktemp("data")
    assert build(build_flags(folder, data_raw)) == 0
    return folder


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Environment of every command: one device."""
    return {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory) -> Path:
    """The working directory of the commands, outside the sources."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="session")
def command(environment, elsewhere) -> Command:
    """Runs `python -m MODULE FLAGS`."""

    def run(module: str, *flags: str | Path) -> subprocess.CompletedProcess:
        arguments = [sys.executable, "-m", module, *map(str, flags)]
        return subprocess.run(arguments, capture_output=True, text=True, env=environment, cwd=elsewhere)

    return run


@pytest.fixture
def in_elsewhere(elsewhere, monkeypatch) -> None:
    """For `run_here`."""
    monkeypatch.chdir(elsewhere)


@pytest.fixture(scope="session")
def trained(command, data, tmp_path_factory, worker_id) -> Path:
    """The workdir of a finished training; read only. The tests' processes share it: the first one that asks trains."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "trained"
    with FileLock(f"{folder}.lock"):
        if not (folder / "summary.json").exists():
            done = command("glacierjax.train", *TINY, f"--config.data.dir={data}", f"--workdir={folder}")
            assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def train_and_kill(environment, elsewhere) -> Callable[..., Path]:
    """Runs `python -m glacierjax.train FLAGS --workdir=NAME` until its third validation is logged, then kills it."""

    def run(name: str, *flags: str) -> Path:
        workdir = elsewhere / name
        arguments = [sys.executable, "-m", "glacierjax.train", *flags, f"--workdir={workdir}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(arguments, env=environment, cwd=elsewhere, **quiet) as process:
            started = time.monotonic()
            while len(val_lines(workdir)) < 3 and process.poll() is None and time.monotonic() - started < PATIENCE_S:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert len(val_lines(workdir)) >= 3 and not (workdir / "summary.json").exists()
        return workdir

    return run
