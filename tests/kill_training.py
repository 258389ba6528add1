"""Kills a training at random moments, resumes it each time, and compares the result with an undisturbed training.

  python tests/kill_training.py            (make test-faults)
  python tests/kill_training.py 5 7        (five kills, seed 7)

The network is the smallest preset; all else is `glacierjax.train` as users run it. A fifth of the kills come during the start
of the process, the others during steps, validations and the writing of checkpoints. A quarter of all kills is SIGTERM,
after which the run saves itself; the rest is SIGKILL.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS.parent), str(TESTS / "end_to_end")]

from small_world import TINY, build_flags, write_archive  # noqa: E402

from glacierjax.checkpoints.native import load_checkpoint  # noqa: E402
from glacierjax.training.logs import METRICS  # noqa: E402
from glacierjax.training.stop import Stopped  # noqa: E402
from tfds_builders.build import main as build  # noqa: E402

EPOCHS, STEPS_PER_EPOCH = 10, 6
SHORT = (
    f"--config.num_epochs={EPOCHS}",
    f"--config.data.samples_per_epoch={4 * STEPS_PER_EPOCH}",
    "--config.checkpoint_every=2",
    "--config.data.workers=0",
)
START_S = 8.0  # the latest kill during a start
DELAY_S = 0.6  # the latest kill after the line of the log that was waited for: some steps, a validation, a checkpoint
PATIENCE_S = 600


def main(kills: int = 20, seed: int = 0) -> int:
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        assert build(build_flags(root / "data", write_archive(root / "data_raw"))) == 0
        flags = [*TINY, *SHORT, f"--config.data.dir={root / 'data'}"]
        alone, killed = root / "alone", root / "killed"
        finish(start(flags, alone, root))

        steps = EPOCHS * STEPS_PER_EPOCH
        targets = sorted(draw.sample(range(1, steps - STEPS_PER_EPOCH), kills))
        counts = {signal.SIGKILL: 0, signal.SIGTERM: 0}
        for number, target in enumerate(targets, 1):
            kind = signal.SIGTERM if number % 4 == 0 else signal.SIGKILL
            process = start(flags, killed, root)
            if number % 5 == 0:
                time.sleep(draw.uniform(0, START_S))
            else:
                wait_for_step(killed / METRICS, target, process)
                time.sleep(draw.uniform(0, DELAY_S))
            process.send_signal(kind)
            err = process.communicate(timeout=PATIENCE_S)[1]
            # SIGTERM before the training has started ends the process like any other process.
            if process.returncode not in (-kind, Stopped().exit_code if kind == signal.SIGTERM else -kind):
                print(f"kill {number}: the process ended by itself with {process.returncode}\n{err}")
                return 1
            counts[kind] += 1
            print(f"kill {number} of {kills}: {kind.name} after step {steps_logged(killed / METRICS)}", flush=True)
        finish(start(flags, killed, root))
        same = compare(killed, alone)
    told = ", ".join(f"{count} {kind.name}" for kind, count in counts.items())
    end = "the same bit for bit" if same else "NOT the same"
    print(f"{sum(counts.values())} kills survived ({told}); final metrics and parameters are {end}")
    return 0 if same else 1


def start(flags: list[str], workdir: Path, root: Path) -> subprocess.Popen:
    environment = {
        **os.environ,
        "PYTHONPATH": str(TESTS.parent),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "",
        "JAX_COMPILATION_CACHE_DIR": str(root / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    command = [sys.executable, "-m", "glacierjax.train", *flags, f"--workdir={workdir}"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    err = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 0, err


def steps_logged(metrics: Path) -> int:
    return metrics.read_text().count('"train"') if metrics.exists() else 0


def wait_for_step(metrics: Path, step: int, process: subprocess.Popen) -> None:
    started = time.monotonic()
    while steps_logged(metrics) < step and process.poll() is None and time.monotonic() - started < PATIENCE_S:
        time.sleep(0.01)


def compare(killed: Path, alone: Path) -> bool:
    import jax

    ours, theirs = load_checkpoint(killed, "last"), load_checkpoint(alone, "last")
    equal = jax.tree.map(np.array_equal, ours.params, theirs.params)
    return (killed / METRICS).read_bytes() == (alone / METRICS).read_bytes() and all(jax.tree.leaves(equal))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
