"""Scores of scenes and their averages: `score_scene` for one, `aggregate` for all of them (for metrics.json).

Sums and counts are kept per scene (`glacierjax.evaluation.sums`); division happens once, in `aggregate`.
"""

import dataclasses
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Integer, Real, Shaped, UInt8

from glacierjax.core.choices import CLEAN, OFFICIAL
from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import SceneId
from glacierjax.core.zones import NUM_ZONES, ZONE_KEYS
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.sums import SceneSums, pooled_mean_and_deviation, sums_of_distances
from glacierjax.fronts.extract import check_protocol, front_of_border, inside_box, ocean_glacier_border
from glacierjax.fronts.postprocess import clean_zones, mask_invalid
from glacierjax.fronts.scores import ZONE_SCORES, absent_zones, confusion, distance_errors, pixels_of, zone_scores
from glacierjax.reports.metrics import (
    ByZone,
    FrontAverages,
    Metrics,
    PresentZoneAverages,
    SceneRecord,
    ZoneAverages,
)


@dataclasses.dataclass(frozen=True, eq=False)
class SceneScore(SceneSums):
    """The sums of a scene, and the pixels that its pictures show.

    `front_rc` (m, 2): rows and columns of the predicted front. `distances_m` (n,): from each predicted front pixel to the
    nearest true one, then from each true front pixel, row by row, to the nearest predicted one; empty if a front is empty.
    """

    front_rc: np.ndarray
    distances_m: np.ndarray

    @property
    def sums(self) -> SceneSums:
        """The sums without the pixels."""
        return SceneSums(**{field.name: getattr(self, field.name) for field in dataclasses.fields(SceneSums)})


def score_scene(
    scene: LabelledScene, predicted_ids: UInt8[np.ndarray, "height width"], protocol: str = CLEAN
) -> SceneScore:
    """Scores predicted zones (H, W), ids 0 to 3, and the front that follows from them, against the front as drawn.

    The zones are scored as predicted, before post-processing, as in the official evaluation. Pixels where `scene.valid` is
    false count in no score and are part of no front. Raises `InputError` when the sizes differ.
    """
    return score_under(scene, predicted_ids, [protocol])[0]


def score_under(
    scene: LabelledScene, predicted_ids: UInt8[np.ndarray, "height width"], protocols: Sequence[str]
) -> list[SceneScore]:
    """`score_scene` under each of the protocols; the common part is computed once."""
    _same_size(scene, predicted_ids)
    counts = confusion(predicted_ids, scene.zones, scene.valid)
    border = ocean_glacier_border(clean_zones(mask_invalid(predicted_ids, scene.valid)))
    fronts = [front_of_border(border, scene.id.pixel_spacing_m, scene.box, protocol) for protocol in protocols]
    return [compare_fronts(scene.id, front, scene.front, counts) for front in fronts]


def score_front(
    scene: LabelledScene, predicted_front: Shaped[np.ndarray, "height width"], protocol: str = CLEAN
) -> SceneScore:
    """Scores a predicted front (H, W), non-zero on the front, without zones; only its part in the box and the valid area."""
    check_protocol(protocol)
    _same_size(scene, predicted_front)
    front = predicted_front.astype(bool)
    if scene.valid is not None:
        front = front & scene.valid
    if scene.box is not None:
        front = inside_box(front, scene.box, protocol)
    return compare_fronts(scene.id, front, scene.front)


def compare_fronts(
    scene: SceneId,
    predicted: Bool[np.ndarray, "height width"],
    true: Bool[np.ndarray, "height width"],
    zone_counts: Integer[np.ndarray, "true_zone predicted_zone"] | None = None,
) -> SceneScore:
    """Distances between two fronts (H, W) bool; `zone_counts` as in `SceneSums`."""
    distances_m = distance_errors(predicted, true, scene.pixel_spacing_m)
    front_rc = pixels_of(predicted).astype(np.int32)
    return SceneScore(
        id=scene,
        **sums_of_distances(distances_m),
        front_pixels=len(front_rc),
        true_front_pixels=int(np.count_nonzero(true)),
        zone_counts=zone_counts,
        front_rc=front_rc,
        distances_m=distances_m,
    )


def _same_size(scene: LabelledScene, predicted: Shaped[np.ndarray, "height width"]) -> None:
    if predicted.shape != scene.zones.shape:
        raise InputError(
            f"{scene.id.name}: the prediction is {predicted.shape}, the scene {scene.zones.shape} (rows, columns)"
        )


def aggregate(scores: Sequence[SceneSums], protocol: str = CLEAN) -> Metrics:
    """All averages of metrics.json; values that do not exist are None.

    - `scored_fronts` (scenes with both fronts) and `distances` (pooled): the counts behind the means;
    - `mde_px`: as `mde_m`, with distances in pixels;
    - `zones_present`: zone averages without the cases in which a class is absent from prediction and truth of a scene.
      `mean` is over all remaining cases, `cases` their number, `true_scenes` the number of scenes with the class in the
      truth;
    - `absent_zones` of each scene: the classes that are absent from its prediction and truth.

    Raises `InputError` if there are no scenes or two scenes have the same name.
    """
    check_protocol(protocol)
    names = [score.id.name for score in scores]
    if not names:
        raise InputError("no scenes to score; choose a split that has scenes")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{twice[0]}: scored twice; each scene may occur only once")
    with_zones = [score.zone_counts for score in scores if score.zone_counts is not None]
    return {
        "protocol": protocol,
        **front_averages(scores, protocol),
        "zones": _zone_averages(with_zones),
        "zones_present": _present_averages(with_zones),
        "subsets": {key: front_averages(subset, protocol) for key, subset in subsets(scores).items()},
        "per_scene": {score.id.name: _scene_record(score) for score in scores},
    }


