"""Trainings of series as a user runs them: resumed after a kill, from other weights, and with settings that cannot be."""

import dataclasses
import json

import numpy as np
import pytest
from helpers import run_here
from small_world import METRICS, TINY_PRETRAINING, val_lines

from glacierjax.checkpoints.native import load_checkpoint
from glacierjax.checkpoints.record import training_of
from glacierjax.core.settings import PRESETS, SeriesFineTuning

FRAMES = 3
SERIES = (
    "--config=configs/finetune_series.py",
    *(flag for flag in TINY_PRETRAINING if "micro_batch" not in flag),
    f"--config.data.frames={FRAMES}",
    "--config.model.temporal=conv",
    "--config.schedule.patience=0",
)


@pytest.fixture(scope="module")
def series(command, data, elsewhere):
    """The workdir of a finished training, and what it said."""
    done = command("glacierjax.train", *SERIES, f"--config.data.dir={data}", "--workdir=series")
    assert done.returncode == 0, done.stderr
    return elsewhere / "series", done.stderr


def test_a_run_of_series_writes_what_single_images_do(series):
    workdir, said = series
    lines = [json.loads(line) for line in (workdir / METRICS).read_text().splitlines()]
    assert len(val_lines(workdir)) == 4 and all("mde_m" in line for line in val_lines(workdir))
    assert all(np.isfinite(line["loss"]) for line in lines if line["split"] == "train")
    assert f"8 series of {FRAMES} crops of 64 px per epoch" in said
    assert "of DBE for series of 3, so scenes are repeated" in said
    checkpoint = load_checkpoint(workdir, "last")
    assert checkpoint.record["task"] == "segmentation_series"
    training = training_of(checkpoint)
    assert isinstance(training, SeriesFineTuning) and training.data.frames == FRAMES
    assert checkpoint.record["model"] == dataclasses.replace(
        PRESETS["tiny"], temporal="conv", narrow_decoder=True
    ).to_json() | {"depths": [1, 1, 2, 1], "num_heads": [1, 2, 4, 8]}
    assert np.abs(checkpoint.params["encoder"]["stage1_block0"]["temporal"]["conv"]["kernel"]).max() > 0


def test_the_rate_falls_when_the_error_of_the_validation_does_not(series):
    workdir, _ = series
    rates = [
        json.loads(line)["learning_rate"] for line in (workdir / METRICS).read_text().splitlines() if '"train"' in line
    ]
    best, expected, rate = np.inf, [], 0.01
    for line in val_lines(workdir):
        expected += [rate] * 2
        error = np.inf if line["mde_m"] is None else line["mde_m"]
        rate *= 1 if error < best * (1 - 1e-4) else 0.66
        best = min(best, error)
    assert rates == pytest.approx(expected)


@pytest.mark.slow
def test_a_killed_run_of_series_goes_on_with_the_same_numbers(series, data, command, train_and_kill):
    workdir = train_and_kill("killed_series", *SERIES, f"--config.data.dir={data}")
    done = command("glacierjax.train", f"--workdir={workdir}")
    assert done.returncode == 0, done.stderr
    assert "resuming after step" in done.stderr
    assert (workdir / METRICS).read_bytes() == (series[0] / METRICS).read_bytes()


def test_a_run_does_not_go_on_with_another_number_of_frames(series, data, in_elsewhere):
    flags = [flag for flag in SERIES if "frames" not in flag]
    where = (f"--config.data.dir={data}", f"--workdir={series[0]}")
    done = run_here("glacierjax.train", *flags, "--config.data.frames=4", *where)
    assert done.returncode == 2 and f"data.frames: {FRAMES} -> 4" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.slow
def test_series_start_from_a_network_of_single_images(trained, data, command):
    done = command(
        "glacierjax.train",
        *SERIES,
        "--config.num_epochs=1",
        f"--config.init.checkpoint={trained}",
        f"--config.data.dir={data}",
        "--workdir=series_from_images",
    )
    assert done.returncode == 0, done.stderr
    assert "arrays taken (encoder)" in done.stderr, "its decoder is of the other kind"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--config.data.frames=1",), "--config.data.frames=1: --config.model.temporal=conv needs two frames or more"),
        (("--config.model.temporal=mean",), "--config.model.temporal=mean: choose one of none, conv, gru, ltae"),
        (("--config.validation.mode=whole",), "--config.validation.mode=whole: series are validated in the mode tiled"),
    ],
)
def test_settings_that_cannot_be_end_with_one_line(in_elsewhere, data, flags, told):
    done = run_here("glacierjax.train", *SERIES, *flags, f"--config.data.dir={data}", "--workdir=never")
    assert done.returncode == 2
    assert told in done.stderr and "Traceback" not in done.stderr and done.stderr.count("\n") == 1
