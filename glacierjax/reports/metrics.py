"""What metrics.json holds, as types. A value that does not exist is None."""

from typing import NotRequired, TypedDict

ByZone = dict[str, float | None]
"""Key of a zone (`glacierjax.core.zones.ZONE_KEYS`), in averages "mean" too -> score 0..1."""


class FrontAverages(TypedDict):
    """Front distances of some scenes, pooled, and the number of scenes behind them."""

    scenes: int
    scored_fronts: int
    missing_fronts: int
    scenes_without_true_front: int
    distances: int
    mde_m: float | None
    mde_std_m: float | None
    mde_scene_mean_m: float | None
    mde_length_weighted_m: float | None
    mde_px: float | None


class ZoneAverages(TypedDict):
    """Zone scores, means over scenes."""

    iou: ByZone
    precision: ByZone
    recall: ByZone
    f1: ByZone


class PresentZoneAverages(ZoneAverages):
    """Zone scores without the classes that a scene has neither in prediction nor in truth.

    `cases`: number of scenes behind each value; `true_scenes`: number of scenes whose truth has the class.
    """

    cases: dict[str, int]
    true_scenes: dict[str, int]


class SceneRecord(ZoneAverages):
    """Figures of one scene. `absent_zones`: keys of the classes that are neither in prediction nor in truth."""

    mde_m: float | None
    mde_px: float | None
    distances: int
    front_pixels: int
    true_front_pixels: int
    absent_zones: list[str]


class OtherProtocol(FrontAverages):
    """Front distances of the same scenes under the other protocol."""

    protocol: str


class Averages(FrontAverages):
    """All averages of one method."""

    zones: ZoneAverages
    zones_present: PresentZoneAverages


class BaselineAverages(Averages):
    """Averages of a simple predictor. `rule`: how it predicts, in words."""

    rule: str


class AnnotatorStudy(TypedDict):
    """Distances from the prediction to each annotator, and between each two annotators.

    `mde_m`, `among_mde_m`: pooled over all comparisons of either kind; `times`: the first divided by the second.
    """

    prediction: dict[str, FrontAverages]
    among: dict[str, FrontAverages]
    mde_m: float | None
    among_mde_m: float | None
    times: float | None
    without_distance: int
    among_without_distance: int


class Metrics(Averages):
    """All of metrics.json. The keys of `subsets` are such as "glacier=COL,season=winter"."""

    protocol: str
    subsets: dict[str, FrontAverages]
    per_scene: dict[str, SceneRecord]
    other_protocol: NotRequired[OtherProtocol]
    baselines: NotRequired[dict[str, BaselineAverages]]
    annotators: NotRequired[AnnotatorStudy]
