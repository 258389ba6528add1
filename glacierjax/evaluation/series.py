"""Predictions of a split by networks of series: each scene's own, of samples that are predicted when one is asked for."""

import logging
from collections.abc import Callable, Sequence

import numpy as np

from glacierjax.core.choices import CLEAN, GEOREFERENCE, GROUPS, SIZE
from glacierjax.core.errors import some_names
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.network import most_probable
from glacierjax.evaluation.run import Predict, PredictedLabels, Scenes
from glacierjax.geo.georeference import georeference_of_bounds
from glacierjax.geo.registration import Footprint
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor
from glacierjax.prediction.grouping import Candidate, group_scenes
from glacierjax.prediction.register import View, answers_of, check_registration, check_single, place_of
from glacierjax.prediction.series import Series, plan_series
from glacierjax.prediction.spool import Spool

log = logging.getLogger(__name__)


class SeriesPredictions:
    """A function from a scene of `scenes` to its prediction. `mode`, `registration`: see `SeriesBatch`; `rock_rule`: see
    `most_probable`.

    The other scenes of a sample are kept until they are asked for: of a split in the order of names, those of a few samples.
    Raises `InputError` as `plan_series`, and for scenes without map bounds if they are laid over each other by them.
    """

    def __init__(
        self,
        predictor: SeriesPredictor,
        scenes: Scenes,
        mode: str,
        registration: str,
        protocol: str = CLEAN,
        rock_rule: bool = False,
    ):
        self._rock_rule = rock_rule
        self._predictor, self._scenes, self._registration, self._protocol = predictor, scenes, registration, protocol
        self._number = {name: number for number, name in enumerate(scenes.names)}
        self._kept: dict[str, PredictedLabels] = {}
        self.samples = plan_split(scenes.names, self._read, mode, registration, predictor.frames)
        self._sample_of = {sample.frames[i]: sample for sample in self.samples for i in sample.wanted}

    def __call__(self, scene: LabelledScene) -> PredictedLabels:
        name = scene.id.name
        if name not in self._kept:
            self._predict(self._sample_of[name])
        prediction = self._kept.pop(name)
        if self._rock_rule and scene.rock is not None:
            prediction.labels[scene.rock] = Zone.ROCK
        return prediction

    def numbers(self, part: int, parts: int) -> list[int]:
        """Numbers of the scenes of every `parts`-th sample from number `part` on: parts of a split that cost no sample twice."""
        samples = self.samples[part::parts]
        return sorted(self._number[sample.frames[i]] for sample in samples for i in sample.wanted)

    def _predict(self, sample: Series) -> None:
        views = {name: view_of(self._read(name)) for name in dict.fromkeys(sample.frames)}  # some occur often
        with Spool() as spool:
            found = answers_of(self._predictor, views, sample, self._registration, self._protocol, spool.array)
            for position, maps in zip(sample.wanted, found, strict=True):
                deviation = None if maps.deviation is None else maps.deviation.astype(np.float16)
                self._kept[sample.frames[position]] = PredictedLabels(
                    np.array(maps.zones), deviation, maps.uncertainty.astype(np.float16), np.array(maps.lean)
                )

    def _read(self, name: str) -> LabelledScene:
        return self._scenes[self._number[name]]


def plan_split(
    names: Sequence[str], read: Callable[[str], LabelledScene], mode: str, registration: str, frames: int
) -> list[Series]:
    """The samples that give each scene of a split one answer (`plan_series`; by map coordinates `group_scenes`).

    Raises `InputError` for a scene without map bounds where they are needed.
    """
    if registration != GEOREFERENCE:
        return plan_series(names, mode, frames)
    candidates = []
    for name in names:
        view, scene = view_of(read(name)), parse_name(name)
        candidates.append(Candidate(name, view.pixel_spacing_m, scene.glacier, view.date, place_of(view)))
    return [sample for group in group_scenes(candidates, GEOREFERENCE) for sample in group.plan(mode, frames)]


def view_of(scene: LabelledScene) -> View:
    """A labelled scene as networks of series see it."""
    place = None
    if scene.bounds is not None:
        height, width = scene.image.shape
        place = Footprint(georeference_of_bounds(scene.bounds, (height, width)), (height, width))
    return View(scene.id.name, scene.image, scene.id.pixel_spacing_m, place, scene.id.date)


def predictions_of(
    predictor: Predictor,
    scenes: Scenes,
    shard: tuple[int, int],
    series: str | None = None,
    registration: str | None = None,
    protocol: str = CLEAN,
    rock: str = "",
    rock_rule: bool = False,
) -> tuple[Predict, list[int] | None, str]:
    """The predictions of a split by networks of either kind; the numbers of the scenes of a part, None: every n-th; and what
    to say of it, beginning with a comma, or nothing.

    `series` None: groups; `registration` None: as the networks were trained, by size if that is not known; `rock`, `rock_rule`
    as in `most_probable`.
    Raises `InputError` for either of them with networks of single scenes.
    """
    if not isinstance(predictor, SeriesPredictor):
        check_single(predictor, series, registration)
        return most_probable(predictor, rock, rock_rule), None, ""
    check_registration(registration)
    trained = getattr(predictor.training and predictor.training.data, "registration", SIZE)
    mode, how = series or GROUPS, registration or trained
    predictions = SeriesPredictions(predictor, scenes, mode, how, protocol, rock_rule)
    alone = [sample.frames[0] for sample in predictions.samples if len(set(sample.frames)) == 1]
    if alone and predictor.frames > 1:
        log.warning(
            "no other scene to form a series with, so the networks see %d copies of it: %s",
            predictor.frames,
            some_names(alone),
        )
    return predictions, predictions.numbers(*shard), f", series of {predictor.frames} ({mode}), registration by {how}"
