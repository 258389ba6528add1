"""A task that compiles quickly, and a run of it: a line fitted to points."""

import contextlib
import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.core.settings import RunSettings
from glacierjax.training.logs import METRICS
from glacierjax.training.loop import Experiment

BATCH = 8
STEPS_PER_EPOCH = 3
BALLAST = 50_000  # parameters that only make the checkpoint large, random because zeros would be compressed


class Line:
    """y = slope x + offset, with noise that depends on the random key as dropout does."""

    def init(self, rng, batch):
        return {
            "slope": jax.random.normal(rng, (1,)),
            "offset": jnp.zeros(1),
            "ballast": jax.random.normal(rng, (BALLAST // 50, 50)),
        }

    def loss(self, params, batch, rng, train):
        noise = 0.01 * jax.random.normal(rng, batch["x"].shape) if train else 0.0
        error = params["slope"] * batch["x"] + params["offset"] + noise - batch["y"]
        return jnp.mean(error**2), {"error": jnp.abs(error).mean()}


def config(**changes) -> RunSettings:
    """Settings of the run; `changes` by the names of fields, a.b."""
    values = {
        "batch_size": BATCH,
        "micro_batch_size": 2,
        "num_epochs": 4,
        "log_every": 1,
        "checkpoint_every": 0,
        "data": {"samples_per_epoch": STEPS_PER_EPOCH * BATCH},
        "optimizer": {"learning_rate": 0.1},
        "schedule": {"patience": 0},
    }
    for field, value in changes.items():
        *section, name = field.split(".")
        (values.setdefault(section[0], {}) if section else values)[name] = value
    return RunSettings.from_json(values)


def experiment(
    bad_steps=(), before_step=lambda step: None, val_loss=lambda params: float((params["slope"][0] - 2) ** 2)
):
    """The run; batches of `bad_steps` contain NaN, `before_step` is called when the batch of a step is read."""
    local = BATCH // jax.process_count()
    own = slice(local * jax.process_index(), local * (jax.process_index() + 1))

    @contextlib.contextmanager
    def batches(start):
        def stream():
            for step in range(start, 10_000):
                before_step(step)
                x = np.random.default_rng(step).normal(size=BATCH).astype(np.float32)
                yield {"x": x[own] if step not in bad_steps else x[own] * np.nan, "y": 2 * x[own] + 1}

        yield stream()

    return Experiment(
        task=Line(),
        batches=batches,
        scenes_of=lambda step: [f"SCENE_{step}"],
        prepare=lambda batch: batch,
        evaluate=lambda params: {"loss": val_loss(params), "nothing": math.nan},
        rank_by=("best_loss",),
        record={"task": "line"},
        initial_params=lambda shapes: shapes,
    )


def lines(workdir: Path) -> list[dict]:
    return [json.loads(line) for line in (workdir / METRICS).read_text().splitlines()]
