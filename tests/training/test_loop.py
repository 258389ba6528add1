"""The training loop on a task that compiles quickly."""

import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from line_fit import BALLAST, BATCH, STEPS_PER_EPOCH, Line, config, experiment, lines

from glacierjax.core.errors import InputError
from glacierjax.training.logs import METRICS, RunLog
from glacierjax.training.loop import SharedStep, train
from glacierjax.training.step import create_state


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
    assert summary["steps"] == 30 and summary["epochs"] == 10 and summary["parameters"] == 2 + BALLAST
    assert summary["last"]["loss"] == written[-1]["loss"]
    assert any((tmp_path / "events").iterdir())


@pytest.mark.parametrize(("average_decay", "optimizer"), [(0.0, "sgd"), (0.9, "sgd"), (0.9, "adamw"), (0.9, "muon")])
def test_a_run_that_was_stopped_goes_on_with_the_same_numbers(tmp_path, average_decay, optimizer):
    settings = config(
        **{"optimizer.average_decay": average_decay, "optimizer.name": optimizer, "schedule.name": "plateau"}
    )
    train(settings, tmp_path / "whole", experiment())

    def stopped(step):
        if step == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path / "parts", experiment(before_step=stopped))  # in the third epoch
    assert lines(tmp_path / "parts")[-1]["step"] == 7
    train(settings, tmp_path / "parts", experiment())
    assert (tmp_path / "parts" / METRICS).read_bytes() == (tmp_path / "whole" / METRICS).read_bytes()


def test_a_longer_run_goes_on_from_a_shorter_one(tmp_path):
    train(config(), tmp_path / "long", experiment())
    train(config(num_epochs=2), tmp_path / "short", experiment())
    train(config(), tmp_path / "short", experiment())
    assert (tmp_path / "short" / METRICS).read_bytes() == (tmp_path / "long" / METRICS).read_bytes()


def test_given_weights_are_taken_and_the_others_drawn_as_without_them():
    def given(shapes):
        return {**shapes, "slope": np.float32([7])}

    start = Line(), optax.sgd(0.1), jax.random.key(3), {"x": jnp.zeros(2), "y": jnp.zeros(2)}
    drawn, mixed = create_state(*start).params, create_state(*start, given).params
    assert mixed["slope"] == 7 != drawn["slope"]
    np.testing.assert_array_equal(mixed["ballast"], drawn["ballast"])
    assert create_state(*start, lambda shapes: drawn).params == drawn, "nothing is left to draw"


def test_trainings_that_share_a_step_compile_it_once_and_give_the_numbers_that_each_gives_alone(tmp_path):
    shared, traced = SharedStep(), []
    seeds = {"one": 1, "two": 2}
    for name, seed in seeds.items():

        class Counted(Line):
            def loss(self, params, batch, rng, train):
                traced.append(train)
                return super().loss(params, batch, rng, train)

        train(config(seed=seed), tmp_path / name, experiment())
        train(
            config(seed=seed),
            tmp_path / f"{name}_shared",
            dataclasses.replace(experiment(), task=Counted(), step=shared),
        )
        assert (tmp_path / name / METRICS).read_bytes() == (tmp_path / f"{name}_shared" / METRICS).read_bytes()
        if name == "one":
            first = len(traced)
    assert len(traced) == first > 0


def test_a_finished_run_started_again_changes_nothing(tmp_path):
    first = train(config(), tmp_path, experiment())
    before = (tmp_path / METRICS).read_bytes()
    again = train(config(), tmp_path, experiment())
    assert (tmp_path / METRICS).read_bytes() == before
    assert again == first


def test_the_summary_of_a_shorter_run_is_not_taken_for_that_of_a_longer_one_that_was_killed_before_it_wrote_its_own(
    tmp_path,
):
    train(config(num_epochs=2), tmp_path, experiment())
    earlier = (tmp_path / "summary.json").read_bytes()
    longer = train(config(), tmp_path, experiment())
    (tmp_path / "summary.json").write_bytes(earlier)
    again = train(config(), tmp_path, experiment())
    assert again["steps"] == longer["steps"] and again["last"] == longer["last"]
    assert json.loads((tmp_path / "summary.json").read_text()) == again


