"""Scenes of an adaptation: its labels, and those of old glaciers."""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from glacierjax.core.channels import GREY_ONLY, TITLES, priors_of
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.settings import FineTuning
from glacierjax.datasets.caffe.prepared import open_split
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import Scenes, raw_scenes
from glacierjax.recipes.adaptation import AdaptOptions, of_glacier, spread_over_time
from glacierjax.recipes.known_rock import with_rock

log = logging.getLogger(__name__)


class SomeScenes:
    """The scenes with these numbers, each read when it is asked for."""

    def __init__(self, scenes: Scenes, numbers: Sequence[int]):
        self._scenes, self._numbers = scenes, numbers
        self.names = [scenes.names[number] for number in numbers]

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> LabelledScene:
        return self._scenes[self._numbers[index]]

    def __iter__(self) -> Iterator[LabelledScene]:
        return (self._scenes[number] for number in self._numbers)


class NewAndOld:
    """Scenes to train on: the new ones first, then the old ones."""

    def __init__(self, new: Scenes, old: Scenes | None):
        self._parts = (new,) if old is None else (new, old)
        self.names = [name for part in self._parts for name in part.names]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> LabelledScene:
        for part in self._parts:
            if index < len(part):
                return part[index]
            index -= len(part)
        raise IndexError(index)

    def __iter__(self) -> Iterator[LabelledScene]:
        return (scene for part in self._parts for scene in part)


def read_labels(options: AdaptOptions, channels: Sequence[str] = GREY_ONLY) -> SomeScenes:
    """The labelled scenes to adapt to, in the order of their dates.

    Raises `InputError` where none has a front, or none has what the input channels show beside grey.
    """
    scenes = raw_scenes(options.data, options.split, "auto")
    ids = [parse_name(name) for name in scenes.names]
    of_site = of_glacier(ids, options.glacier)
    chosen = spread_over_time([ids[number] for number in of_site], options.scenes)
    labels = SomeScenes(scenes, [of_site[number] for number in chosen])
    if options.rock:
        labels = SomeScenes(with_rock(labels, options.rock, options.data), range(len(labels)))
    if not any(scene.front.any() for scene in labels):
        raise InputError(
            f"{options.data}: none of its {len(labels)} labelled scenes has a front; label some where one is seen"
        )
    for name in priors_of(channels):
        if all(scene.priors[name] is None for scene in labels):
            raise ArgumentError(
                "channels", ",".join(channels), f"no label has {TITLES[name]}; leave it out, or label with one"
            )
    return labels


class OldScenes(NamedTuple):
    """Scenes of the old glaciers: samples come from `train`, `val` are scored before and after."""

    train: SomeScenes
    val: SomeScenes


def old_scenes(settings: FineTuning, data: str, labels: Sequence[str]) -> OldScenes:
    """The scenes of prepared data that are no labels: of a label that is held out, nothing may be known.

    Raises `ArgumentError` for a split that has no others.
    """

    def others(split: str) -> SomeScenes:
        scenes = open_split(data, split, settings.data.name)
        numbers = [i for i, name in enumerate(scenes.names) if name not in labels]
        if not numbers:
            advice = f"its split {split} has no scenes but the labels; give data of other glaciers"
            raise ArgumentError("replay", data, advice)
        if left_out := len(scenes) - len(numbers):
            log.info("%s: %d scenes of the split %s are labels and are left out there", data, left_out, split)
        return SomeScenes(scenes, numbers)

    return OldScenes(others(settings.data.train_split), others(settings.data.val_split))
