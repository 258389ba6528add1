"""Scoring folders of predictions end to end, on a small made-up archive."""

import csv
import json
import warnings

import numpy as np
import pytest
import rasterio
from made_up_archive import (
    NAMES,
    SHAPE,
    command,
    evaluate,
    write_archive,
    write_predictions,
    zones_with_front_at,
)

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png, write_png
from glacierjax.core.zones import Zone, grey_from_ids
from glacierjax.datasets.caffe.meta_data import write_meta_data
from glacierjax.evaluation.baselines import fit_baselines
from glacierjax.evaluation.predictions import ZONES, find_predictions, read_front, read_zones
from glacierjax.evaluation.run import from_folder, raw_scenes
from glacierjax.evaluation.score import aggregate, score_scene
from glacierjax.evaluation.write import remove_averages


@pytest.fixture
def data_raw(tmp_path):
    return write_archive(tmp_path / "data_raw")


@pytest.fixture
def predictions(tmp_path):
    return write_predictions(tmp_path / "predicted")


def test_pictures_of_scenes_on_the_map_open_there_in_a_gis(tmp_path):
    root = write_archive(tmp_path / "data_raw")
    bounds = MapBounds("EPSG:3413", 1000.0, 2000.0, 1000.0 + 80 * 20, 2000.0 + 60 * 20)
    write_meta_data(tmp_path, dict.fromkeys([name for names in NAMES.values() for name in names], bounds))
    scenes = raw_scenes(str(root), "test")
    predict = from_folder(str(write_predictions(tmp_path / "zones")), scenes.names, ZONES)
    evaluate(scenes, predict, tmp_path / "out")
    for kind in ("zones", "fronts"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            with rasterio.open(tmp_path / "out" / kind / f"{NAMES['test'][0]}.png") as picture:
                assert picture.crs.to_epsg() == 3413
                assert tuple(picture.transform)[:6] == (20, 0, 1000, 0, -20, 3200)
    (tmp_path / "meta_data.csv").unlink()
    evaluate(raw_scenes(str(root), "test"), predict, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.aux.xml"))


def test_the_command_writes_what_it_promises(tmp_path, data_raw, predictions):
    out = tmp_path / "out"
    done = command(
        f"--predictions={predictions}", f"--data={data_raw}", "--split=test", f"--output={out}", "--baselines"
    )
    assert done.returncode == 0, done.stderr
    assert "1 missing front(s)" in done.stderr and "3 of 3" in done.stderr
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["scenes"] == 3 and metrics["missing_fronts"] == 1 and metrics["protocol"] == "clean"
    assert metrics["per_scene"][NAMES["test"][2]]["mde_m"] is None
    assert 3 * 20 <= metrics["mde_m"] < 6 * 20
    assert metrics["mde_px"] == pytest.approx(metrics["mde_m"] / 20)
    assert set(metrics["baselines"]) == {"majority", "threshold"}
    assert metrics["baselines"]["majority"]["mde_m"] == 0
    assert metrics["other_protocol"]["protocol"] == "official"
    assert metrics["subsets"]["glacier=COL,sensor=TSX/TDX"]["scenes"] == 1
    assert metrics["subsets"]["glacier=XYZ,season=winter"]["scenes"] == 0  # the hemisphere of XYZ is not known
    for name in NAMES["test"]:
        np.testing.assert_array_equal(
            read_grey_png(out / "zones" / f"{name}.png"), read_grey_png(predictions / f"{name}.png")
        )
        assert (out / "overlays" / f"{name}.png").is_file()
        assert read_grey_png(out / "fronts" / f"{name}.png").shape == SHAPE
    report = (out / "report.md").read_text()
    assert "1 missing front*" in report and "majority" in report and "errors.png" in report
    rows = list(csv.DictReader((out / "scores.csv").read_text().splitlines()))
    (mde,) = [row for row in rows if (row["method"], row["subset"], row["metric"]) == ("prediction", "all", "mde_m")]
    assert float(mde["value"]) == metrics["mde_m"] and mde["scenes"] == "2"


def test_fronts_that_an_evaluation_wrote_score_as_its_zones(tmp_path, data_raw, predictions):
    scenes = raw_scenes(str(data_raw), "test")
    first = evaluate(scenes, from_folder(str(predictions), scenes.names, "zones"), tmp_path / "a")
    fronts = from_folder(str(tmp_path / "a" / "fronts"), scenes.names, "front")
    again = evaluate(scenes, fronts, tmp_path / "b", kind="front")
    assert again["mde_m"] == first["mde_m"] and again["missing_fronts"] == 1
    assert again["zones"]["iou"] == dict.fromkeys(("na", "rock", "glacier", "ocean", "mean"))
    assert not (tmp_path / "b" / "zones").exists()
    assert "## Zones" not in (tmp_path / "b" / "report.md").read_text()


@pytest.mark.parametrize(
    "flags, named",
    [
        ([], "--output"),
        (["--output=o"], "--predictions"),
        (["--predictions=x", "--fronts=y", "--output=o"], "--predictions and --fronts"),
        (["--predictions=x", "--output=o"], "--data"),
        (["--predictions=x", "--data=d"], "--output"),
        (["--predictions=x", "--data=nowhere", "--output=o"], "nowhere"),
        (["--protocol=paper"], "protocol"),
        (["--workdir=nowhere", "--output=o"], "nowhere"),
    ],
)
def test_wrong_usage_leaves_with_2_and_one_line(flags, named):
    done = command(*flags)
    assert done.returncode == 2
    assert named in done.stderr and len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr


def test_missing_predictions_are_named(predictions):
    (predictions / f"{NAMES['test'][1]}.png").unlink()
    with pytest.raises(InputError, match=f"1 of 3 scenes .{NAMES['test'][1]}"):
        find_predictions(predictions, NAMES["test"], "zones")


def test_predictions_of_other_scenes_are_named(predictions):
    with pytest.raises(InputError, match="choose another split"):
        find_predictions(predictions, NAMES["test"][:2], "zones")


def test_a_scene_predicted_twice_is_named(predictions):
    name = NAMES["test"][0]
    write_png(predictions / f"{name}_zones.png", np.zeros(SHAPE, np.uint8))
    with pytest.raises(InputError, match="second file"):
        find_predictions(predictions, NAMES["test"], "zones")


def test_class_ids_and_grey_values_read_the_same(tmp_path):
    ids = zones_with_front_at(20)
    write_png(tmp_path / "ids.png", ids)
    write_png(tmp_path / "grey.png", grey_from_ids(ids))
    np.testing.assert_array_equal(read_zones(tmp_path / "ids.png", SHAPE), ids)
    np.testing.assert_array_equal(read_zones(tmp_path / "grey.png", SHAPE), ids)


def test_a_prediction_of_another_size_is_named(tmp_path):
    write_png(tmp_path / "small.png", np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match=r"small.png: 4 x 5 pixels, but its scene has 60 x 80"):
        read_zones(tmp_path / "small.png", SHAPE)


def test_zones_given_as_fronts_are_refused(tmp_path):
    write_png(tmp_path / "zones.png", grey_from_ids(zones_with_front_at(20)))
    with pytest.raises(InputError, match="expected a front image"):
        read_front(tmp_path / "zones.png", SHAPE)


def test_a_front_image_with_black_and_white_exchanged_is_refused(tmp_path):
    front = np.full(SHAPE, 255, np.uint8)
    front[20] = 0
    write_png(tmp_path / "front.png", front)
    with pytest.raises(InputError, match="98% of it is front; are 255 and 0 exchanged"):
        read_front(tmp_path / "front.png", SHAPE)


def test_on_request_na_without_rock_counts_as_not_labelled(tmp_path):
    root = write_archive(tmp_path / "fronts_only", with_rock=False)
    (scene, *_) = raw_scenes(str(root), "test", na="auto")
    assert scene.valid is not None
    np.testing.assert_array_equal(scene.valid, scene.zones != Zone.NA)
    assert next(iter(raw_scenes(str(root), "test"))).valid is None
    everywhere = zones_with_front_at(40, with_rock=False)
    score = score_scene(scene, everywhere)
    assert score.mde_m == 0 and score.front_rc[:, 0].max() == SHAPE[0] - 6
    assert score.zone_counts is not None and score.zone_counts.sum() == scene.valid.sum()


def test_baselines_find_what_makes_them_right(data_raw):
    baselines = fit_baselines(raw_scenes(str(data_raw), "train"))
    (scene, *_) = raw_scenes(str(data_raw), "test")
    np.testing.assert_array_equal(baselines["majority"](scene.image), scene.zones)
    thresholded = baselines["threshold"](scene.image)
    assert set(np.unique(thresholded)) == {Zone.GLACIER, Zone.OCEAN_ICE_MELANGE}
    ocean = scene.zones == Zone.OCEAN_ICE_MELANGE
    found = thresholded == Zone.OCEAN_ICE_MELANGE
    assert (ocean & found).sum() / (ocean | found).sum() > 0.8


def test_the_majority_map_stretches_to_any_size(data_raw):
    majority = fit_baselines(raw_scenes(str(data_raw), "train"))["majority"]
    assert majority(np.zeros((7, 300), np.uint8)).shape == (7, 300)


def test_baselines_need_training_scenes():
    with pytest.raises(InputError, match="`baselines`"):
        fit_baselines([])


def test_averages_need_scenes_and_each_once(data_raw):
    with pytest.raises(InputError, match="no scenes"):
        aggregate([])
    (scene, *_) = raw_scenes(str(data_raw), "test")
    score = score_scene(scene, scene.zones)
    with pytest.raises(InputError, match="scored twice"):
        aggregate([score, score])


def test_a_prediction_of_the_wrong_shape_names_the_scene(data_raw):
    (scene, *_) = raw_scenes(str(data_raw), "test")
    with pytest.raises(InputError, match=scene.id.name):
        score_scene(scene, np.zeros((3, 3), np.uint8))


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(InputError, match="is a file; choose a folder"):
        remove_averages(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "x"
