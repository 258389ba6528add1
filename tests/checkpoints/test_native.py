"""The project's own checkpoints: which are kept, which are loaded, which are errors."""

import shutil
import sys
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.checkpoints import native
from glacierjax.checkpoints.native import Keeper, load_checkpoint, save_checkpoint
from glacierjax.core.errors import InputError
from glacierjax.core.version import version

BOTH = ("best_iou", "best_mde")


def params(step):
    rng = np.random.default_rng(step)
    return {
        "encoder": {"kernel": rng.normal(size=(3, 4)).astype(np.float32), "bias": np.float32([np.nan, -0.0, step])},
        "head": {"kernel": jnp.asarray(rng.normal(size=(2, 2)), jnp.bfloat16)},
    }


def training(step):
    return {"step": np.int32(step), "optimizer": {"trace": np.full((5,), step / 3, np.float32)}}


def record(**metrics):
    return {"task": "segmentation", "model": {"depths": [1, 1, 2, 1]}, "metrics": metrics}


def write_run(workdir, scores, metrics=BOTH):
    """`scores`: (iou, mde_m) of steps 1, 2, ..."""
    keeper = Keeper(workdir, metrics)
    for step, (iou, mde_m) in enumerate(scores, 1):
        keeper.save(step, params(step), record(iou=iou, mde_m=mde_m, step=step), training(step))
    keeper.close()
    return workdir


def test_what_a_killed_run_had_begun_to_write_is_gone_once_the_folder_is_open(tmp_path):
    write_run(tmp_path, [(0.5, 100)])
    unfinished = tmp_path / native.CHECKPOINTS / "2.orbax-checkpoint-tmp-1"
    (unfinished / "params").mkdir(parents=True)
    threads = set(threading.enumerate())
    keeper = Keeper(tmp_path, BOTH)
    assert not unfinished.exists() and kept(tmp_path) == [1]
    keeper.close()
    assert set(threading.enumerate()) <= threads  # one that goes on gives a traceback where the process ends


def kept(workdir):
    return sorted(int(folder.name) for folder in (workdir / native.CHECKPOINTS).iterdir())


def step_of(workdir, which):
    return load_checkpoint(workdir, which).record["metrics"]["step"]


