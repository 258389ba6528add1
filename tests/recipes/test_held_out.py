"""What a fold's early stop looks at: the mean error of the held-out labels, a missing front as the largest possible one."""

import numpy as np
import pytest

from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.score import score_scene
from glacierjax.evaluation.sums import sums_from_record
from glacierjax.recipes.held_out import HeldOut

SHAPE = (60, 80)


def zones(column):
    found = np.full(SHAPE, Zone.GLACIER, np.uint8)
    found[:, column:] = Zone.OCEAN_ICE_MELANGE
    return found


def scene(name):
    front = np.zeros(SHAPE, bool)
    front[:, 40] = True
    return LabelledScene(parse_name(name), np.zeros(SHAPE, np.uint8), zones(40), front)


class Found:
    """A validation whose network has these zones."""

    pictures = staticmethod(dict)

    def __init__(self, *predicted):
        self._predicted = predicted

    def __len__(self):
        return len(self._predicted)

    def scores(self, params):
        scenes = (scene(f"KAN_20{year}-07-01_S1_20_1_001") for year in (10, 11))
        pairs = zip(scenes, self._predicted, strict=True)
        return [sums_from_record(score_scene(one, found).record()) for one, found in pairs]


def test_a_front_that_is_found_at_last_is_better_than_one_that_is_missing():
    names = [f"KAN_20{year}-07-01_S1_20_1_001" for year in (10, 11)]
    largest_m = dict.fromkeys(names, 2000.0)
    one_missing = HeldOut(Found(zones(42), zones(80)), largest_m)({})
    both_far = HeldOut(Found(zones(50), zones(50)), largest_m)({})
    assert one_missing[f"{names[1]}/mde_m"] is None and one_missing["mde_m"] < both_far["mde_m"]
    assert one_missing[HeldOut.watched] == pytest.approx((one_missing[f"{names[0]}/mde_m"] + 2000) / 2)
    assert both_far[HeldOut.watched] == pytest.approx(both_far["mde_m"])
    assert both_far[HeldOut.watched] < one_missing[HeldOut.watched]