def front_averages(scores: Sequence[SceneSums], protocol: str = CLEAN) -> FrontAverages:
    """Averages of the front distances over scenes, with the numbers of scenes that are included and that are not."""
    scored = [score for score in scores if score.distances]
    without_true = sum(score.true_front_pixels == 0 for score in scores)
    missing = len(scores) - len(scored)
    if protocol != OFFICIAL:
        missing -= without_true
    distances = sum(score.distances for score in scored)
    mean_m = deviation_m = scene_mean_m = length_weighted_m = mean_px = None
    if scored:
        mean_m, deviation_m = pooled_mean_and_deviation(scored)
        scene_means_m = [score.distance_sum_m / score.distances for score in scored]
        lengths_px = [score.true_front_pixels for score in scored]
        scene_mean_m = math.fsum(scene_means_m) / len(scored)
        length_weighted_m = math.fsum(map(operator.mul, scene_means_m, lengths_px)) / sum(lengths_px)
        mean_px = math.fsum(score.distance_sum_m / score.id.pixel_spacing_m for score in scored) / distances
    return {
        "scenes": len(scores),
        "scored_fronts": len(scored),
        "missing_fronts": missing,
        "scenes_without_true_front": without_true,
        "distances": distances,
        "mde_m": mean_m,
        "mde_std_m": deviation_m,
        "mde_scene_mean_m": scene_mean_m,
        "mde_length_weighted_m": length_weighted_m,
        "mde_px": mean_px,
    }


def subsets(scores: Sequence[SceneSums]) -> dict[str, list[SceneSums]]:
    """Scenes by season, glacier, sensor, resolution, and glacier x each of the others: "glacier=COL,season=winter" -> scenes.

    Contains every combination of occurring values, with an empty list if no scene has it, and always both seasons.
    """
    aspects: dict[str, Callable[[SceneId], Any]] = {
        "season": lambda scene: scene.season(),
        "glacier": lambda scene: scene.glacier,
        "sensor": lambda scene: scene.sensor_group,
        "resolution": lambda scene: scene.pixel_spacing_m,
    }
    values = {aspect: sorted({of(s.id) for s in scores} - {None}) for aspect, of in aspects.items()}
    values["season"] = ["winter", "summer"]
    by_subset = {
        f"{aspect}={value}": [s for s in scores if aspects[aspect](s.id) == value]
        for aspect in aspects
        for value in values[aspect]
    }
    for glacier in values["glacier"]:
        of_glacier = by_subset[f"glacier={glacier}"]
        for aspect in ("season", "sensor", "resolution"):
            for value in values[aspect]:
                key = f"glacier={glacier},{aspect}={value}"
                by_subset[key] = [s for s in of_glacier if aspects[aspect](s.id) == value]
    return by_subset


def _zone_averages(counts: Sequence[np.ndarray]) -> ZoneAverages:
    """Means over scenes, then classes; a class absent from prediction and truth of a scene counts as 0, as officially."""

    def averages(name: str) -> ByZone:
        by_class = np.mean([zone_scores(c)[name] for c in counts], axis=0) if counts else None
        return _by_zone(by_class) | {"mean": None if by_class is None else float(by_class.mean())}

    iou, precision, recall, f1 = map(averages, ZONE_SCORES)
    return {"iou": iou, "precision": precision, "recall": recall, "f1": f1}


def _present_averages(counts: Sequence[np.ndarray]) -> PresentZoneAverages:
    """Means over the (scene, class) cases in which the class occurs in prediction or truth, and their numbers."""
    present = np.array([~absent_zones(c) for c in counts]).reshape(-1, NUM_ZONES)
    cases = present.sum(0)
    true_scenes = np.array([c.sum(1) > 0 for c in counts]).reshape(-1, NUM_ZONES).sum(0)

    def averages(name: str) -> ByZone:
        sums = (np.array([zone_scores(c)[name] for c in counts]).reshape(-1, NUM_ZONES) * present).sum(0)
        by_zone = {key: float(s / n) if n else None for key, s, n in zip(ZONE_KEYS, sums, cases, strict=True)}
        return by_zone | {"mean": float(sums.sum() / cases.sum()) if cases.sum() else None}

    iou, precision, recall, f1 = map(averages, ZONE_SCORES)
    return {
        "iou": iou,
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "cases": {key: int(n) for key, n in zip(ZONE_KEYS, cases, strict=True)} | {"mean": int(cases.sum())},
        "true_scenes": {key: int(n) for key, n in zip(ZONE_KEYS, true_scenes, strict=True)},
    }


def _scene_record(score: SceneSums) -> SceneRecord:
    counts = score.zone_counts
    scores = None if counts is None else zone_scores(counts)
    iou, precision, recall, f1 = (_by_zone(None if scores is None else scores[name]) for name in ZONE_SCORES)
    return {
        "mde_m": score.mde_m,
        "mde_px": score.mde_px,
        "distances": score.distances,
        "front_pixels": score.front_pixels,
        "true_front_pixels": score.true_front_pixels,
        "iou": iou,
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "absent_zones": []
        if counts is None
        else [key for key, gone in zip(ZONE_KEYS, absent_zones(counts), strict=True) if gone],
    }


def _by_zone(values: Real[np.ndarray, " zone"] | None) -> ByZone:
    return {key: None if values is None else float(values[zone]) for zone, key in enumerate(ZONE_KEYS)}
