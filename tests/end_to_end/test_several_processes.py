"""`glacierjax.train` in two processes, compared with one process with two devices; and in bfloat16 with `remat`."""

import json
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest
from small_world import METRICS, TINY

from glacierjax.checkpoints.native import load_checkpoint

PATIENCE_S = 900


def losses(workdir):
    lines = [json.loads(line) for line in (workdir / METRICS).read_text().splitlines()]
    return [line["loss"] for line in lines if line["split"] == "train"], [
        line["iou"] for line in lines if line["split"] == "val"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["pmap", "shard_map"])
def test_two_processes_train_and_validate_as_one_with_two_devices(data, environment, elsewhere, way):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    flags = (*TINY, f"--config.data.dir={data}", f"--config.parallel={way}", "--config.num_epochs=2")

    def start(devices, *more):
        command = [sys.executable, "-m", "glacierjax.train", *flags, *more]
        return subprocess.Popen(
            command,
            cwd=elsewhere,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "JAX_NUM_CPU_DEVICES": str(devices)},
        )

    alone, together = elsewhere / f"alone_{way}", elsewhere / f"together_{way}"
    started = [start(2, f"--workdir={alone}")] + [
        start(
            1,
            f"--workdir={together}",
            f"--coordinator_address={address}",
            "--num_processes=2",
            f"--process_id={number}",
        )
        for number in (0, 1)
    ]
    for process in started:
        err = process.communicate(timeout=PATIENCE_S)[1]
        assert process.returncode == 0, err
    (ours, our_iou), (theirs, their_iou) = losses(together), losses(alone)
    assert len(ours) == 4 and len(our_iou) == 2
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    np.testing.assert_allclose(our_iou, their_iou, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_half_precision_keeps_parameters_in_float32_and_the_losses_close(trained, data, command, elsewhere):
    done = command(
        "glacierjax.train",
        *TINY,
        f"--config.data.dir={data}",
        "--config.model.dtype=bfloat16",
        "--config.model.remat=True",
        "--config.parallel=shard_map",
        "--workdir=half",
    )
    assert done.returncode == 0, done.stderr
    params = load_checkpoint(elsewhere / "half", "last").params
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(losses(elsewhere / "half")[0], losses(trained)[0], rtol=0.03)
