"""Collects the fronts of the validation split with their true errors, and stores them with the checkpoints."""

import logging
from pathlib import Path

import numpy as np

from glacierjax.checkpoints.calibration_file import CalibrationTable, write_calibration
from glacierjax.core import choices
from glacierjax.core.errors import InputError
from glacierjax.core.settings import LabelledDataSettings
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import PredictedLabels
from glacierjax.evaluation.score import SceneScore
from glacierjax.fronts.extract import inside_box
from glacierjax.fronts.indicators import Indicators, indicators_of
from glacierjax.fronts.lines import trace_front
from glacierjax.fronts.postprocess import clean_zones, mask_invalid
from glacierjax.prediction.calibration import describe
from glacierjax.prediction.ensemble import Predictor

log = logging.getLogger(__name__)


class Calibrator:
    """Called with each scored scene (`glacierjax.evaluation.run.Observe`); `save` writes what it saw."""

    def __init__(self, predictor: Predictor, split: str):
        self._predictor, self._split = predictor, split
        self._known: dict[str, tuple[Indicators, float]] = {}
        self._missing: set[str] = set()

    def __call__(self, scene: LabelledScene, predicted: PredictedLabels, score: SceneScore) -> None:
        if score.true_front_pixels and not score.front_pixels:
            self._missing.add(scene.id.name)
        found = known_of(scene, predicted, score)
        if found is not None and score.mde_m is not None:
            self._known[scene.id.name] = found, score.mde_m

    def save(self, output: Path) -> None:
        """Writes calibration.json to each checkpoint folder, and to `output` for those that cannot be written."""
        if not self._known:
            log.warning("no front with a true error in the split %s, so the errors of fronts stay unknown", self._split)
            return
        names = sorted(self._known)
        table = CalibrationTable(
            self._predictor.way_of_use,
            self._split,
            names,
            [self._known[name][0] for name in names],
            [self._known[name][1] for name in names],
            len(self._missing),
        )
        write_calibration(output, table)
        for folder in self._predictor.sources:
            try:
                write_calibration(Path(folder), table)
            except InputError as error:
                log.warning("%s: copy calibration.json from %s there", error, output)
        log.info("%s, stored with the checkpoint", describe(table))


def known_of(scene: LabelledScene, predicted: PredictedLabels, score: SceneScore) -> Indicators | None:
    """The indicators of the front that was scored; None without one, or where the prediction has no uncertainty."""
    if predicted.uncertainty is None:
        return None
    zones = clean_zones(mask_invalid(predicted.labels, scene.valid))
    front = np.zeros(zones.shape, bool)
    front[tuple(score.front_rc.T)] = True
    allowed = None if scene.box is None else inside_box(np.ones(zones.shape, bool), scene.box)
    maps = predicted.uncertainty, predicted.deviation, predicted.lean
    return indicators_of(front, trace_front(zones, front), zones, scene.id.pixel_spacing_m, *maps, allowed)


def calibrator_for(
    predictor: Predictor, split: str, protocol: str, shard: str | None, unusual: str
) -> Calibrator | None:
    """What an evaluation calibrates: that of a network on its validation split, whole and under the clean protocol.

    `unusual` "": or else what was asked for that `Predictor.way_of_use` does not tell apart.
    """
    data = predictor.training.data if predictor.training else LabelledDataSettings()
    if split != data.val_split:
        return None
    if shard or protocol != choices.CLEAN or unusual:
        why = "this is a part of the scenes" if shard else unusual or f"the protocol is {protocol}"
        log.warning("the errors of fronts are not calibrated, as %s", why)
        return None
    return Calibrator(predictor, split)
