"""The errors of the validation split are stored with a checkpoint, and tell those of other fronts."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from brightness import make_series_predictor

from glacierjax.checkpoints.calibration_file import CALIBRATION, fingerprint, read_calibrations
from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.calibrate import calibrator_for
from glacierjax.evaluation.network import most_probable
from glacierjax.evaluation.score import score_scene
from glacierjax.geo.scenes import ReadOptions, Scene
from glacierjax.prediction.calibration import UNCALIBRATED, find_calibration
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.scene import find_front

SHAPE = (80, 100)


def bright_is_glacier(images):
    """images (N, H, W) uint8 -> probabilities (N, H, W, K), 0.9 for glacier where they are bright, else for ocean."""
    zones = np.where(np.asarray(images) >= 128, Zone.GLACIER, Zone.OCEAN_ICE_MELANGE)
    return np.where(zones[..., None] == np.arange(4), 0.9, 0.1 / 3).astype(np.float32)


PREDICTOR = Predictor([bright_is_glacier], (0,), "whole", 64, 1, None, ["run"])


def image_with_border(column):
    image = np.full(SHAPE, 30, np.uint8)
    image[:, :column] = 200
    return image


def labelled(number, off_px):
    """A scene whose brightness changes `off_px` beside its true front."""
    zones = np.full(SHAPE, Zone.GLACIER, np.uint8)
    zones[:, 50:] = Zone.OCEAN_ICE_MELANGE
    front = np.zeros(SHAPE, bool)
    front[:, 50] = True
    name = parse_name(f"COL_2012-11-{number + 1:02}_TDX_20_1_{number:03}")
    return LabelledScene(name, image_with_border(50 + off_px), zones, front, BoundingBox(0, 0, 100, 80))


def calibrated(folder, off_px=range(1, 13), predictor=None):
    predictor = dataclasses.replace(predictor or PREDICTOR, sources=[str(folder)], fingerprints=["abc"])
    calibrator = calibrator_for(predictor, "val", "clean", None, "")
    predict = most_probable(predictor)
    for number, off in enumerate(off_px):
        scene = labelled(number, off)
        predicted = predict(scene)
        calibrator(scene, predicted, score_scene(scene, predicted.labels))
    return predictor, calibrator


def test_the_calibration_of_a_split_tells_the_error_of_a_new_front(tmp_path):
    predictor, calibrator = calibrated(tmp_path / "run")
    calibrator.save(tmp_path / "out")
    assert (tmp_path / "out" / CALIBRATION).read_bytes() == (tmp_path / "run" / CALIBRATION).read_bytes()
    found = find_calibration(tmp_path / "run", predictor.way_of_use)
    assert "12 scenes of the split val (90% interval)" in found.note
    scene = Scene("COL_2020-01-01", image_with_border(50), np.ones(SHAPE, bool), 20.0)
    predicted = find_front(dataclasses.replace(predictor, calibration=found), scene)
    error = predicted.error
    assert 60 < error.error_m < 250  # the true ones are 20 to 240 m
    assert error.low_m < 40 and error.high_m > 200
    columns = predicted.quality_columns()
    assert columns["quality"] == "good" and columns["error_m"] == round(error.error_m, 1)


def test_without_calibration_the_errors_are_empty(tmp_path):
    scene = Scene("COL_2020-01-01", image_with_border(50), np.ones(SHAPE, bool), 20.0)
    predicted = find_front(PREDICTOR, scene)
    assert predicted.error is None and predicted.quality_columns()["error_m"] is None
    assert find_calibration(tmp_path, {}) == UNCALIBRATED


def test_errors_are_known_of_series_in_groups_alone(tmp_path):
    predictor, calibrator = calibrated(tmp_path)
    calibrator.save(tmp_path / "out")
    found = find_calibration(tmp_path, predictor.way_of_use)
    of_series = dataclasses.replace(make_series_predictor(0.9), calibration=found)
    assert of_series.for_series("groups") is of_series
    other = of_series.for_series("reference").calibration
    assert other.model is None and "series are formed by reference, only by groups" in other.note
    alone = dataclasses.replace(of_series, frames=1)
    assert alone.for_series("reference") is alone


def test_a_calibration_is_for_one_way_of_use(tmp_path):
    predictor, calibrator = calibrated(tmp_path)
    calibrator.save(tmp_path)
    other = dataclasses.replace(predictor, quarter_turns=(0, 1, 2, 3))
    found = find_calibration(tmp_path, other.way_of_use)
    assert found.model is None and "of other settings" in found.note
    _, second = calibrated(tmp_path, predictor=other)
    second.save(tmp_path)
    assert [table.how["rotations"] for table in read_calibrations(tmp_path)] == [[0], [0, 1, 2, 3]]
    second.save(tmp_path)  # again: instead of the one before
    assert len(read_calibrations(tmp_path)) == 2


def test_results_with_the_errors_of_another_calibration_of_as_many_scenes_are_told_apart(tmp_path):
    batches = []
    for off_px in (range(1, 13), range(1, 13), range(13, 1, -1), range(2, 14)):
        predictor, calibrator = calibrated(tmp_path / "run", off_px)
        calibrator.save(tmp_path / "evaluation")
        found = find_calibration(tmp_path / "run", predictor.way_of_use)
        batches.append(Batch(dataclasses.replace(predictor, calibration=found), tmp_path / "out", ReadOptions()))
    same, again, *others = batches
    assert same.predictor.calibration.note == others[1].predictor.calibration.note
    assert same.digest == again.digest and same.digest not in {other.digest for other in others}
    same.claim_output()
    with pytest.raises(InputError, match=r"out: holds results of other settings \(calibration\)"):
        others[1].claim_output()


def test_scenes_without_a_predicted_front_are_counted(tmp_path):
    _, calibrator = calibrated(tmp_path, [1, 2, 50])
    calibrator.save(tmp_path)
    (table,) = read_calibrations(tmp_path)
    assert (len(table.errors_m), table.missing_fronts) == (2, 1)
    assert table.errors_m == pytest.approx([20, 40])


def test_only_the_whole_validation_split_calibrates():
    assert calibrator_for(PREDICTOR, "test", "clean", None, "") is None
    assert calibrator_for(PREDICTOR, "val", "official", None, "") is None
    assert calibrator_for(PREDICTOR, "val", "clean", "0/2", "") is None
    assert calibrator_for(PREDICTOR, "val", "clean", None, "rock is a rule") is None


def test_a_checkpoint_that_cannot_be_written_costs_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    _, calibrator = calibrated(tmp_path / "file" / "run")
    calibrator.save(tmp_path / "out")
    assert (tmp_path / "out" / CALIBRATION).is_file()
    assert "copy calibration.json from" in caplog.text


@pytest.mark.parametrize(
    "damage", ["", "{}", '{"format": 2, "calibrations": []}', '{"format": 1, "calibrations": [{}]}']
)
def test_a_damaged_file_is_named_and_replaced(tmp_path, damage):
    predictor, calibrator = calibrated(tmp_path)
    (tmp_path / CALIBRATION).write_text(damage)
    with pytest.raises(InputError, match=CALIBRATION):
        find_calibration(tmp_path, predictor.way_of_use)
    calibrator.save(tmp_path)
    assert json.loads(Path(tmp_path / CALIBRATION).read_text())["calibrations"][0]["how"] == predictor.way_of_use


def test_a_fingerprint_tells_parameters_apart():
    one = {"a": np.zeros(3), "b": {"c": np.ones(2)}}
    assert fingerprint(one) == fingerprint({"b": {"c": np.ones(2)}, "a": np.zeros(3)})
    assert fingerprint(one) != fingerprint({"a": np.zeros(3), "b": {"c": np.ones(2) * 2}})
