"""New and old scenes in one training: their shares, and that all of them come."""

from collections import Counter

import pytest

from glacierjax.core.settings import AugmentSettings, LabelledDataSettings
from glacierjax.data.image_file import ImageFile
from glacierjax.data.labelled_scenes import LabelledScenes
from glacierjax.data.replay import ReplaySource

NEW, OLD, SAMPLES, EPOCHS = 3, 50, 80, 5


def shown(share: float, old: int, new: int = NEW) -> list[int]:
    """The scenes of all samples, in their order."""
    scenes = LabelledScenes(tuple(map(str, range(new + old))), ImageFile("none", ()))
    data = LabelledDataSettings(samples_per_epoch=SAMPLES)
    order = {"seed": 1, "batch_size": 8, "first": 0, "local": 8, "steps": SAMPLES * EPOCHS // 8}
    source = ReplaySource(scenes, data, AugmentSettings(), **order, new=new, share=share)
    return [source.scene_of(number) for number in range(SAMPLES * EPOCHS)]


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_old_scenes_have_their_share_of_each_epoch_and_come_in_turn(share):
    scenes = shown(share, OLD)
    for epoch in range(EPOCHS):
        one = scenes[epoch * SAMPLES : (epoch + 1) * SAMPLES]
        assert sum(scene >= NEW for scene in one) == share * SAMPLES
        new = Counter(scene for scene in one if scene < NEW)
        assert len(new) == NEW and max(new.values()) - min(new.values()) <= 1
    old = Counter(scene for scene in scenes if scene >= NEW)
    assert len(old) == OLD and max(old.values()) - min(old.values()) <= 1


def test_more_new_scenes_than_samples_of_an_epoch_come_all_in_turn():
    counts = Counter(shown(0.5, OLD, new=60))
    assert len(counts) == 60 + OLD and max(counts.values()) - min(counts.values()) <= 2


def test_without_old_scenes_the_new_ones_come_equally_often():
    counts = Counter(shown(0.0, 0))
    assert set(counts) == set(range(NEW)) and max(counts.values()) - min(counts.values()) <= 1
