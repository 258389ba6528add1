"""Two processes train together and give the numbers of one process with two devices."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from line_fit import STEPS_PER_EPOCH, lines

from glacierjax.core.errors import InputError
from glacierjax.training.processes import connect, gather, is_one_of_several

SCRIPT = Path(__file__).parent / "line_run.py"
ENVIRONMENT = {**os.environ, "XLA_FLAGS": ""}
PATIENCE_S = 120


def start(*arguments: object) -> subprocess.Popen:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)


def start_two(workdir: Path, way: str, epochs: int) -> list[subprocess.Popen]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [start(workdir, way, 1, epochs, port, number) for number in (0, 1)]


def finish(*started: subprocess.Popen) -> None:
    for process in started:
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
        assert "devices 2" in out


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """The run of one process with two devices."""
    workdir = tmp_path_factory.mktemp("alone")
    finish(start(workdir, "pmap", 2, 4))
    return workdir


@pytest.mark.parametrize("way", ["pmap", "shard_map"])
def test_two_processes_train_to_the_same_losses_as_one_with_two_devices(tmp_path, alone, way):
    finish(*start_two(tmp_path, way, 4))
    ours, theirs = lines(tmp_path), lines(alone)
    assert [(line["step"], line["split"]) for line in ours] == [(line["step"], line["split"]) for line in theirs]
    losses = [[line["loss"] for line in some] for some in (ours, theirs)]
    np.testing.assert_allclose(*losses, rtol=0, atol=1e-5)
    assert len(list((tmp_path / "events").iterdir())) == 1, "one process writes"
    assert json.loads((tmp_path / "summary.json").read_text())["processes"] == 2


def test_sigterm_to_one_of_two_stops_both_at_the_same_step_and_they_go_on(tmp_path, alone):
    both = start_two(tmp_path, "pmap", 400)
    assert both[1].stdout is not None
    while "step 5" not in both[1].stdout.readline():
        pass
    both[1].send_signal(signal.SIGTERM)
    outputs = [process.communicate(timeout=PATIENCE_S) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert all("stopped" in out for out, _ in outputs)
    stopped_after = lines(tmp_path)[-1]["step"]
    epochs = stopped_after // STEPS_PER_EPOCH + 1
    finish(*start_two(tmp_path, "pmap", epochs))
    assert [line["step"] for line in lines(tmp_path) if line["split"] == "train"] == list(
        range(1, epochs * STEPS_PER_EPOCH + 1)
    )


def test_flags_of_several_processes_go_together():
    with pytest.raises(
        InputError, match=r"`process_id`: missing; give it together with `coordinator_address`, `num_processes`"
    ):
        connect("127.0.0.1:1", 2, None)
    with pytest.raises(InputError, match=r"process_id=2: choose 0 to 1"):
        connect("127.0.0.1:1", 2, 2)


@pytest.mark.parametrize(
    ("environment", "several"),
    [
        ({}, False),
        ({"SLURM_STEP_NUM_TASKS": "1"}, False),
        ({"SLURM_STEP_NUM_TASKS": "4"}, True),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, True),
        ({"TPU_WORKER_HOSTNAMES": "a"}, False),
        ({"TPU_WORKER_HOSTNAMES": "a,b"}, True),
    ],
)
def test_clusters_tell_whether_a_process_is_alone(environment, several):
    assert is_one_of_several(environment) == several


def test_a_process_alone_is_its_own_crowd():
    assert gather({"a": 1}) == [{"a": 1}]
