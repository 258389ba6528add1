"""The `config.json` of a workdir: the settings of a resumed run, and which may change."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.settings import InitSettings, OptimizerSettings
from glacierjax.core.version import version
from glacierjax.recipes.workdir import (
    CONFIG_JSON,
    cache_folder,
    claimed,
    read_settings,
    write_or_check_config,
    write_or_check_data,
)


def pretend_trained(workdir: Path) -> None:
    (workdir / "checkpoints" / "10").mkdir(parents=True)


def with_data(settings, **changes):
    return dataclasses.replace(settings, data=dataclasses.replace(settings.data, **changes))


def test_a_workdir_gives_back_the_settings_it_was_made_with(settings, tmp_path):
    write_or_check_config(settings, tmp_path)
    pretend_trained(tmp_path)
    assert read_settings(tmp_path) == settings
    assert json.loads((tmp_path / CONFIG_JSON).read_text()) == {"version": version(), **settings.to_json()}
    write_or_check_config(read_settings(tmp_path), tmp_path)


def test_other_settings_are_refused_with_what_differs(settings, tmp_path):
    write_or_check_config(settings, tmp_path)
    pretend_trained(tmp_path)
    before = (tmp_path / CONFIG_JSON).read_bytes()
    other = dataclasses.replace(
        settings,
        optimizer=OptimizerSettings(learning_rate=0.5),
        augment=dataclasses.replace(settings.augment, zoom_range=(0.5, 2.0)),
    )
    with pytest.raises(InputError) as caught:
        write_or_check_config(other, tmp_path)
    message = str(caught.value)
    assert "optimizer.learning_rate: 0.01 -> 0.5" in message and "augment.zoom_range" in message
    assert str(tmp_path) in message and "`workdir`" in message and "seed" not in message
    assert (tmp_path / CONFIG_JSON).read_bytes() == before


def test_length_workers_logging_and_the_place_of_the_data_may_change(settings, tmp_path):
    write_or_check_config(settings, tmp_path)
    pretend_trained(tmp_path)
    longer = dataclasses.replace(with_data(settings, workers=1, dir="moved"), num_epochs=7, log_every=3)
    write_or_check_config(longer, tmp_path)
    assert json.loads((tmp_path / CONFIG_JSON).read_text())["num_epochs"] == 7


def test_a_folder_with_its_data_and_weights_can_be_moved(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = dataclasses.replace(with_data(settings, dir="a/data"), init=InitSettings(checkpoint="a/pretrained"))
    write_or_check_config(given, Path("a/run"))
    pretend_trained(Path("a/run"))
    assert str(tmp_path) not in Path("a/run", CONFIG_JSON).read_text(), "no place on somebody's machine"
    Path("a").rename("b")
    moved = read_settings(Path("b/run"))
    assert (moved.data.dir, moved.init.checkpoint) == ("b/data", "b/pretrained")
    write_or_check_config(moved, Path("b/run"))
    absolute = dataclasses.replace(moved, init=InitSettings(checkpoint=str(tmp_path / "b" / "pretrained")))
    write_or_check_config(absolute, Path("b/run"))  # the same checkpoint, given otherwise


def test_decoded_scenes_are_kept_in_the_workdir_unless_another_place_is_named(settings, tmp_path):
    assert cache_folder(settings, tmp_path) == tmp_path / "cache"
    elsewhere = with_data(settings, cache="fast_disk")
    folders = {cache_folder(elsewhere, tmp_path / run / "tuned") for run in ("a", "b")}
    assert {folder.parent for folder in folders} == {Path("fast_disk")}
    assert len(folders) == 2, "runs do not read each other's scenes"


def test_a_run_that_never_got_to_a_checkpoint_may_be_set_right(settings, tmp_path):
    write_or_check_config(settings, tmp_path)
    write_or_check_config(dataclasses.replace(settings, optimizer=OptimizerSettings(learning_rate=0.5)), tmp_path)
    assert read_settings(tmp_path).optimizer.learning_rate == 0.5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"seed": ', "not readable as JSON"),
        ("[1]", "not readable as JSON"),
        ('{"sed": 1}', "`config.sed`: no such field"),
        ('{"seed": -1}', "`config.seed`=-1: choose 0 or more"),
    ],
)
def test_a_workdir_without_or_with_a_damaged_config_is_named(tmp_path, text, told):
    with pytest.raises(InputError, match=rf"{tmp_path}: no config.json there"):
        read_settings(tmp_path)
    (tmp_path / CONFIG_JSON).write_text(text)
    with pytest.raises(InputError, match=f"config.json: {told}"):
        read_settings(tmp_path)


def test_a_run_does_not_go_on_with_other_scenes(tmp_path):
    write_or_check_data(tmp_path, {"train": "a", "val": "b"})
    write_or_check_data(tmp_path, {"train": "c", "val": "b"})  # nothing is trained yet
    pretend_trained(tmp_path)
    write_or_check_data(tmp_path, {"train": "c", "val": "b"})
    with pytest.raises(InputError, match=r"have changed since this training began \(val\); use a new `workdir`"):
        write_or_check_data(tmp_path, {"train": "c", "val": "d"})


def test_a_second_process_is_refused_while_one_trains_and_not_afterwards(tmp_path):
    pytest.importorskip("fcntl")
    other = (
        "import sys, pathlib; from glacierjax.recipes.workdir import claimed\n"
        "with claimed(pathlib.Path(sys.argv[1])): print('in')"
    )

    def start():
        return subprocess.run([sys.executable, "-c", other, str(tmp_path / "run")], capture_output=True, text=True)

    with claimed(tmp_path / "run"):
        refused = start()
    assert refused.returncode and "another process trains there; wait for its end" in refused.stderr
    assert start().stdout == "in\n"
