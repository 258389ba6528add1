"""Configuration files: where they are found, what they may say, and the config.json of a workdir."""

import json
from pathlib import Path

import pytest

from glacierjax.core.errors import InputError
from glacierjax.recipes.checks import check_values
from glacierjax.recipes.configs import (
    CONFIG_JSON,
    cache_folder,
    find_config,
    from_workdir,
    load_config,
    locate,
    resolved,
    settle,
    to_plain,
)

SHIPPED = sorted(f"configs/{path.name}" for path in Path(__file__).parents[2].glob("configs/[!_]*.py"))
TRAININGS = [name for name in SHIPPED if "study" not in name]  # a study says which trainings, see test_study.py


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """Another working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pretend_trained(workdir: Path) -> None:
    (workdir / "checkpoints" / "10").mkdir(parents=True)


@pytest.mark.parametrize("name", TRAININGS)
def test_every_shipped_config_loads_from_anywhere_and_has_only_sensible_values(elsewhere, name):
    check_values(load_config(name))


def test_a_file_in_the_working_directory_goes_before_the_packages(elsewhere):
    own = elsewhere / "configs" / "demo.py"
    own.parent.mkdir()
    own.write_text("from ml_collections import ConfigDict\ndef get_config():\n    return ConfigDict({'a': 1})\n")
    assert find_config("configs/demo.py") == own
    assert load_config("configs/demo.py").a == 1
    assert find_config("configs/demo_real.py").is_file()


def test_a_missing_file_is_named_with_those_that_are_there(elsewhere):
    with pytest.raises(InputError, match=r"--config=configs/dmo.py: no such file; .*configs/demo.py"):
        find_config("configs/dmo.py")


def test_a_file_without_get_config_is_named(elsewhere):
    (elsewhere / "x.py").write_text("config = 1\n")
    with pytest.raises(InputError, match=r"x.py: not a configuration file"):
        load_config("x.py")


@pytest.mark.parametrize(
    "argument", ["--config=configs/demo.py", "-config=configs/demo.py", "--config configs/demo.py"]
)
def test_the_command_line_gets_the_file_that_is_meant(elsewhere, argument):
    argv = ["train", *argument.split(), "--config.seed=3"]
    out = resolved(argv)
    assert out[-1] == "--config.seed=3"
    assert out[-2].removeprefix("--config=") == str(find_config("configs/demo.py"))


@pytest.mark.parametrize(
    ("field", "told"),
    [("sed=1", r"--config.sed: no such field; --config has: .*seed"),
     ("optimizer.rate=1", r"--config.optimizer.rate: no such field; --config.optimizer has: .*learning_rate"),
     ("seed.x=1", r"--config.seed.x: no such field; --config.seed has: no fields")],
)  # fmt: skip
def test_a_field_that_is_not_there_is_named_with_those_that_are(field, told):
    with pytest.raises(InputError, match=told):
        resolved(["train", "--config=configs/demo.py", f"--config.{field}"])


def test_a_field_without_a_file_is_refused():
    with pytest.raises(InputError, match=r"--config.num_epochs: .* give --config="):
        resolved(["train", "--workdir=run", "--config.num_epochs=4"])


def test_a_workdir_gives_back_the_configuration_it_was_made_with(config, tmp_path):
    settle(config, tmp_path)
    back = from_workdir(tmp_path)
    assert to_plain(back) == to_plain(config) == json.loads((tmp_path / CONFIG_JSON).read_text())
    assert back.augment.zoom_range == config.augment.zoom_range, "ranges are tuples again"
    settle(back, tmp_path)


def test_another_configuration_is_refused_with_what_differs(config, tmp_path):
    settle(config, tmp_path)
    pretend_trained(tmp_path)
    before = (tmp_path / CONFIG_JSON).read_bytes()
    config.optimizer.learning_rate = 0.5
    config.augment.zoom_range = (0.5, 2.0)
    with pytest.raises(InputError) as caught:
        settle(config, tmp_path)
    message = str(caught.value)
    assert "optimizer.learning_rate: 0.01 -> 0.5" in message and "augment.zoom_range" in message
    assert str(tmp_path) in message and "--workdir" in message and "seed" not in message
    assert (tmp_path / CONFIG_JSON).read_bytes() == before


def test_length_workers_logging_and_the_place_of_the_data_may_change(config, tmp_path):
    settle(config, tmp_path)
    pretend_trained(tmp_path)
    config.num_epochs, config.log_every, config.data.workers, config.data.dir = 7, 3, 1, "moved"
    settle(config, tmp_path)
    assert json.loads((tmp_path / CONFIG_JSON).read_text())["num_epochs"] == 7


def test_decoded_scenes_are_kept_in_the_workdir_unless_another_place_is_named(config, elsewhere):
    assert cache_folder(config, elsewhere) == elsewhere / "cache"
    settle(config, elsewhere)
    pretend_trained(elsewhere)
    config.data.dir, config.data.cache = "data", "fast_disk"
    locate(config)
    assert cache_folder(config, elsewhere / "run") == elsewhere / "fast_disk"
    settle(config, elsewhere)


def test_a_run_that_never_got_to_a_checkpoint_may_be_set_right(config, tmp_path):
    settle(config, tmp_path)
    config.optimizer.learning_rate = 0.5
    settle(config, tmp_path)
    assert from_workdir(tmp_path).optimizer.learning_rate == 0.5


def test_a_workdir_without_or_with_a_damaged_config_is_named(tmp_path):
    with pytest.raises(InputError, match=rf"{tmp_path}: no config.json there"):
        from_workdir(tmp_path)
    (tmp_path / CONFIG_JSON).write_text('{"seed": ')
    with pytest.raises(InputError, match=r"config.json: not readable as JSON"):
        from_workdir(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("batch_size", 0), ("micro_batch_size", -1), ("num_epochs", 0), ("log_every", 0), ("seed", -1), ("task", "detection"),
     ("data.samples_per_epoch", -5), ("data.workers", -1), ("data.context_px", 65), ("data.pixel_spacing_m", -40.0),
     ("data.padding", "none"), ("augment.label_resize", "cubic"), ("model.dtype", "float8"), ("model.preset", "huge"),
     ("validation.mode", "sliding")],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named_with_its_field(config, field, value):
    check_values(config)
    config.update_from_flattened_dict({field: value})
    with pytest.raises(InputError, match=f"--config.{field}"):
        check_values(config)


def test_pixels_to_average_are_at_least_one():
    pretraining = load_config("configs/pretrain_optsimmim.py")
    pretraining.data.looks = 0
    with pytest.raises(InputError, match=r"--config.data.looks=0: choose 1 or more"):
        check_values(pretraining)
