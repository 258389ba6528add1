"""Validation of a segmentation network on whole scenes; each scene counts once for any number of processes."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt8

from glacierjax.core.channels import input_of
from glacierjax.core.choices import ALONE, REFERENCE
from glacierjax.core.progress import track
from glacierjax.core.settings import FineTuning, SeriesFineTuning
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import Scenes
from glacierjax.evaluation.score import SceneScore, aggregate, score_scene
from glacierjax.evaluation.series import plan_split, view_of
from glacierjax.evaluation.sums import SceneSums, sums_from_record
from glacierjax.evaluation.write import mde_text
from glacierjax.model import Backbone, SeriesTyrion
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor, make_network
from glacierjax.prediction.register import answers_of
from glacierjax.prediction.series import make_series_network
from glacierjax.reports.figures import overlay
from glacierjax.reports.metrics import Metrics
from glacierjax.training import processes
from glacierjax.training.logs import Pictures

# On every machine: another number rounds otherwise, and the figures of a training must not depend on it.
TILES_AT_ONCE = 4


class Validation:
    """Computes the logged figures from parameters; keeps a picture of the first scene."""

    watched = "mde_m"
    SCENES_IN_MEMORY = 1  # where the settings do not keep all

    def __init__(self, settings: FineTuning, model: Backbone, scenes: Scenes):
        self._settings, self._model = settings, model
        # Process p of n scores the scenes p, p + n, ..., so each is scored once, even if n does not divide their number.
        self._own = range(jax.process_index(), len(scenes), jax.process_count())
        kept = None if settings.data.keep_validation_in_memory else self.SCENES_IN_MEMORY
        self._scene: Callable[[int], LabelledScene] = functools.lru_cache(kept)(scenes.__getitem__)
        self._names = scenes.names
        self._picture: Pictures = {}

    def __len__(self) -> int:
        return len(self._names)

    def __call__(self, params: dict) -> dict[str, float | None]:
        return headline(aggregate(self.scores(params)))

    def scores(self, params: dict) -> list[SceneSums]:
        """The sums of each scene, in their order."""
        zones_of = self._zones(jax.device_put(params, jax.local_devices()[0]))
        own = []
        for index in track(self._own, len(self._own), "validation"):
            scene = self._scene(index)
            score = score_scene(scene, zones_of(index))
            own.append((index, score.record()))
            if index == 0:
                self._picture = {"val/first_scene": _drawn(scene, score)}
        everyone = sorted((pair for part in processes.gather(own) for pair in part), key=lambda pair: pair[0])
        return [sums_from_record(record) for _, record in everyone]

    def pictures(self) -> Pictures:
        """The first scene with its true and predicted front of the last validation."""
        return self._picture

    def _zones(self, params: dict) -> Callable[[int], UInt8[np.ndarray, "height width"]]:
        """From the number of a scene to its zones, with these parameters."""
        hashable: Any = self._model  # which type checkers do not know
        network = make_network(hashable)
        channels = self._settings.model.channels
        predictor = Predictor(**self._asked([lambda images: network(params, images)]), channels=channels)

        def zones(index: int) -> np.ndarray:
            scene = self._scene(index)
            shown = input_of(channels, scene.image, scene.priors)
            return predictor.probabilities(shown, scene.id.pixel_spacing_m).argmax(-1).astype(np.uint8)

        return zones

    def _asked(self, networks: Sequence[Callable[..., np.ndarray]]) -> dict[str, Any]:
        """The arguments of a predictor of either kind: these networks as the settings ask them."""
        data = self._settings.data
        return {
            "networks": networks,
            "quarter_turns": (0,),
            "mode": self._settings.validation.mode,
            "context_px": data.context_px,
            "size_multiple": self._model.size_multiple,
            "training": self._settings,
            "sources": [],
            "pixel_spacing_m": data.pixel_spacing_m,
            "tiles_at_once": TILES_AT_ONCE,
        }


class SeriesValidation(Validation):
    """Each scene with its neighbours in time from the validation split. By size they are of the same glacier and pixel spacing
    (as published); by map coordinates of the same ground, at any spacing (`glacierjax.prediction.grouping.group_scenes`).

    Only its own answer counts, so networks whose frames exchange nothing see it alone.
    """

    SCENES_IN_MEMORY = 16  # neighbours of a scene are mostly those of the scene before, too

    def __init__(self, settings: SeriesFineTuning, model: SeriesTyrion, scenes: Scenes):
        super().__init__(settings, model, scenes)
        frames = 1 if model.temporal == ALONE else settings.data.frames
        self._registration = settings.data.registration
        samples = plan_split(self._names, self._read, REFERENCE, self._registration, frames)
        self._plan = {sample.frames[sample.reference]: sample for sample in samples}

    def _zones(self, params: dict) -> Callable[[int], UInt8[np.ndarray, "height width"]]:
        hashable: Any = self._model
        network = make_series_network(hashable)
        predictor = SeriesPredictor(**self._asked([lambda images, days: network(params, images, days)]))

        def zones(index: int) -> np.ndarray:
            sample = self._plan[self._names[index]]
            views = {name: view_of(self._read(name)) for name in dict.fromkeys(sample.frames)}
            (answer,) = answers_of(predictor, views, sample, self._registration)
            return answer.zones

        return zones

    def _read(self, name: str) -> LabelledScene:
        return self._scene(self._names.index(name))


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
