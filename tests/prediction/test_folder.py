"""Many files: bad ones do not stop the others, done ones are not done again."""

import csv
import json
import os

import numpy as np
import pytest
from brightness import make_predictor

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.geo.georeference import Georeference, crs_from_user
from glacierjax.geo.rasters import write_raster
from glacierjax.geo.scenes import ReadOptions
from glacierjax.prediction.folder import Batch, find_scenes

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))
PICTURE, MAP = "COL_2011-11-13_TSX_20_1_092", "S1A_20150309T173017"


@pytest.fixture
def scenes(tmp_path):
    """A picture and a map with a front of 60 pixels, and a damaged file between them."""
    image = np.full((60, 70), 30, np.uint8)
    image[:, :40] = 200
    folder = tmp_path / "scenes"
    write_png(folder / f"{PICTURE}.png", image)
    write_raster(folder / f"{MAP}.tif", image, UTM, "grey")
    (folder / "Jorum.png").write_bytes((folder / f"{PICTURE}.png").read_bytes()[:50])
    (folder / "notes.txt").write_text("no scene")
    return folder


def batch(tmp_path, predictor=None, **rest):
    return Batch(predictor or make_predictor(0.9), tmp_path / "out", rest.pop("options", ReadOptions()), **rest)


def test_a_bad_file_does_not_stop_the_others_and_is_named_at_the_end(tmp_path, scenes):
    with pytest.raises(InputError, match=r"^1 of 3 scenes could not be predicted: .*Jorum.png: not a readable image"):
        batch(tmp_path).run(find_scenes([str(scenes)]))
    rows = list(csv.DictReader((tmp_path / "out" / "scenes.csv").read_text().splitlines()))
    assert [(r["scene"], r["date"], r["sensor"], r["georeferenced"]) for r in rows] == [
        (PICTURE, "2011-11-13", "TSX", "False"), (MAP, "2015-03-09", "S1", "True"),
    ]  # fmt: skip
    assert float(rows[0]["length_m"]) == 1200
    fronts = json.loads((tmp_path / "out" / "fronts.geojson").read_text())
    assert [f["properties"]["scene"] for f in fronts["features"]] == [MAP]


def test_what_is_done_is_not_done_again_unless_asked_or_changed(tmp_path, scenes):
    files = [scenes / f"{PICTURE}.png", scenes / f"{MAP}.tif"]
    zones = tmp_path / "out" / "zones" / f"{PICTURE}.png"
    batch(tmp_path).run(files[:1])
    zones.unlink()
    batch(tmp_path).run(files)
    assert not zones.exists() and (tmp_path / "out" / "zones" / f"{MAP}.tif").exists()
    os.utime(files[0], (2_000_000_000, 2_000_000_000))
    batch(tmp_path).run(files)
    assert zones.exists(), "the scene is newer"
    zones.unlink()
    batch(tmp_path, overwrite=True).run(files)
    assert zones.exists()


def test_results_of_other_settings_are_not_mixed(tmp_path, scenes):
    files = [scenes / f"{PICTURE}.png"]
    batch(tmp_path).run(files)
    for other in ({"predictor": make_predictor(0.9, 0.5)}, {"options": ReadOptions(scale="db")}):
        with pytest.raises(
            InputError, match=r"out: holds results of other settings \((checkpoints|scale)\); .*--overwrite"
        ):
            batch(tmp_path, **other).run(files)
        batch(tmp_path, overwrite=True, **other).run(files)
        batch(tmp_path, **other).run(files)
        batch(tmp_path, overwrite=True).run(files)


def test_scenes_are_found_by_file_folder_and_pattern(scenes):
    names = [path.name for path in find_scenes([str(scenes)])]
    assert names == [f"{PICTURE}.png", "Jorum.png", f"{MAP}.tif"]
    assert [p.name for p in find_scenes([str(scenes / "*.tif"), str(scenes / f"{MAP}.tif")])] == [f"{MAP}.tif"]


@pytest.mark.parametrize("pattern", ["nothing.png", "*.jpg", ""])
def test_what_names_no_scene_is_told(tmp_path, pattern):
    (tmp_path / "empty").mkdir()
    target = str(tmp_path / "empty" / pattern) if pattern else str(tmp_path / "empty")
    with pytest.raises(InputError, match=r"--input=.*: no "):
        find_scenes([target])


def test_two_scenes_of_one_name_are_refused(tmp_path, scenes):
    write_png(tmp_path / "other" / f"{MAP}.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match=rf"{MAP}.tif: would be written under the name of .*other"):
        find_scenes([str(tmp_path / "other"), str(scenes)])
