"""The training loop on a task that compiles in no time: a line fitted to points."""

import contextlib
import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from glacierjax.core.errors import InputError
from glacierjax.training.logs import METRICS, RunLog
from glacierjax.training.loop import Experiment, train

BATCH = 8 * jax.device_count()
STEPS_PER_EPOCH = 3


class Line:
    """y = slope x + offset, with noise that depends on the random key as dropout does."""

    def init(self, rng, batch):
        return {"slope": jax.random.normal(rng, (1,)), "offset": jnp.zeros(1)}

    def loss(self, params, batch, rng, train):
        noise = 0.01 * jax.random.normal(rng, batch["x"].shape) if train else 0.0
        error = params["slope"] * batch["x"] + params["offset"] + noise - batch["y"]
        return jnp.mean(error**2), {"error": jnp.abs(error).mean()}


def config(**changes):
    values = ConfigDict({
        "seed": 0, "batch_size": BATCH, "micro_batch_size": 4, "num_epochs": 4, "log_every": 1,
        "data": {"samples_per_epoch": STEPS_PER_EPOCH * BATCH},
        "optimizer": {"name": "sgd", "learning_rate": 0.1, "weight_decay": 1e-4, "average_decay": 0.0},
        "schedule": {"name": "constant", "warmup_epochs": 0.0, "factor": 0.5, "patience": 0},
    })  # fmt: skip
    values.update_from_flattened_dict(changes)
    return values


def experiment(bad_step=None, val_loss=lambda params: float((params["slope"][0] - 2) ** 2)):
    @contextlib.contextmanager
    def batches(start):
        def stream():
            for step in range(start, 10_000):
                x = np.random.default_rng(step).normal(size=BATCH).astype(np.float32)
                yield {"x": x if step != bad_step else x * np.nan, "y": 2 * x + 1}

        yield stream()

    return Experiment(
        task=Line(),
        batches=batches,
        scenes_of=lambda step: [f"SCENE_{step}"],
        prepare=lambda batch: batch,
        evaluate=lambda params: {"loss": val_loss(params), "nothing": math.nan},
        rank_by=("best_loss",),
        record={"task": "line"},
        initial_params=lambda fresh: fresh,
    )


def lines(workdir):
    return [json.loads(line) for line in (workdir / METRICS).read_text().splitlines()]


def test_training_fits_and_writes_what_it_promises(tmp_path):
    settings = config(num_epochs=10, **{"optimizer.learning_rate": 0.05})
    summary = train(settings, tmp_path, experiment())
    written = lines(tmp_path)
    order = [(line["step"], line["split"]) for line in written[:4]]
    assert order == [(1, "train"), (2, "train"), (3, "train"), (3, "val")]
    assert [line["epoch"] for line in written if line["split"] == "val"] == list(range(1, 11))
    assert written[-2]["loss"] < 0.1 * written[0]["loss"]
    assert written[-1]["nothing"] is None, "what does not exist is null"
    assert summary == json.loads((tmp_path / "summary.json").read_text())
    assert summary["steps"] == 30 and summary["epochs"] == 10 and summary["parameters"] == 2
    assert summary["last"]["loss"] == written[-1]["loss"]
    assert any((tmp_path / "events").iterdir())


@pytest.mark.parametrize("average_decay", [0.0, 0.9])
def test_a_run_that_was_stopped_goes_on_with_the_same_numbers(tmp_path, average_decay):
    settings = config(**{"optimizer.average_decay": average_decay, "schedule.name": "plateau"})
    train(settings, tmp_path / "whole", experiment())

    def stopped(step):
        raise KeyboardInterrupt

    interrupted = dataclasses.replace(experiment(bad_step=7), scenes_of=stopped)
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "parts", interrupted)  # in the third epoch
    assert lines(tmp_path / "parts")[-1]["step"] == 7
    train(settings, tmp_path / "parts", experiment())
    assert (tmp_path / "parts" / METRICS).read_bytes() == (tmp_path / "whole" / METRICS).read_bytes()


def test_a_longer_run_goes_on_from_a_shorter_one(tmp_path):
    train(config(), tmp_path / "long", experiment())
    train(config(num_epochs=2), tmp_path / "short", experiment())
    train(config(), tmp_path / "short", experiment())
    assert (tmp_path / "short" / METRICS).read_bytes() == (tmp_path / "long" / METRICS).read_bytes()


def test_a_finished_run_started_again_changes_nothing(tmp_path):
    first = train(config(), tmp_path, experiment())
    before = (tmp_path / METRICS).read_bytes()
    again = train(config(), tmp_path, experiment())
    assert (tmp_path / METRICS).read_bytes() == before
    assert again == first


@pytest.mark.parametrize("log_every", [1, 100])
def test_a_loss_that_is_not_finite_stops_naming_step_rate_and_scenes(tmp_path, log_every):
    with pytest.raises(InputError) as caught:
        train(config(log_every=log_every), tmp_path, experiment(bad_step=4))
    message = str(caught.value)
    assert "\n" not in message
    for part in ("step 5", "learning rate 0.1", "SCENE_4", "--config.optimizer.learning_rate"):
        assert part in message
    assert all(math.isfinite(line["loss"]) for line in lines(tmp_path))


def test_the_plateau_rule_lowers_the_rate_that_is_logged(tmp_path):
    train(config(**{"schedule.name": "plateau"}), tmp_path, experiment(val_loss=lambda params: 1.0))
    rates = [line["learning_rate"] for line in lines(tmp_path) if line["split"] == "train"]
    assert rates[::STEPS_PER_EPOCH] == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_a_plateau_without_a_loss_to_watch_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"--config.schedule.name=plateau"):
        train(
            config(**{"schedule.name": "plateau"}), tmp_path, dataclasses.replace(experiment(), rank_by=("best_iou",))
        )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("schedule.name", "step", "choose constant, plateau or cosine"), ("optimizer.name", "lion", "choose sgd or adamw"),
     ("data.samples_per_epoch", BATCH - 1, "an epoch needs at least one batch"),
     ("micro_batch_size", 3, "does not divide")],
)  # fmt: skip
def test_wrong_settings_are_refused_before_anything_is_trained(tmp_path, field, value, message):
    def never(start):
        raise AssertionError("data were read")

    with pytest.raises(InputError, match=message):
        train(config(**{field: value}), tmp_path, dataclasses.replace(experiment(), batches=never))
    assert not (tmp_path / METRICS).exists()


def test_the_log_is_cut_back_to_the_restored_step(tmp_path):
    log = RunLog(tmp_path, 0)
    for step in range(1, 6):
        log.write(step, step / 2, "train", {"loss": 1.0 / step})
    log.close()
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"step": 3, "ep')  # a crash cut this line short
    RunLog(tmp_path, 3).close()
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3]
    RunLog(tmp_path, 0).close()
    assert lines(tmp_path) == []
