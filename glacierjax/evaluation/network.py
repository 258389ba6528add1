"""Predictions by a network, and the prepared data that it was trained with."""

import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.settings import FineTuning, LabelledDataSettings
from glacierjax.datasets.caffe.prepared import open_split
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import Predict, Prediction, Scenes
from glacierjax.prediction.ensemble import Predictor


def most_probable(predictor: Predictor) -> Predict:
    """A function from a scene to the most probable class of each pixel and, for an ensemble, its deviation.

    Only one strip of probabilities exists at a time, so that very large scenes fit into memory.
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


def prepared_scenes(training: FineTuning | None, split: str, data_dir: str = "") -> Scenes:
    """A split of the data set that a network was trained with, from `data_dir` or from the folder in its settings."""
    data = training.data if training else LabelledDataSettings()
    if not (data_dir or data.dir):
        raise InputError("--data_dir: missing; the checkpoint does not record the folder of its data")
    return open_split(data_dir or data.dir, split, data.name)