def assert_bit_identical(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        one, other = np.asarray(one), np.asarray(other)
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Best IoU at step 2, smallest error at step 3, last step 5; read only."""
    scores = [(0.3, 900.0), (0.6, 500.0), (0.5, 200.0), (0.4, 300.0), (0.2, 400.0)]
    return write_run(tmp_path_factory.mktemp("run"), scores)


@pytest.fixture
def copy(run, tmp_path):
    """A copy that a test may damage."""
    shutil.copytree(run, tmp_path / "copy")
    return tmp_path / "copy"


def test_best_by_each_metric_and_the_last_are_kept(run):
    assert kept(run) == [2, 3, 5]


@pytest.mark.parametrize(("which", "step"), [("best_iou", 2), ("best_mde", 3), ("last", 5)])
def test_which_chooses_the_checkpoint(run, which, step):
    found = load_checkpoint(run, which)
    assert found.record["metrics"]["step"] == step
    assert found.path == run / native.CHECKPOINTS / str(step)
    assert_bit_identical(found.params, params(step))
    assert load_checkpoint(run / native.CHECKPOINTS, which).path == found.path


def test_folder_of_one_step_is_itself_a_checkpoint(run):
    assert load_checkpoint(run / native.CHECKPOINTS / "3", "best_iou").record["metrics"]["step"] == 3


def test_unknown_which_names_the_choices(run):
    with pytest.raises(InputError, match="which='newest': choose one of last, best_iou, best_mde"):
        load_checkpoint(run, "newest")


def test_metric_that_no_checkpoint_has_is_an_error_and_the_default_takes_the_last(tmp_path):
    write_run(tmp_path, [(None, 5.0), (None, 4.0)], metrics=("best_mde",))
    assert step_of(tmp_path, "best_iou") == 2
    with pytest.raises(InputError, match=r"which=.best_loss.: no checkpoint .* has the metric loss"):
        load_checkpoint(tmp_path, "best_loss")


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_missing_value_never_ranks_best(tmp_path, missing):
    write_run(tmp_path, [(missing, missing), (0.1, 900.0), (missing, missing), (0.05, missing)])
    assert kept(tmp_path) == [2, 4]
    assert step_of(tmp_path, "best_iou") == step_of(tmp_path, "best_mde") == 2


def test_of_equals_the_latest_is_kept_and_found(tmp_path):
    write_run(tmp_path, [(0.5, 100.0), (0.5, 200.0), (0.5, 100.0), (0.4, 300.0)])
    assert kept(tmp_path) == [3, 4]
    assert step_of(tmp_path, "best_iou") == step_of(tmp_path, "best_mde") == 3


def test_ranking_looks_at_all_kept_steps(tmp_path):
    write_run(tmp_path, [(0.5, 100.0), (0.5, 200.0), (0.4, 300.0)])
    assert kept(tmp_path) == [1, 2, 3]
    assert (step_of(tmp_path, "best_iou"), step_of(tmp_path, "best_mde")) == (2, 1)


def test_restored_state_is_bit_identical(run):
    keeper = Keeper(run, BOTH)
    assert keeper.latest_step() == 5
    found, state, about = keeper.restore(5, params(0), training(0))
    keeper.close()
    assert_bit_identical(found, params(5))
    assert_bit_identical(state, training(5))
    assert about == {**record(iou=0.2, mde_m=400.0, step=5), "version": version()}


def test_a_run_goes_on_ranking_what_it_kept_before(copy):
    keeper = Keeper(copy, BOTH)
    keeper.save(6, params(6), record(iou=0.55, mde_m=100.0, step=6), training(6))
    keeper.close()
    assert kept(copy) == [2, 6]


def test_step_that_is_there_already_is_refused(copy):
    keeper = Keeper(copy, BOTH)
    with pytest.raises(InputError, match=r"step 5 .* use a new workdir"):
        keeper.save(5, params(5), record(iou=0.9, mde_m=1.0), training(5))
    keeper.close()


def test_half_written_step_is_ignored(copy):
    folder = copy / native.CHECKPOINTS
    shutil.copytree(folder / "5", folder / "7.orbax-checkpoint-tmp")
    assert step_of(copy, "last") == 5
    keeper = Keeper(copy, BOTH)
    assert keeper.latest_step() == 5
    keeper.close()


def test_existing_folder_is_refused_and_left_alone(tmp_path):
    save_checkpoint(tmp_path / "one", params(1), record())
    with pytest.raises(InputError, match=r"one: exists already"):
        save_checkpoint(tmp_path / "one", params(2), record())
    assert_bit_identical(load_checkpoint(tmp_path / "one").params, params(1))
    assert [path.name for path in tmp_path.iterdir()] == ["one"], "nothing half-written beside it"


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/one: cannot be written"):
        save_checkpoint(tmp_path / "file" / "one", params(1), record())


@pytest.mark.parametrize("what", ["nothing", "empty", "file"])
def test_what_is_no_checkpoint_is_named(tmp_path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=f"{what}: no checkpoint there; expected a workdir"):
        load_checkpoint(tmp_path / what)


def truncate_arrays(step):
    for file in step.joinpath("params").rglob("*"):
        if file.is_file() and file.parent.name == "d":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGES = {
    "arrays cut short": truncate_arrays,
    "arrays gone": lambda step: [shutil.rmtree(folder) for folder in step.joinpath("params").rglob("d")],
    "array metadata gone": lambda step: step.joinpath("params", "_METADATA").unlink(),
    "record empty": lambda step: next(p for p in step.joinpath("record").rglob("metadata")).write_text(""),
    "record no JSON": lambda step: next(p for p in step.joinpath("record").rglob("metadata")).write_text("{oh"),
    "record gone": lambda step: shutil.rmtree(step / "record"),
    "params gone": lambda step: shutil.rmtree(step / "params"),
    "empty": lambda step: [shutil.rmtree(p) if p.is_dir() else p.unlink() for p in step.iterdir()],
}


@pytest.mark.parametrize("which", ["best_iou", "last"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_checkpoint_is_named_and_nothing_else_is_printed(copy, damage, which, monkeypatch):
    unheard = []
    monkeypatch.setattr(sys, "unraisablehook", unheard.append)
    step = copy / native.CHECKPOINTS / {"best_iou": "2", "last": "5"}[which]
    DAMAGES[damage](step)
    with pytest.raises(InputError, match=rf"checkpoints/{step.name}: not a readable .*; copy it again") as error:
        load_checkpoint(copy, which)
    assert len(str(error.value)) < len(str(step)) + 300
    time.sleep(0.2 if "arrays" in damage else 0)  # reads that were not waited for would end now
    assert not unheard


@pytest.mark.parametrize("step", ["2", "5"])
@pytest.mark.parametrize("content", ["", '{"iou": 0.'])
def test_damaged_metrics_of_any_step_are_named_when_the_run_goes_on(copy, step, content):
    file = copy / native.CHECKPOINTS / step / "metrics" / "metrics"
    assert file.is_file()
    file.write_text(content)
    with pytest.raises(InputError, match=rf"{step}/metrics/metrics: damaged .*; remove the folder .*/{step} to go on"):
        Keeper(copy, BOTH)
