"""Networks as predictors of scenes, and the prepared data that they were trained with."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.datasets.caffe.prepared import open_split
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import Predict, Prediction, Scenes
from glacierjax.prediction.ensemble import Predictor

DEFAULT_DATA_SET = "caffe"  # for checkpoints that do not say, such as converted ones


def most_probable(predictor: Predictor) -> Predict:
    """The predictor as a function from a scene to its most probable class ids, and where an ensemble disagrees.

    The probabilities exist a strip at a time only, so that the largest scenes fit into memory.
    """

    def predict(scene: LabelledScene) -> Prediction:
        ids = np.empty(scene.image.shape, np.uint8)
        deviation = np.empty(scene.image.shape, np.float16) if predictor.members > 1 else None
        start = 0
        for mean, spread in predictor.strips(scene.image, scene.id.pixel_spacing_m):
            rows = slice(start, start + len(mean))
            ids[rows] = mean.argmax(-1)
            if deviation is not None:
                deviation[rows] = spread.max(-1)
            start = rows.stop
        return Prediction(ids, deviation)

    return predict


def prepared_scenes(config: Mapping[str, Any], split: str, data_dir: str = "") -> Scenes:
    """A split of the data set that a training configuration names, in `data_dir` or where the configuration says."""
    data = config.get("data", {})
    data_dir = data_dir or data.get("dir")
    if not data_dir:
        raise InputError("--data_dir: missing; the checkpoint does not say where its data are")
    return open_split(data_dir, split, data.get("name", DEFAULT_DATA_SET))
