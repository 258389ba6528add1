"""Zone scores of one scene."""

import numpy as np
import pytest
from helpers import unchecked
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glacierjax.core.errors import InputError
from glacierjax.core.zones import ZONE_KEYS
from glacierjax.fronts import score_zones
from glacierjax.fronts.scores import ZONE_SCORES, absent_zones, confusion

zone_maps = hnp.arrays(np.uint8, (7, 8), elements=st.integers(0, 3))


def test_scores_of_a_small_example():
    scores = score_zones(np.array([[3, 3, 3, 2]]), np.array([[3, 3, 2, 2]]))
    assert scores["ocean"] == {
        "iou": pytest.approx(2 / 3),
        "precision": pytest.approx(2 / 3),
        "recall": 1.0,
        "f1": pytest.approx(0.8),
        "predicted_pixels": 3,
        "true_pixels": 2,
        "common_pixels": 2,
    }
    assert scores["glacier"]["precision"] == 1 and scores["glacier"]["recall"] == 0.5


def test_an_absent_class_scores_zero_and_is_named_absent():
    zones = np.array([[3, 2]])
    assert [score_zones(zones, zones)["na"][name] for name in ZONE_SCORES] == [0, 0, 0, 0]
    assert absent_zones(confusion(zones, zones)).tolist() == [True, True, False, False]


@settings(deadline=None, max_examples=50)
@given(zone_maps, zone_maps)
def test_scores_agree_with_counting_sets_of_pixels(predicted, true):
    scores = score_zones(predicted, true)
    for zone, key in enumerate(ZONE_KEYS):
        p, t = predicted == zone, true == zone
        union = (p | t).sum()
        assert scores[key]["iou"] == pytest.approx((p & t).sum() / union if union else 0)
        assert scores[key]["f1"] == pytest.approx(2 * (p & t).sum() / (p.sum() + t.sum()) if union else 0)


@settings(deadline=None, max_examples=50)
@given(zone_maps, zone_maps)
def test_swapping_prediction_and_truth_swaps_precision_and_recall(predicted, true):
    one, other = score_zones(predicted, true), score_zones(true, predicted)
    for key in ZONE_KEYS:
        assert one[key]["precision"] == other[key]["recall"] and one[key]["iou"] == other[key]["iou"]


@settings(deadline=None, max_examples=50)
@given(zone_maps, zone_maps, hnp.arrays(bool, (7, 8)), zone_maps)
def test_invalid_pixels_count_in_no_score(predicted, true, valid, noise):
    changed = np.where(valid, predicted, noise)
    assert score_zones(predicted, true, valid) == score_zones(changed, true, valid)


def test_sizes_must_agree():
    with unchecked(), pytest.raises(InputError, match="one size"):
        score_zones(np.zeros((3, 3), int), np.zeros((3, 4), int))
    with unchecked(), pytest.raises(InputError, match="valid mask"):
        score_zones(np.zeros((3, 3), int), np.zeros((3, 3), int), np.ones((2, 3), bool))
