"""Predictions by a network, with a stand-in for the trained one."""

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.settings import FineTuning, LabelledDataSettings
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.evaluate import ScoreOptions
from glacierjax.evaluation.network import most_probable, prepared_scenes
from glacierjax.prediction.ensemble import Predictor


def test_the_most_probable_class_is_predicted():
    zones = np.arange(12, dtype=np.uint8).reshape(3, 4) % 4
    scene = LabelledScene(parse_name("COL_2012-11-03_TDX_20_1_092"), zones, zones, zones > 4)
    certain = np.eye(4, dtype=np.float32)[zones]
    asked = []

    class RowByRow(Predictor):
        def strips(self, image, pixel_spacing_m):
            asked.append(pixel_spacing_m)
            return ((certain[i : i + 1], np.zeros_like(certain[i : i + 1])) for i in range(3))

    predicted = most_probable(RowByRow([lambda images: images], (0,), "whole", 4, 1, None, ["run"]))(scene)
    assert asked == [20]
    assert predicted.labels.dtype == np.uint8 and predicted.deviation is None
    np.testing.assert_array_equal(predicted.labels, zones)


def test_a_checkpoint_without_data_needs_the_flag():
    with pytest.raises(InputError, match="`data_dir`"):
        prepared_scenes(None, "test")


def test_the_flag_goes_before_the_config(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        prepared_scenes(FineTuning(data=LabelledDataSettings(dir="elsewhere")), "test", str(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"predictions": "ZONES", "data": "RAW", "rotations": True}, "^rotations=True: nothing is predicted here"),
        ({"fronts": "LINES", "data": "RAW", "which": "last"}, "^which='last': nothing is predicted here"),
        ({"predictions": "ZONES", "data": "RAW", "rock_rule": True}, "^rock_rule=True: nothing is predicted here"),
        (
            {"predictions": "ZONES", "data": "RAW", "data_dir": "DATA"},
            "^data_dir='DATA': the scenes are those of `data`",
        ),
        (
            {"checkpoints": ("RUN",), "data": "RAW", "data_dir": "DATA"},
            "^data_dir='DATA': the scenes are those of `data`",
        ),
        ({"checkpoints": ("RUN",), "na": "auto"}, "^na='auto': of `data`, and none is given; leave it out"),
    ],
)
def test_an_option_that_would_say_nothing_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        ScoreOptions(**options)
