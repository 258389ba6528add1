"""Validation of a segmentation network on whole scenes; each scene counts once for any number of processes."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt8

from glacierjax.core.progress import track
from glacierjax.core.settings import FineTuning
from glacierjax.datasets.caffe.prepared import SceneSplit
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.score import SceneScore, aggregate, score_scene
from glacierjax.evaluation.sums import sums_from_record
from glacierjax.evaluation.write import mde_text
from glacierjax.model import Tyrion
from glacierjax.prediction.ensemble import Predictor, make_network
from glacierjax.reports.figures import overlay
from glacierjax.reports.metrics import Metrics
from glacierjax.training import processes
from glacierjax.training.logs import Pictures


class Validation:
    """Computes the logged figures from parameters; keeps a picture of the first scene."""

    def __init__(self, settings: FineTuning, model: Tyrion, scenes: SceneSplit):
        self._settings, self._model = settings, model
        # Process p of n scores the scenes p, p + n, ..., so each is scored once, even if n does not divide their number.
        self._own = range(jax.process_index(), len(scenes), jax.process_count())
        self._scenes: Sequence[LabelledScene] = scenes
        self._kept = {i: scenes[i] for i in self._own} if settings.data.keep_validation_in_memory else {}
        hashable: Any = model  # which type checkers do not know
        self._network = make_network(hashable)
        self._picture: Pictures = {}

    def __call__(self, params: dict) -> dict[str, float | None]:
        on_device = jax.device_put(params, jax.local_devices()[0])
        data = self._settings.data
        predictor = Predictor(
            [lambda images: self._network(on_device, images)],
            (0,),
            self._settings.validation.mode,
            data.context_px,
            self._model.size_multiple,
            self._settings,
            [],
            data.pixel_spacing_m,
        )
        own = []
        for index in track(self._own, len(self._own), "validation"):
            scene = self._kept.get(index) or self._scenes[index]
            zones = predictor.probabilities(scene.image, scene.id.pixel_spacing_m).argmax(-1).astype(np.uint8)
            score = score_scene(scene, zones)
            own.append((index, score.record()))
            if index == 0:
                self._picture = {"val/first_scene": _drawn(scene, score)}
        everyone = sorted((pair for part in processes.gather(own) for pair in part), key=lambda pair: pair[0])
        return headline(aggregate([sums_from_record(record) for _, record in everyone]))

    def pictures(self) -> Pictures:
        """The first scene with its true and predicted front of the last validation."""
        return self._picture


def _drawn(scene: LabelledScene, score: SceneScore) -> UInt8[np.ndarray, "rows columns 3"]:
    """The scene with both fronts."""
    predicted = np.zeros(scene.image.shape, bool)
    predicted[tuple(score.front_rc.T)] = True
    return overlay(
        scene.image, scene.front, predicted, scene.box, scene.id.pixel_spacing_m, scene.id.name, mde_text(score)
    )


def headline(metrics: Metrics) -> dict[str, float | None]:
    """The logged figures of a validation: mean IoU, precision and the like, IoU by class, MDE and missing fronts."""
    zones = metrics["zones"]
    present = metrics["zones_present"]["iou"]
    return {
        "iou": zones["iou"]["mean"],
        "iou_present": present["mean"],
        "precision": zones["precision"]["mean"],
        "recall": zones["recall"]["mean"],
        "f1": zones["f1"]["mean"],
        **{f"iou_{key}": value for key, value in zones["iou"].items() if key != "mean"},
        "mde_m": metrics["mde_m"],
        "mde_px": metrics["mde_px"],
        "missing_fronts": metrics["missing_fronts"],
    }
