"""A network that is handed on is the one that was trained, as a folder and as a program."""

import dataclasses
import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest
from jax import export
from official_like import tiny_params

from glacierjax.checkpoints.calibration_file import (
    CALIBRATION,
    CalibrationTable,
    fingerprint,
    read_calibrations,
    write_calibration,
)
from glacierjax.checkpoints.exported import CARD, write_export
from glacierjax.checkpoints.native import load_checkpoint, save_checkpoint
from glacierjax.checkpoints.record import training_of
from glacierjax.checkpoints.safetensors_file import WEIGHTS, write_safetensors
from glacierjax.checkpoints.stablehlo import PROGRAM, write_stablehlo
from glacierjax.core.errors import InputError
from glacierjax.core.settings import PRESETS, FineTuning, ModelSettings
from glacierjax.fronts.indicators import Indicators
from glacierjax.prediction.model import load

SIDE_PX = 64
TABLE = CalibrationTable(
    {"mode": "whole", "rotations": [0]},
    "val",
    ["a", "b"],
    [Indicators(90.0, 0.5, None, 1, 0.0, 1.1, 0.4, 0.0, 900.0)] * 2,
    [50.0, 70.0],
    1,
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "checkpoint"
    record = {
        "task": "segmentation",
        "model": PRESETS["tiny"].to_json(),
        "metrics": {"iou": 0.7},
        "config": {},
        "data": {"dir": str(folder)},
    }
    save_checkpoint(folder, tiny_params("tyrion"), record)
    write_calibration(folder, TABLE)
    return load_checkpoint(folder)


def test_the_folder_is_loaded_as_the_checkpoint_is(checkpoint, tmp_path):
    lines = write_export(checkpoint, tmp_path / "shared")
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {WEIGHTS, CARD, CALIBRATION}
    found = load_checkpoint(tmp_path / "shared")
    assert fingerprint(found.params) == fingerprint(checkpoint.params)
    assert found.record["model"] == checkpoint.record["model"] and found.record["metrics"] == {"iou": 0.7}
    assert "without the state of the optimiser" in lines[0]
    image = np.random.default_rng(0).integers(0, 255, (SIDE_PX, SIDE_PX), np.uint8)
    one, other = (load(path, mode="whole").predictor for path in (checkpoint.path, tmp_path / "shared"))
    np.testing.assert_array_equal(one.probabilities(image, 20.0), other.probabilities(image, 20.0))
    assert one.fingerprints == other.fingerprints


def test_the_card_tells_what_the_record_holds_and_no_path(checkpoint, tmp_path):
    write_export(checkpoint, tmp_path / "shared")
    card = (tmp_path / "shared" / CARD).read_text(encoding="utf-8")
    for fact in (
        "parameters, 1.0 MB without the state",
        "`iou` | 0.7",
        "median error 60 m",
        "1 without a front",
        "Licence",
    ):
        assert fact in card, fact
    place = checkpoint.record["data"]["dir"]
    assert place not in card
    assert place.encode() not in (tmp_path / "shared" / WEIGHTS).read_bytes()


def test_bad_folders_are_named(checkpoint, tmp_path):
    write_export(checkpoint, tmp_path / "shared")
    with pytest.raises(InputError, match="exists already"):
        write_export(checkpoint, tmp_path / "shared")
    weights = tmp_path / "shared" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(InputError, match=WEIGHTS):
        load_checkpoint(tmp_path / "shared")


def test_a_folder_right_below_the_root_is_opened(checkpoint):
    config = FineTuning(model=ModelSettings(preset="tiny")).to_json()
    handed_on = dataclasses.replace(checkpoint, path=Path("/model"), record={**checkpoint.record, "config": config})
    training = training_of(handed_on)
    assert training is not None and training.model.preset == "tiny"


@pytest.mark.parametrize("names", [("encoder", "encoder/norm"), ("encoder/norm", "encoder"), ("a/b/c", "a")])
def test_a_file_with_one_name_for_a_tensor_and_a_group_is_refused(checkpoint, tmp_path, names):
    write_safetensors(tmp_path / WEIGHTS, {name: np.ones(2, np.float32) for name in names}, checkpoint.record)
    with pytest.raises(InputError, match=rf"{WEIGHTS}: \w+ is a tensor and a group"):
        load_checkpoint(tmp_path)


def test_a_calibration_nested_without_end_is_refused_as_damaged(tmp_path):
    (tmp_path / CALIBRATION).write_text("[" * 200_000)
    with pytest.raises(InputError, match=rf"{CALIBRATION}: damaged"):
        read_calibrations(tmp_path)


@pytest.mark.parametrize("field", ["blur_m", "sinuosity"])
@pytest.mark.parametrize("value", [0, -3.0])
def test_a_calibration_with_impossible_indicators_is_refused_as_damaged(checkpoint, tmp_path, field, value):
    content = json.loads((checkpoint.path / CALIBRATION).read_text(encoding="utf-8"))
    content["calibrations"][0]["fronts"][1][field] = value
    (tmp_path / CALIBRATION).write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"{CALIBRATION}: damaged .*{field} is {value}"):
        read_calibrations(tmp_path)


def test_the_program_gives_the_networks_answers_for_any_number_of_images(checkpoint, tmp_path):
    told = write_stablehlo(checkpoint, tmp_path / PROGRAM, SIDE_PX)
    assert f"(N, {SIDE_PX}, {SIDE_PX}, 3)" in told
    with pytest.raises(InputError, match=rf"{PROGRAM}: exists already"):
        write_stablehlo(checkpoint, tmp_path / PROGRAM, SIDE_PX)
    program = export.deserialize((tmp_path / PROGRAM).read_bytes())
    products = re.findall(r"stablehlo\.(?:dot_general|convolution).*", program.mlir_module())
    # Otherwise GPUs and TPUs round the factors to less than float32.
    assert products and all("HIGHEST" in product for product in products)
    predictor = load(checkpoint.path, mode="whole").predictor
    for count in (1, 3):
        images = np.random.default_rng(count).integers(0, 255, (count, SIDE_PX, SIDE_PX), np.uint8)
        answer = jax.jit(program.call)(np.repeat(images[..., None], 3, -1))
        expected = np.concatenate([predictor.networks[0](image[None]) for image in images])
        np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_programs_of_other_sides_and_tasks_are_refused(checkpoint, tmp_path):
    with pytest.raises(InputError, match="multiples of"):
        write_stablehlo(checkpoint, tmp_path / PROGRAM, SIDE_PX + 1)
    save_checkpoint(tmp_path / "other", checkpoint.params, {**checkpoint.record, "task": "optsimmim"})
    write_export(load_checkpoint(tmp_path / "other"), tmp_path / "shared")
    card = (tmp_path / "shared" / CARD).read_text(encoding="utf-8")
    assert "--config.init.checkpoint=" in card and "predict(" not in card
    with pytest.raises(InputError, match="finds no fronts"):
        write_stablehlo(load_checkpoint(tmp_path / "other"), tmp_path / PROGRAM, SIDE_PX)
    assert not (tmp_path / PROGRAM).exists()
