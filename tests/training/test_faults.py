"""No training is lost: stops, kills, full disks, damaged data and non-finite losses, each caused on purpose."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from line_fit import config, experiment, lines
from PIL import Image

from glacierjax.checkpoints.native import RESUME, load_checkpoint
from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.training import resume
from glacierjax.training.logs import METRICS
from glacierjax.training.loop import train
from glacierjax.training.stop import Stopped, StopRequest

SCRIPT = Path(__file__).parent / "broken_run.py"
PATIENCE_S = 120
# Log lines and saved positions do not coincide with the ends of epochs (3 steps).
SETTINGS = {
    "num_epochs": 3,
    "log_every": 2,
    "checkpoint_every": 2,
    "schedule.name": "plateau",
    "optimizer.average_decay": 0.9,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run without any fault."""
    workdir = tmp_path_factory.mktemp("whole")
    train(config(**SETTINGS), workdir, experiment())
    return workdir


def message_of_broken_run(workdir, fault):
    """The one line with which a training ends after a fault of `broken_run.py`."""
    command = [sys.executable, str(SCRIPT), str(workdir), json.dumps(SETTINGS), fault]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 2, ended.stderr
    (message,) = ended.stdout.splitlines()
    return message


def assert_goes_on_to_the_same_end(workdir, whole):
    train(config(**SETTINGS), workdir, experiment())
    assert (workdir / METRICS).read_bytes() == (whole / METRICS).read_bytes()
    ours, theirs = (load_checkpoint(run, "last") for run in (workdir, whole))
    for name, values in theirs.params.items():
        np.testing.assert_array_equal(ours.params[name], values)
    assert not list((workdir / RESUME).glob("[0-9]*")), "no position is left behind a finished run"


