"""Predictions by a network, and the prepared data that it was trained with."""

import logging

import numpy as np

from glacierjax.core.channels import input_of
from glacierjax.core.choices import NONE, ROCK, SUMMER
from glacierjax.core.errors import InputError
from glacierjax.core.settings import FineTuning, LabelledDataSettings
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.prepared import open_split
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import Predict, PredictedLabels, Scenes
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.scene_maps import maps_of

log = logging.getLogger(__name__)


def most_probable(predictor: Predictor, rock: str = "", rock_rule: bool = False) -> Predict:
    """A function from a scene to the most probable class of each pixel, its entropy and, for an ensemble, its deviation.

    `rock` "none": a network that expects a rock mask works without one where there is none; else that is an `InputError`.
    `rock_rule`: what the scene's mask shows as rock is rock, whatever the network says. Only one strip of probabilities
    exists at a time, so that very large scenes fit into memory.
    """

    def predict(scene: LabelledScene) -> PredictedLabels:
        if ROCK in predictor.channels and scene.rock is None and rock != NONE:
            raise InputError(
                f"{scene.id.name}: the network {predictor.sources[0]} expects a rock mask, and the data have none; label or "
                f"build them with one, or give `rock`={NONE} to score without"
            )
        if SUMMER in predictor.channels and scene.summer is None:
            log.warning("%s: no summer scene, which the network expects; the channel is 0", scene.id.name)
        shown = input_of(predictor.channels, scene.image, scene.priors)
        maps = maps_of(predictor, shown, scene.id.pixel_spacing_m, np.float16)
        if rock_rule and scene.rock is not None:
            maps.zones[scene.rock] = Zone.ROCK
        return PredictedLabels(maps.zones, maps.deviation, maps.uncertainty, maps.lean)

    return predict


def prepared_scenes(training: FineTuning | None, split: str, data_dir: str = "") -> Scenes:
    """A split of the data set that a network was trained with, from `data_dir` or from the folder in its settings."""
    data = training.data if training else LabelledDataSettings()
    if not (data_dir or data.dir):
        raise InputError("`data_dir`: missing; the checkpoint does not record the folder of its data")
    return open_split(data_dir or data.dir, split, data.name)
