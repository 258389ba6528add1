"""`glacierjax.predict` and `glacierjax.load` with a trained network: pictures, a GeoTIFF, a damaged file."""

import csv
import json
import shutil

import numpy as np
import pytest
from helpers import run_here
from small_world import SCENES, SHAPE

import glacierjax
from glacierjax.core.files import read_grey_png
from glacierjax.core.zones import grey_from_ids
from glacierjax.geo.georeference import Georeference, crs_from_user
from glacierjax.geo.rasters import write_raster
from glacierjax.prediction.ensemble import open_predictor

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))
NAMES, ON_MAP = SCENES["test"], "map_2016-01-24"


@pytest.fixture(scope="module")
def scenes(data_raw, tmp_path_factory):
    """The test scenes, the second one as a GeoTIFF in decibels too, and a damaged file."""
    folder = tmp_path_factory.mktemp("scenes")
    for name in NAMES:
        shutil.copy(data_raw / "sar_images" / "test" / f"{name}.png", folder)
    grey = read_grey_png(folder / f"{NAMES[1]}.png")
    write_raster(folder / f"{ON_MAP}.tif", grey.astype(np.float32) / 10 - 25, UTM, "backscatter in dB")
    (folder / "damaged.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def predicted(command, trained, scenes, elsewhere):
    done = command("glacierjax.predict", f"--checkpoint={trained}", f"--input={scenes}", "--output=predicted")
    return done, elsewhere / "predicted"


def test_scenes_are_predicted_and_the_damaged_one_is_named(predicted):
    done, out = predicted
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert last.startswith("predict: 1 of 4 scenes could not be predicted: ") and "damaged.png: not a readable" in last
    rows = list(csv.DictReader((out / "scenes.csv").read_text().splitlines()))
    assert [row["scene"] for row in rows] == [*NAMES, ON_MAP]
    assert [row["pixel_spacing_m"] for row in rows] == ["20.0"] * 3
    for name in NAMES:
        assert read_grey_png(out / "zones" / f"{name}.png").shape == SHAPE
    for kind in ("zones", "uncertainty", "fronts"):
        assert (out / kind / f"{ON_MAP}.tif").is_file()
    document = json.loads((out / "lines" / f"{ON_MAP}.geojson").read_text())
    assert all(f["properties"]["date"] == "2016-01-24" for f in document["features"])


def test_zones_are_those_of_the_network_from_the_command_and_in_python(predicted, trained, scenes):
    _, out = predicted
    found = glacierjax.load(trained).predict(scenes / f"{NAMES[0]}.png")
    np.testing.assert_array_equal(grey_from_ids(found.zones), read_grey_png(out / "zones" / f"{NAMES[0]}.png"))
    expected = open_predictor([str(trained)]).probabilities(found.scene.image, 20).argmax(-1)
    np.testing.assert_array_equal(found.zones, expected)
    assert found.scene.pixel_spacing_m == 20 and found.front.dtype == bool and found.show().width > 100


def test_a_second_start_has_only_the_damaged_file_to_do(predicted, in_elsewhere, trained, scenes):
    done = run_here("glacierjax.predict", f"--checkpoint={trained}", f"--input={scenes}", "--output=predicted")
    assert done.returncode == 2 and "3 of 4 scenes are done already" in done.stderr


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ((), "--checkpoint: missing"),
        (("--checkpoint=nowhere", "--input=SCENES", "--output=o"), "nowhere: no checkpoint there"),
        (("--checkpoint=RUN", "--input=nothing.tif", "--output=o"), "--input=nothing.tif: no such file"),
        (("--checkpoint=RUN", "--input=SCENES", "--output=o", "--box=no.txt"), "no.txt: no such file"),
        (("--checkpoint=RUN", "--input=SCENES", "--output=o", "--pixel_spacing_m=-3"), "--pixel_spacing_m=-3"),
        (("--checkpoint=RUN", "--input=SCENES", "--output=o", "--scale=log"), "--scale=log"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) and value else "",
)
def test_prediction_with_wrong_flags(in_elsewhere, trained, scenes, elsewhere, flags, named):
    filled = [flag.replace("RUN", str(trained)).replace("SCENES", str(scenes)) for flag in flags]
    done = run_here("glacierjax.predict", *filled)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert named in done.stderr.splitlines()[-1]
    assert not (elsewhere / "o").exists()