@pytest.fixture
def heeded():
    """Makes Ctrl-C interrupt, also when the tests run in the background and would ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def do_at(wanted, act):
    return lambda step: act() if step == wanted else None


def interrupt():
    raise KeyboardInterrupt


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("step", [1, 5, 8])
def test_a_run_that_died_goes_on_from_the_last_position(tmp_path, whole, step):
    with pytest.raises(KeyboardInterrupt):
        train(config(**SETTINGS), tmp_path, experiment(before_step=do_at(step, interrupt)))
    assert_goes_on_to_the_same_end(tmp_path, whole)


@pytest.mark.parametrize(
    ("number", "exit_code", "step"), [("SIGTERM", 143, 1), ("SIGTERM", 143, 4), ("SIGINT", 130, 4)]
)
def test_sigterm_and_ctrl_c_save_the_step_that_is_running(tmp_path, whole, heeded, number, exit_code, step):
    number = signal.Signals[number]
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as stopped:
        train(config(**SETTINGS), tmp_path, experiment(before_step=do_at(step, lambda: os.kill(os.getpid(), number))))
    assert stopped.value.exit_code == exit_code
    saved = resume.Saves(tmp_path, ("best_loss",))
    assert saved.latest_step() == step + 1
    saved.close()
    assert signal.getsignal(number) == before, "afterwards the signal does what it did"
    assert_goes_on_to_the_same_end(tmp_path, whole)


def test_a_signal_while_an_image_is_decoded_is_not_taken_for_a_damaged_image(tmp_path, monkeypatch, heeded):
    def interrupted(*_: object, **__: object):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)  # Python handles the signal here

    monkeypatch.setattr(Image, "open", interrupted)
    (tmp_path / "scene.png").write_bytes(b"")
    with StopRequest() as stop, pytest.raises(Stopped), stop.at_once():
        read_grey_png((tmp_path / "scene.png").read_bytes(), "scene.png")


def test_a_second_ctrl_c_does_not_wait(tmp_path, whole, heeded):
    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(config(**SETTINGS), tmp_path, experiment(before_step=do_at(5, twice)))
    assert_goes_on_to_the_same_end(tmp_path, whole)


def test_an_ignored_ctrl_c_stays_ignored(tmp_path, whole, heeded):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    train(config(**SETTINGS), tmp_path, experiment(before_step=do_at(5, lambda: os.kill(os.getpid(), signal.SIGINT))))
    assert (tmp_path / METRICS).read_bytes() == (whole / METRICS).read_bytes()


def test_sigterm_during_validation_ends_it_and_it_is_done_again(tmp_path, whole):
    def slow(params):
        terminate()
        time.sleep(600)

    started = time.monotonic()
    with pytest.raises(Stopped):
        train(config(**SETTINGS), tmp_path, experiment(val_loss=slow))
    assert time.monotonic() - started < 300
    assert {line["split"] for line in lines(tmp_path)} == {"train"}
    assert_goes_on_to_the_same_end(tmp_path, whole)


def test_a_run_that_died_between_a_validation_and_its_checkpoint(tmp_path, whole, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(resume.Saves, "save_validated", lambda *_: interrupt())
        train(config(**SETTINGS), tmp_path, experiment())
    assert lines(tmp_path)[-1]["split"] == "val"
    assert_goes_on_to_the_same_end(tmp_path, whole)


def test_a_full_disk_is_said_and_the_run_goes_on_once_there_is_space(tmp_path, whole):
    message = message_of_broken_run(tmp_path, "disk")
    assert re.search(rf"{tmp_path}.*cannot be written.*free space", message)
    assert_goes_on_to_the_same_end(tmp_path, whole)


def test_a_log_that_cannot_be_written_is_said(tmp_path, whole):
    assert f"{tmp_path}: the log cannot be written" in message_of_broken_run(tmp_path, "log")
    assert_goes_on_to_the_same_end(tmp_path, whole)


@pytest.fixture
def read_only(tmp_path):
    """A folder without write permission; for root, who may write everywhere, a read-only mount."""
    folder = tmp_path / "read_only"
    folder.mkdir()
    if os.geteuid() == 0:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)], capture_output=True)
        if mounted.returncode:
            pytest.skip("root without the right to mount: no folder is read-only")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
    else:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)


def test_a_read_only_workdir_is_named(read_only):
    with pytest.raises(InputError, match=rf"{read_only}/run/checkpoints: cannot be written .* another `workdir`"):
        train(config(), read_only / "run", experiment())


def test_a_workdir_below_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/run/checkpoints: cannot be written"):
        train(config(), tmp_path / "file" / "run", experiment())


def test_broken_data_in_the_middle_of_an_epoch_stop_the_run_where_it_is(tmp_path, whole):
    def broken():
        raise InputError("shard 3, record 7: damaged record")

    with pytest.raises(InputError, match="shard 3, record 7"):
        train(config(**SETTINGS), tmp_path, experiment(before_step=do_at(5, broken)))
    assert [int(folder.name) for folder in (tmp_path / RESUME).iterdir()] == [5]
    assert_goes_on_to_the_same_end(tmp_path, whole)


def test_a_damaged_position_is_named(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(config(**SETTINGS), tmp_path, experiment(before_step=do_at(5, interrupt)))
    step = tmp_path / RESUME / "4"
    for file in (step / "training").rglob("d/*"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert re.search(
        rf"{step}: the run cannot go on from it .* remove this folder", message_of_broken_run(tmp_path, "none")
    )


def test_as_many_steps_as_allowed_are_skipped_and_change_nothing(tmp_path):
    settings = config(num_epochs=1, skip_nonfinite=1, **{"optimizer.weight_decay": 0.0})
    summary = train(settings, tmp_path, experiment(bad_steps=(1,)))
    assert summary["skipped_steps"] == 1
    written = [line for line in lines(tmp_path) if line["split"] == "train"]
    assert [line["loss"] is None for line in written] == [False, True, False]
    assert [line["skipped_steps"] for line in written] == [0, 1, 1]
    assert np.isfinite(load_checkpoint(tmp_path, "last").params["slope"]).all()


def test_one_more_stops_the_run_and_a_resumed_run_still_counts(tmp_path):
    settings = config(skip_nonfinite=1, checkpoint_every=1, log_every=2)
    with pytest.raises(KeyboardInterrupt):
        train(settings, tmp_path, experiment(bad_steps=(1,), before_step=do_at(4, interrupt)))
    with pytest.raises(
        InputError, match=r"step 8 .*SCENE_7.*; 1 steps were skipped already \(`config.skip_nonfinite`=1\)"
    ):
        train(settings, tmp_path, experiment(bad_steps=(1, 7)))


def test_a_state_that_is_not_finite_is_never_saved(tmp_path):
    settings = config(log_every=100, checkpoint_every=2)
    with pytest.raises(InputError, match="the loss is not finite at step 1 "):
        train(settings, tmp_path, experiment(bad_steps=(0,)))
    assert not any((tmp_path / RESUME).glob("[0-9]*"))
