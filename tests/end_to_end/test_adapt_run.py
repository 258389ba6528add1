"""Adapting a trained network: what is written, stopped and started again, and what is refused."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest
from PIL import Image
from small_world import SCENES, make_scene, val_lines

from glacierjax.checkpoints.native import load_checkpoint
from glacierjax.core.errors import InputError
from glacierjax.datasets.caffe.writer import write_scene
from glacierjax.recipes import adapt as adapting
from glacierjax.recipes.adapt_report import NOT_COMPARED
from glacierjax.recipes.adapt_scenes import old_scenes
from glacierjax.recipes.adaptation import AdaptOptions
from glacierjax.recipes.held_out import HeldOut

OF_THE_GLACIER = [name for name in SCENES["train"] if name.startswith("JAC")]
LABELS = [OF_THE_GLACIER[0], OF_THE_GLACIER[-1]]  # two, evenly spread over time
FILES = ("adaptation.json", "adaptation.md", "metrics.jsonl", *(f"folds/{n}/metrics.jsonl" for n in (1, 2)))


@pytest.fixture(scope="module", autouse=True)
def short():
    """Epochs of two steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapting, "STEPS_PER_EPOCH", 2)
        yield


@pytest.fixture(scope="module")
def options(trained, data_raw, data):
    labels = {"glacier": "JAC", "scenes": len(LABELS)}
    return AdaptOptions(
        str(trained), str(data_raw), **labels, epochs=2, learning_rate=0.001, replay=str(data), replay_share=0.25
    )


@pytest.fixture(scope="module")
def adapted(options, tmp_path_factory):
    """The folder of an adaptation that was left alone; read only."""
    folder = tmp_path_factory.mktemp("adapted") / "run"
    adapting.adapt(folder, options)
    return folder


def test_each_label_is_scored_by_a_network_without_it(adapted):
    report = json.loads((adapted / "adaptation.json").read_text())
    assert report["labels"] == LABELS and set(report["cross_validation"]["labels"]) == set(LABELS)
    for number, name in enumerate(LABELS, 1):
        lines = val_lines(adapted / "folds" / str(number))
        assert [line["epoch"] for line in lines] == [1, 2]
        assert all([key for key in line if "/mde_m" in key] == [f"{name}/mde_m"] for line in lines)
    assert report["old_sites"]["scenes"] >= 1 and isinstance(report["helps"], bool)
    assert report["advice"] in (adapted / "adaptation.md").read_text()


def test_no_old_scene_is_a_label(options, trained, data):
    settings = adapting.adapted_settings(load_checkpoint(trained), options)
    old = old_scenes(settings, str(data), LABELS)
    assert sorted(old.train.names + old.val.names) == sorted(set(SCENES["train"]) - set(LABELS))
    with pytest.raises(InputError, match=r"its split train has no scenes but the labels; give data of other glaciers"):
        old_scenes(settings, str(data), SCENES["train"])


def test_the_output_is_a_network_like_any_other_that_says_where_it_comes_from(adapted, trained):
    checkpoint = load_checkpoint(adapted)
    origin = checkpoint.record["adapted_from"]
    assert origin["checkpoint"].startswith(str(trained)) and origin["labels"] == LABELS
    assert checkpoint.record["config"]["init"] == {
        "checkpoint": origin["checkpoint"],
        "which": "best_iou",
        "head": True,
        "zero_head": False,
    }
    before = load_checkpoint(origin["checkpoint"]).params
    moved = jax.tree.map(lambda new, old: float(np.abs(new - old).max()), checkpoint.params, before)
    assert 0 < max(jax.tree.leaves(moved)) < 0.1
    assert not list((adapted / "folds").rglob("checkpoints")), "the folds' networks are of no use any more"


