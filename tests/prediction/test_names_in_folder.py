"""Scenes that have one name, that were moved, or that are reached by another way: each is known and none is overwritten."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
from brightness import make_predictor

from glacierjax.core.errors import InputError
from glacierjax.geo.georeference import WGS84, Georeference, crs_from_user, reproject
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.rasters import write_raster
from glacierjax.geo.scenes import ReadOptions, read_scene
from glacierjax.prediction.folder import Batch

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))


def predict(output, files):
    Batch(make_predictor(0.9), output, ReadOptions()).run(find_sources([str(file) for file in files]))


def dated_folders(tmp_path, name="scene"):
    """A folder a date, each with a scene of the same name, fronts at columns 40 and 50."""
    files = []
    for date, column in (("20200101", 40), ("20200301", 50)):
        image = np.full((60, 70), 30, np.uint8)
        image[:, :column] = 200
        files.append(tmp_path / date / f"{name}.tif")
        write_raster(files[-1], image, UTM, "grey")
    return files


def fronts_of(out):
    """Date and mean x in pixels of each front in fronts.geojson."""
    found = {}
    for member in json.loads((out / "fronts.geojson").read_text())["features"]:
        on_map = reproject(np.array(member["geometry"]["coordinates"]), WGS84, UTM.crs)
        properties = member["properties"]
        found[properties["scene"], properties["date"]] = round((on_map[:, 0].mean() - 500_000) / 20, 2)
    return found


def test_scenes_of_one_name_in_one_call_get_the_names_of_their_folders(tmp_path):
    files = dated_folders(tmp_path)
    for _ in range(2):
        predict(tmp_path / "out", [tmp_path / "2020*" / "scene.tif"])
        assert fronts_of(tmp_path / "out") == {
            ("20200101__scene", "2020-01-01"): 40,
            ("20200301__scene", "2020-03-01"): 50,
        }
    assert len(files) == len(list((tmp_path / "out" / "zones").glob("*.tif")))


def test_files_that_tell_only_their_polarisation_have_the_name_and_date_of_their_folders_from_the_start(tmp_path):
    for file in dated_folders(tmp_path, "VV"):
        predict(tmp_path / "out", [file])
    assert fronts_of(tmp_path / "out") == {("20200101_VV", "2020-01-01"): 40, ("20200301_VV", "2020-03-01"): 50}


@pytest.mark.parametrize("newer", [True, False])
def test_scenes_of_one_name_in_two_calls_are_both_kept(tmp_path, newer, caplog):
    files = dated_folders(tmp_path)
    os.utime(files[newer], (2_000_000_000, 2_000_000_000))
    for _ in range(2):
        for file in files:
            predict(tmp_path / "out", [file])
        assert fronts_of(tmp_path / "out") == {("scene", None): 40, ("20200301__scene", "2020-03-01"): 50}
    caplog.clear()
    with caplog.at_level("INFO", logger="glacierjax"):
        predict(tmp_path / "out", files)
    assert "2 of 2 scenes are done already" in caplog.text


def test_names_that_differ_in_capital_letters_alone_are_told_apart(tmp_path):
    image = np.full((60, 70), 30, np.uint8)
    image[:, :40] = 200
    for where, name in (("a", "VV_2020-01-01"), ("b", "vv_2020-01-01")):
        write_raster(tmp_path / where / f"{name}.tif", image, UTM, "grey")
    predict(tmp_path / "out", [tmp_path / "a", tmp_path / "b"])
    assert {name for name, _ in fronts_of(tmp_path / "out")} == {"a__VV_2020-01-01", "b__vv_2020-01-01"}


def test_a_scene_that_was_moved_is_known_again(tmp_path, caplog):
    files = dated_folders(tmp_path)
    predict(tmp_path / "out", files[:1])
    (tmp_path / "archive").mkdir()
    moved = files[0].rename(tmp_path / "archive" / "scene.tif")
    with caplog.at_level("INFO", logger="glacierjax"):
        predict(tmp_path / "out", [moved])
    assert "1 of 1 scenes are done already" in caplog.text
    shutil.copytree(tmp_path, tmp_path.with_name("copy"), dirs_exist_ok=True)
    caplog.clear()
    with caplog.at_level("INFO", logger="glacierjax"):  # paths in records are relative: all may be moved together
        predict(tmp_path.with_name("copy") / "out", [tmp_path.with_name("copy") / "archive" / "scene.tif"])
    assert "1 of 1 scenes are done already" in caplog.text


def test_a_scene_is_known_by_whatever_way_its_folder_is_reached(tmp_path, caplog, monkeypatch):
    files = dated_folders(tmp_path)
    predict(tmp_path / "out", [files[0]])
    (tmp_path / "out" / "records" / "._VV.json").write_bytes(b"\0\5\x16\7")
    (tmp_path / "other_way").symlink_to(files[0].parent)
    monkeypatch.chdir(tmp_path)
    for way in (
        f"20200101/{files[0].name}",
        f"./20200301/../20200101/{files[0].name}",
        tmp_path / "other_way" / files[0].name,
    ):
        caplog.clear()
        with caplog.at_level("INFO", logger="glacierjax"):
            predict(tmp_path / "out", [way])
        assert "1 of 1 scenes are done already" in caplog.text and "not a readable record" not in caplog.text


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path):
    (file, _) = dated_folders(tmp_path)
    os.mkfifo(file.with_name("pipe.tif"))
    assert [source.name for source in find_sources([str(file.parent)])] == ["scene"]


def test_the_tables_lose_the_fronts_of_other_settings_before_any_is_made_again(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    files = dated_folders(tmp_path)
    predict(tmp_path / "out", files)
    again = Batch(make_predictor(0.9), tmp_path / "out", ReadOptions())
    for batch, count in ((again, 2), (dataclasses.replace(again, options=ReadOptions(nodata=3), overwrite=True), 0)):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Batch, "_predict_all", stop)
            batch.run(find_sources([str(file) for file in files]))
        assert len(fronts_of(tmp_path / "out")) == count, "else a stopped run leaves fronts of both in one series"


def test_maps_of_an_earlier_run_are_no_scenes(tmp_path):
    predict(tmp_path / "out", dated_folders(tmp_path)[:1])
    maps = list((tmp_path / "out").glob("*/*.tif"))
    assert len(maps) == 3
    for path in maps:
        with pytest.raises(InputError, match=rf"{path.name}: a result of glacierjax, no scene"):
            read_scene(path)