@pytest.mark.parametrize("log_every", [1, 100])
def test_a_loss_that_is_not_finite_stops_naming_step_rate_and_scenes(tmp_path, log_every):
    with pytest.raises(InputError) as caught:
        train(config(log_every=log_every), tmp_path, experiment(bad_steps=(4,)))
    message = str(caught.value)
    assert "\n" not in message
    for part in ("step 5", "learning rate 0.1", "SCENE_4", "`config.optimizer.learning_rate`"):
        assert part in message
    assert all(math.isfinite(line["loss"]) for line in lines(tmp_path))


def test_the_plateau_rule_lowers_the_rate_that_is_logged(tmp_path):
    train(config(**{"schedule.name": "plateau"}), tmp_path, experiment(val_loss=lambda params: 1.0))
    rates = [line["learning_rate"] for line in lines(tmp_path) if line["split"] == "train"]
    assert rates[::STEPS_PER_EPOCH] == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_micro_batches_that_do_not_divide_the_batch_are_refused_before_anything_is_trained(tmp_path):
    def never(start):
        raise AssertionError("data were read")

    with pytest.raises(InputError, match="does not divide"):
        train(config(micro_batch_size=3), tmp_path, dataclasses.replace(experiment(), batches=never))
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


def test_a_run_whose_validation_is_not_behind_it_loses_that_line(tmp_path):
    log = RunLog(tmp_path, 0)
    for split in ("train", "val"):
        log.write(3, 1, split, {"loss": 1.0})
    log.close()
    RunLog(tmp_path, 3).close()
    assert [line["split"] for line in lines(tmp_path)] == ["train", "val"]
    RunLog(tmp_path, 3, validated=False).close()
    assert [line["split"] for line in lines(tmp_path)] == ["train"]


def test_a_run_ends_after_so_many_epochs_without_a_lower_loss_and_stays_ended(tmp_path):
    losses = iter([3.0, 2.0, 2.5, 2.0, 1.0])
    settings = config(num_epochs=9, early_stop_epochs=2)
    summary = train(settings, tmp_path, experiment(val_loss=lambda params: next(losses)))
    assert summary["stopped_early"] and summary["epochs"] == 4
    assert summary["best"] == {"loss": {"value": 2.0, "epoch": 2}}
    assert train(settings, tmp_path, experiment()) == summary


def test_the_profile_of_some_steps_is_written(tmp_path):
    train(config(num_epochs=2, profile_steps=2), tmp_path, experiment())
    assert any((tmp_path / "profile").rglob("*.xplane.pb"))


def test_events_hold_scalars_pictures_and_the_learning_rate(tmp_path):
    import numpy as np
    from tensorboardX.proto.event_pb2 import Event

    picture = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    shown = dataclasses.replace(experiment(), pictures=lambda: {"val/scene": picture})
    train(config(num_epochs=1), tmp_path, shown)
    (file,) = (tmp_path / "events").iterdir()
    data, tags = file.read_bytes(), set()
    while data:  # length (8 bytes), its checksum (4), the event, its checksum (4)
        length = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + length])
        tags |= {value.tag for value in event.summary.value}
        data = data[16 + length :]
    assert {"train/loss", "train/learning_rate", "train/images_per_second", "val/loss", "val/scene"} <= tags


def test_the_start_is_told_in_one_table(tmp_path, caplog):
    caplog.set_level("INFO", "glacierjax")
    shown = dataclasses.replace(experiment(), facts={"training": "7 points"})
    summary = train(config(num_epochs=1), tmp_path, shown)
    (table,) = (record.message for record in caplog.records if "effective batch" in record.message)
    for word in ("devices", f"{2 + BALLAST:,}", "GFLOP", "MiB", "7 points", "1 of 3 steps", f"{BATCH} = 2 x "):
        assert word in table
    assert summary["step_memory_mib"] >= 0 and summary["forward_gflops_per_image"] >= 0
