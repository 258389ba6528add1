"""`glacierjax.train` as a user runs it: repeated, resumed after a kill, and with other numbers of epochs."""

import json
from pathlib import Path

import pytest
from small_world import EPOCHS, METRICS, TINY, val_lines

from glacierjax.checkpoints.native import CHECKPOINTS, load_checkpoint

STEPS_PER_EPOCH = 2


def test_the_workdir_holds_what_is_promised(trained, data):
    config = json.loads((trained / "config.json").read_text())
    used = Path(config["data"]["dir"])  # of the process that trained, so its folder may be another one of this name
    assert used.is_absolute() and used.name == data.name
    assert config["model"]["preset"] == "tiny" and config["batch_size"] == 4
    lines = [json.loads(line) for line in (trained / METRICS).read_text().splitlines()]
    assert [line["step"] for line in lines if line["split"] == "train"] == list(range(1, STEPS_PER_EPOCH * EPOCHS + 1))
    assert [line["epoch"] for line in val_lines(trained)] == list(range(1, EPOCHS + 1))
    assert all(0 <= line["iou"] <= 1 and "mde_m" in line and "missing_fronts" in line for line in val_lines(trained))
    summary = json.loads((trained / "summary.json").read_text())
    assert summary["epochs"] == EPOCHS and summary["last"]["iou"] == val_lines(trained)[-1]["iou"]
    assert any((trained / "events").glob("events.out.tfevents.*"))
    assert 1 <= len(list((trained / CHECKPOINTS).glob("[0-9]*"))) <= 3, "best IoU, lowest distance error, last"


def test_kept_checkpoints_are_the_last_and_the_best(trained):
    assert load_checkpoint(trained, "last").record["step"] == STEPS_PER_EPOCH * EPOCHS
    best = load_checkpoint(trained, "best_iou").record
    assert best["metrics"]["iou"] == max(line["iou"] for line in val_lines(trained))
    errors = [line["mde_m"] for line in val_lines(trained) if line["mde_m"] is not None]
    if errors:
        assert load_checkpoint(trained, "best_mde").record["metrics"]["mde_m"] == min(errors)


@pytest.mark.slow  # training/test_faults.py kills runs that compile quickly
def test_a_run_with_workers_killed_and_started_again_gives_the_numbers_of_one_without_left_alone(
    trained, data, command, train_and_kill
):
    flags = [flag for flag in TINY if "workers" not in flag]
    workdir = train_and_kill("killed", *flags, "--config.data.workers=2", f"--config.data.dir={data}")
    done = command("glacierjax.train", f"--workdir={workdir}")
    assert done.returncode == 0, done.stderr
    assert "resuming after step" in done.stderr
    assert (workdir / METRICS).read_bytes() == (trained / METRICS).read_bytes()
    assert (workdir / "summary.json").exists()


@pytest.mark.slow  # trains another network; prediction/test_ensemble.py has the parts
def test_a_network_trained_at_another_spacing_is_evaluated_at_it(data, command, elsewhere):
    done = command(
        "glacierjax.train",
        *TINY,
        "--config.data.pixel_spacing_m=40",
        f"--config.data.dir={data}",
        "--workdir=coarse",
    )
    assert done.returncode == 0, done.stderr
    scored = command(
        "glacierjax.evaluate",
        "--workdir=coarse",
        "--which=last",
        "--mode=tiled",
        "--split=val",
        "--output=coarse_scores",
    )
    assert scored.returncode == 0, scored.stderr
    metrics = json.loads((elsewhere / "coarse_scores" / "metrics.json").read_text())
    last = val_lines(elsewhere / "coarse")[-1]
    assert metrics["zones"]["iou"]["mean"] == pytest.approx(last["iou"], rel=1e-6)
