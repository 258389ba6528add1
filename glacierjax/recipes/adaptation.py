"""Options, folds and cross-validation of an adaptation to a new glacier; nothing is trained here."""

import dataclasses
import hashlib
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from glacierjax.core import choices
from glacierjax.core.channels import check_channels
from glacierjax.core.errors import ArgumentError, some_names
from glacierjax.core.json_values import DIGEST_LETTERS
from glacierjax.core.scene_names import SceneId
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.sums import SceneSums

MIN_LABELS_TO_COMPARE = 2
Costs = Mapping[str, float]  # in metres, of each scene


@dataclasses.dataclass(frozen=True)
class AdaptOptions:
    """What to adapt, on which labels, and how. Fields have the names of the flags of `glacierjax.adapt`.

    - `scenes`: above 0 only so many labelled scenes of `split`, evenly spread over time; `glacier`: only its scenes;
    - `channels`: what the network's input shows (`core.channels`), such as a rock mask; (): what that of the checkpoint does;
    - `rock`: a file with the rock of the labels, in place of that of the data (`known_rock`); it is the second channel then,
      unless `channels` say otherwise;
    - `trained`: which parameters change (`core.choices.TRAINED`);
    - `learning_rate`: None: that of the checkpoint's training;
    - `epochs`: of `STEPS_PER_EPOCH` steps, at most; cross-validation chooses how many;
    - `folds`: parts of the labels in cross-validation, each label a part of its own where there are no more; 0: none;
    - `replay`: prepared data of the old glaciers, whose validation scenes are scored before and after and whose training scenes
      are a share `replay_share` of the samples.

    Raises `ArgumentError` for a value that cannot be.
    """

    checkpoint: str
    data: str
    which: str = choices.WHICH[0]
    split: str = "train"
    glacier: str = ""
    scenes: int = 0
    channels: tuple[str, ...] = ()
    rock: str = ""
    trained: str = choices.TRAINED[0]
    learning_rate: float | None = None
    epochs: int = 24
    folds: int = 5
    replay: str = ""
    replay_share: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("scenes", 0), ("epochs", 1), ("folds", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise ArgumentError(name, getattr(self, name), f"choose {least} or more")
        if self.folds == 1:
            raise ArgumentError("folds", 1, "choose 0 for no cross-validation, or 2 or more")
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise ArgumentError("learning_rate", self.learning_rate, "choose a number between 0 and 1")
        if not 0 <= self.replay_share < 1:
            raise ArgumentError("replay_share", self.replay_share, "choose 0 to less than 1")
        if self.replay_share not in (0, type(self).replay_share) and not self.replay:
            raise ArgumentError("replay_share", self.replay_share, "is of the data of `replay`; give them too")
        if self.channels:
            check_channels(self.channels, "`channels`")
        if self.trained not in choices.TRAINED:
            raise ArgumentError("trained", self.trained, f"choose one of {', '.join(choices.TRAINED)}")

    def input_channels(self, before: Sequence[str]) -> tuple[str, ...]:
        """What the network's input shows; `before`: what that of the checkpoint does."""
        if self.channels:
            return self.channels
        first, second, third = before
        return (first, choices.ROCK if self.rock else second, third)


def digest_of(label: LabelledScene) -> str:
    """Tells a label from others of the same name: its pixels, zones, front, box and priors."""
    planes = (label.image, label.zones, label.front, label.valid, *label.priors.values())
    digest = hashlib.sha256(repr((label.box, [None if plane is None else plane.shape for plane in planes])).encode())
    for plane in planes:
        digest.update(b"" if plane is None else np.ascontiguousarray(plane).tobytes())
    return digest.hexdigest()[:DIGEST_LETTERS]


def spread_over_time(ids: Sequence[SceneId], count: int) -> list[int]:
    """Indices of `count` scenes (0: all), in the order of their dates and evenly spread over it."""
    order = sorted(range(len(ids)), key=lambda i: (ids[i].date, ids[i].name))
    if count > len(ids):
        raise ArgumentError("scenes", count, f"there are {len(ids)} labelled scenes; choose at most so many")
    count = count or len(ids)
    # The middle of each of `count` equal parts.
    return [order[(2 * part + 1) * len(order) // (2 * count)] for part in range(count)]


def of_glacier(ids: Sequence[SceneId], glacier: str) -> list[int]:
    """Indices of the scenes of a glacier ("": of all)."""
    found = [i for i, scene in enumerate(ids) if glacier in ("", scene.glacier)]
    if not found:
        there = some_names(sorted({scene.glacier for scene in ids}))
        raise ArgumentError("glacier", glacier, f"no labelled scene of it; there are: {there}")
    return found


def folds_of(count: int, folds: int) -> list[list[int]]:
    """The numbers 0 to count - 1 in at most `folds` parts; neighbours are in different ones. No part: nothing to compare."""
    if count < MIN_LABELS_TO_COMPARE or not folds:
        return []
    parts = min(count, folds)
    return [list(range(part, count, parts)) for part in range(parts)]


def largest_error_m(scene: LabelledScene) -> float:
    """What a missing front costs: the diagonal of the box in which it may be, else of the scene."""
    height, width = scene.image.shape
    if scene.box is not None:
        height, width = scene.box.ymax - scene.box.ymin, scene.box.xmax - scene.box.xmin
    return float(np.hypot(height, width) * scene.id.pixel_spacing_m)


def costs_of(mde_m: Mapping[str, float | None], largest_m: Costs) -> dict[str, float]:
    """The error of each scene, or where its front is missing the largest possible one."""
    return {name: largest_m[name] if error is None else error for name, error in mde_m.items()}


def errors_of(sums: Sequence[SceneSums]) -> dict[str, float | None]:
    """Mean distance error in metres of each scene with a true front; None where none was predicted."""
    return {scene.id.name: scene.mde_m for scene in sums if scene.true_front_pixels}


@dataclasses.dataclass(frozen=True)
class CrossValidation:
    """Errors in metres of each label before and after (None: no front), by networks that have not seen it.

    `epochs`: how many epochs of training are best for all labels; `epochs_of`: for all but those of the label's own fold, after
    which `after` was measured: a label decides nothing about the network that it is compared with.
    """

    folds: tuple[tuple[str, ...], ...]
    epochs: int
    epochs_of: dict[str, int]
    before: dict[str, float | None]
    after: dict[str, float | None]
    cost_before_m: float
    cost_after_m: float

    @property
    def helps(self) -> bool:
        """Whether the error is lower after than before; a missing front counts as the largest possible error."""
        return self.cost_after_m < self.cost_before_m


def cross_validation(
    before: Mapping[str, float | None],
    curves: Sequence[Sequence[Mapping[str, float | None]]],
    largest_m: Costs,
) -> CrossValidation:
    """From the errors of each label before, and of each fold after each epoch (`curves`: fold, epoch, label).

    A fold that ended earlier than others keeps its last errors.
    """
    longest = max(map(len, curves))
    curves = [[*curve, *[curve[-1]] * (longest - len(curve))] for curve in curves]
    costs = [[costs_of(epoch, largest_m) for epoch in curve] for curve in curves]

    def best(folds: Sequence[int]) -> int:
        means = [
            statistics.fmean(cost for fold in folds for cost in costs[fold][epoch].values())
            for epoch in range(len(costs[0]))
        ]
        return int(np.argmin(means)) + 1

    after, epochs_of = {}, {}
    for fold, curve in enumerate(curves):
        epochs = best([other for other in range(len(curves)) if other != fold])
        after |= curve[epochs - 1]
        epochs_of |= dict.fromkeys(curve[0], epochs)
    before = {name: before[name] for name in after}
    return CrossValidation(
        tuple(tuple(curve[0]) for curve in curves),
        best(range(len(curves))),
        epochs_of,
        before,
        after,
        statistics.fmean(costs_of(before, largest_m).values()),
        statistics.fmean(costs_of(after, largest_m).values()),
    )
