"""Wrong input: exit code 2 and one line on stderr that names the file or flag."""

import shutil

import jax
import numpy as np
import pytest
from helpers import run_here
from small_world import SCENES, TINY, build_flags

from glacierjax.checkpoints.native import save_checkpoint
from glacierjax.core.files import write_png
from glacierjax.core.settings import PRESETS
from glacierjax.model import Tyrion, preset
from tfds_builders.build import main as build

pytestmark = pytest.mark.usefixtures("in_elsewhere")
FIRST = SCENES["train"][0]


def says_in_one_line(code, stderr, named):
    assert code == 2, stderr
    assert len(stderr.splitlines()) == 1 and named in stderr and "Traceback" not in stderr, stderr


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ((), "--workdir: missing"),
        (("--workdir=nowhere",), "nowhere: no config.json there"),
        (("--config=configs/nothere.py", "--workdir=w"), "--config=configs/nothere.py: no such file"),
        (("--config=configs/demo.py", "--workdir=w"), "--config.data.dir: missing"),
        (("--config=configs/demo.py", "--config.optimizer.learning_rate=abc", "--workdir=w"), "learning_rate=abc"),
        (("--config=configs/demo.py", "--config.optimizer.speed=1", "--workdir=w"), "--config.optimizer.speed"),
        (
            ("--config=configs/demo.py", "--config.optimizer.name=adam", "--workdir=w"),
            "name=adam: choose one of sgd, adamw",
        ),
        (("--config=configs/demo.py", "--bogus=1", "--workdir=w"), "bogus"),
        (("--config=configs/demo.py", "--workdir=w", "extra"), "'extra'"),
        (("--workdir=w", "--config.num_epochs=9"), "--config.num_epochs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_training_with_wrong_flags(elsewhere, flags, named):
    done = run_here("glacierjax.train", *flags)
    says_in_one_line(done.returncode, done.stderr, named)
    assert not (elsewhere / "w").exists(), "nothing is left behind"


def test_training_without_data(elsewhere):
    done = run_here("glacierjax.train", *TINY, "--config.data.dir=no_data", "--workdir=without_data")
    says_in_one_line(done.returncode, done.stderr, "no_data: no such folder")


def test_training_on_a_split_that_is_not_there(data):
    flags = ("--config.data.val_split=validation", f"--config.data.dir={data}", "--workdir=without_split")
    done = run_here("glacierjax.train", *TINY, *flags)
    says_in_one_line(done.returncode, done.stderr, "no split 'validation'; there are: test, train, val")


def test_training_in_the_workdir_of_another_configuration(data, trained):
    before = (trained / "config.json").read_bytes()
    done = run_here("glacierjax.train", *TINY, "--config.seed=7", f"--config.data.dir={data}", f"--workdir={trained}")
    says_in_one_line(done.returncode, done.stderr, f"{trained}: was trained with another configuration (seed: 0 -> 7)")
    assert (trained / "config.json").read_bytes() == before


def test_training_from_a_checkpoint_of_another_preset(data, trained, elsewhere):
    flags = (f"--config.init.checkpoint={trained}", f"--config.data.dir={data}", "--workdir=other_preset")
    done = run_here("glacierjax.train", *TINY, "--config.model.preset=small", *flags)
    says_in_one_line(done.returncode, done.stderr, f"{trained}/checkpoints")
    assert "--config.model.preset" in done.stderr and not (elsewhere / "other_preset").exists()


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--output=o",), "give one of --checkpoint, --predictions, --fronts, --merge"),
        (("--workdir=nowhere", "--output=o"), "nowhere: no checkpoint there"),
        (("--workdir=RUN",), "--output: missing"),
        (("--workdir=RUN", "--output=o", "--which=foo"), "--which=foo"),
        (("--workdir=RUN", "--output=o", "--bogus"), "bogus"),
        (("--workdir=RUN", "--output=o", "--split=validation"), "no split 'validation'; there are: test, train, val"),
        (("--workdir=RUN", "--output=o", "--data_dir=no_data"), "no_data: no such folder"),
        (("--predictions=no_zones", "--data=RAW", "--output=o"), "no_zones: no such folder"),
        (("--predictions=EMPTY", "--data=RAW", "--output=o"), "the folder is empty"),
        (("--predictions=EMPTY", "--data=EMPTY", "--output=o"), "empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_evaluation_with_wrong_flags(trained, data_raw, elsewhere, flags, named):
    (elsewhere / "empty").mkdir(exist_ok=True)
    places = {"RUN": str(trained), "RAW": str(data_raw), "EMPTY": "empty"}
    filled = []
    for flag in flags:
        name, _, value = flag.partition("=")
        filled.append(f"{name}={places.get(value, value)}" if value else flag)
    done = run_here("glacierjax.evaluate", *filled)
    says_in_one_line(done.returncode, done.stderr, named)
    assert not (elsewhere / "o").exists()


def test_an_ensemble_of_networks_that_take_scenes_differently(trained, tmp_path):
    model = Tyrion(**preset("small"))
    shapes = jax.eval_shape(model.init, jax.random.key(0), np.zeros((1, 64, 64, 1), np.float32))["params"]
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    save_checkpoint(
        tmp_path / "small",
        params,
        {"task": "segmentation", "model": PRESETS["small"].to_json()},
    )
    done = run_here("glacierjax.evaluate", f"--workdir={trained}", f"--checkpoint={tmp_path / 'small'}", "--output=o")
    says_in_one_line(done.returncode, done.stderr, str(tmp_path / "small"))


def truncated(data_raw):
    path = data_raw / "sar_images" / "train" / f"{FIRST}.png"
    path.write_bytes(path.read_bytes()[:1000])
    return path


def of_another_size(data_raw):
    path = data_raw / "zones" / "train" / f"{FIRST}_zones.png"
    write_png(path, np.zeros((50, 60), np.uint8))
    return path


def with_grey_value_15(data_raw):
    path = data_raw / "zones" / "train" / f"{FIRST}_zones.png"
    write_png(path, np.full((96, 100), 15, np.uint8))
    return path


def no_image(data_raw):
    path = data_raw / "fronts" / "train" / f"{FIRST}_front.png"
    path.write_text("not a picture")
    return path


@pytest.mark.parametrize("damage", [truncated, of_another_size, with_grey_value_15, no_image])
def test_building_from_a_damaged_scene(data_raw, tmp_path, capsys, damage):
    copy = tmp_path / "data_raw"
    shutil.copytree(data_raw, copy)
    path = damage(copy)
    code = build(build_flags(tmp_path / "data", copy))
    says_in_one_line(code, capsys.readouterr().err, str(path))
    assert not list((tmp_path / "data").rglob("dataset_info.json"))


def test_building_from_nothing(tmp_path, capsys):
    code = build(build_flags(tmp_path / "data", tmp_path / "nowhere"))
    says_in_one_line(code, capsys.readouterr().err, f"{tmp_path / 'nowhere'}: no such folder")
    (tmp_path / "empty").mkdir()
    code = build(build_flags(tmp_path / "data", tmp_path / "empty"))
    says_in_one_line(code, capsys.readouterr().err, str(tmp_path / "empty"))