def test_stopped_inside_a_fold_it_goes_on_with_the_same_numbers(adapted, options, tmp_path, monkeypatch):
    calls = []

    def killed(self, params):
        calls.append(1)
        if len(calls) == 4:  # the second epoch of the second fold
            raise KeyboardInterrupt
        return score(self, params)

    score = HeldOut.__call__
    monkeypatch.setattr(HeldOut, "__call__", killed)
    with pytest.raises(KeyboardInterrupt):
        adapting.adapt(tmp_path / "run", options)
    assert (tmp_path / "run" / "folds" / "1" / "errors.json").exists()
    assert not (tmp_path / "run" / "folds" / "2" / "errors.json").exists()
    adapting.adapt(tmp_path / "run", options)
    assert len(calls) == 5, "two epochs of two folds, and the one that was stopped"
    for file in FILES:
        assert (tmp_path / "run" / file).read_bytes() == (adapted / file).read_bytes(), file
    jax.tree.map(np.testing.assert_array_equal, *(load_checkpoint(f).params for f in (tmp_path / "run", adapted)))


def test_labels_that_were_drawn_again_since_the_start_are_told(options, data_raw, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    copied = shutil.copytree(data_raw, tmp_path / "data_raw")
    alone = dataclasses.replace(options, data=str(copied), replay="", replay_share=0.0)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(adapting, "_adapt", stop)
        adapting.adapt(tmp_path / "run", alone)
    (front,) = copied.rglob(f"{LABELS[0]}_front.png")
    Image.fromarray(np.roll(np.asarray(Image.open(front)), 3)).save(front)
    with pytest.raises(InputError, match=rf"was adapted otherwise .labels that have changed: {LABELS[0]}\)"):
        adapting.adapt(tmp_path / "run", alone)


@pytest.mark.slow  # compiles the step again
def test_one_label_cannot_be_compared_and_this_is_said(options, trained, data_raw, tmp_path):
    alone = AdaptOptions(str(trained), str(data_raw), scenes=1, epochs=1)
    report = adapting.adapt(tmp_path / "run", alone)
    assert report["cross_validation"] is None and report["advice"] == NOT_COMPARED


@pytest.mark.slow  # compiles another network
def test_a_rock_mask_of_the_labels_becomes_a_channel(trained, tmp_path):
    rng = np.random.default_rng(0)
    for number, name in enumerate(LABELS[:2]):
        scene = make_scene(name, 40 + 5 * number, rng)
        rock = np.zeros(scene.image.shape, bool)
        rock[:8] = True
        write_scene(tmp_path / "data_raw", "train", dataclasses.replace(scene, rock=rock))
    options = AdaptOptions(
        str(trained), str(tmp_path / "data_raw"), channels=("grey", "rock", "grey"), epochs=1, folds=0
    )
    adapting.adapt(tmp_path / "run", options)
    assert load_checkpoint(tmp_path / "run").record["model"]["channels"] == ["grey", "rock", "grey"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"glacier": "KAN"}, "glacier='KAN': no labelled scene of it; there are: DBE, JAC"),
        ({"scenes": 9}, "scenes=9: there are 6 labelled scenes; choose at most so many"),
        ({"split": "validation"}, "no split 'validation'; there are: test, train"),
        ({"checkpoint": "nowhere"}, "nowhere: no checkpoint there"),
        ({"channels": ("grey", "rock", "grey")}, "no label has a rock mask; leave it out, or label with one"),
    ],
)
def test_wrong_input_is_told_before_anything_is_trained(trained, data_raw, tmp_path, change, message):
    values = {"checkpoint": str(trained), "data": str(data_raw), **change}
    with pytest.raises(InputError, match=message):
        adapting.adapt(tmp_path / "run", AdaptOptions(**values))
    assert not (tmp_path / "run").exists()


def test_the_output_of_another_adaptation_or_anything_else_is_left_alone(adapted, trained, data_raw, tmp_path):
    other = AdaptOptions(str(trained), str(data_raw), glacier="DBE")
    with pytest.raises(InputError, match=r"was adapted otherwise .glacier: JAC -> DBE"):
        adapting.adapt(adapted, other)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InputError, match="exists already; choose a new folder"):
        adapting.adapt(tmp_path, other)


def test_the_command_names_its_flags(trained, data_raw, command):
    flags = (f"--checkpoint={trained}", f"--data={data_raw}", "--output=new", "--glacier=KAN")
    done = command("glacierjax.adapt", *flags)
    assert done.returncode == 2
    assert "--glacier=KAN: no labelled scene of it" in done.stderr and len(done.stderr.strip().splitlines()) == 1
