"""Verdicts on fronts follow from thresholds that users can change."""

import contextlib
import dataclasses

import pytest
from made_up_front import front

from glacierjax.core.errors import ArgumentError
from glacierjax.fronts.calibration import ErrorEstimate
from glacierjax.fronts.verdict import DOUBTFUL, GOOD, REJECT, Thresholds, judge, thresholds_from


def test_a_whole_front_with_a_usual_error_is_good():
    verdict = judge(front(), ErrorEstimate(80.0, 30.0, 200.0), 80.0)
    assert verdict == (GOOD, ())


@pytest.mark.parametrize(
    ("changed", "quality", "reason"),
    [
        ({"gap_share": 0.2, "pieces": 3}, DOUBTFUL, "broken into 3 pieces"),
        ({"gap_share": 0.6, "pieces": 3}, REJECT, "broken into 3 pieces"),
        ({"rim_share": 0.3}, DOUBTFUL, "edge"),
        ({"sinuosity": 4.0}, REJECT, "winds"),
        ({"closed_share": 0.05}, DOUBTFUL, "little of the box"),
    ],
)
def test_what_is_wrong_with_a_front_is_named(changed, quality, reason):
    verdict = judge(front(**changed))
    assert verdict.quality == quality
    assert len(verdict.reasons) == 1 and reason in verdict.reasons[0]


def test_an_error_far_above_the_usual_one_is_rejected():
    assert judge(front(), ErrorEstimate(300.0, None, None), 100.0).quality == REJECT
    assert judge(front(), ErrorEstimate(130.0, None, None), 100.0).quality == DOUBTFUL


def test_thresholds_in_metres_come_on_request():
    estimate = ErrorEstimate(90.0, None, None)
    assert judge(front(), estimate, 80.0).quality == GOOD
    strict = thresholds_from(["reject_error_m=50"], of_series=False)
    assert judge(front(), estimate, 80.0, strict) == (REJECT, ("expected error 90 m",))


def test_the_worst_reason_decides_and_all_are_told():
    verdict = judge(front(gap_share=0.6, rim_share=0.3))
    assert verdict.quality == REJECT and len(verdict.reasons) == 2


@pytest.mark.parametrize(
    "text", ["reject_error=5", "reject_error_m", "reject_error_m=much", "reject_error_m=-1", "reject_error_m=nan"]
)
def test_wrong_thresholds_are_refused(text):
    with pytest.raises(ArgumentError):
        thresholds_from([text], of_series=False)


def test_every_threshold_can_be_changed_where_it_is_used():
    for field in dataclasses.fields(Thresholds):
        text = f"{field.name}=0.125"
        taken = []
        for of_series in (False, True):
            with contextlib.suppress(ArgumentError):
                taken.append(getattr(thresholds_from([text], of_series), field.name))
        assert taken == [0.125], "either of single fronts or of series"
    with pytest.raises(ArgumentError, match="with one of doubtful_jump_times, "):
        thresholds_from(["reject_error_m=300"], of_series=True)
