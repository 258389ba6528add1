"""Fronts that went wrong are found by their neighbours in time, and the others are kept."""

import dataclasses
import datetime

import numpy as np
import pytest
import shapely

from glacierjax.fronts.verdict import DOUBTFUL, GOOD, REJECT, Verdict, thresholds_from
from glacierjax.terminus.box import Box
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.outliers import LEAST_DATES, judge_series, lane_positions_m
from glacierjax.terminus.series import measure, summary

WIDTH_M = 4000.0
BOX = Box(shapely.Polygon([(-6000, 0), (6000, 0), (6000, WIDTH_M), (-6000, WIDTH_M)]), WIDTH_M)
SIDE_M = np.linspace(WIDTH_M + 500, -500, 120)  # from the north down: the glacier, in the west, is on the right...
FAILURES = ("shifted", "jumped", "half", "melange")


def front(day, along_m, side_m=SIDE_M, **others):
    date = datetime.date(2015, 1, 1) + datetime.timedelta(days=day)
    # ... so the line is walked from the south up, with the glacier on its left.
    line = np.column_stack([along_m, side_m])[::-1]
    return Front(f"scene {day}", [line], date, "JAC", "S1", **others)


def place(rng, day):
    """Retreat of 200 m a year, a season of 300 m, a bulge, and what a network errs by."""
    year = day / 365.25
    noise = np.interp(SIDE_M, np.linspace(-500, WIDTH_M + 500, 9), rng.normal(0, 40, 9))
    bulge = 300 * np.sin(SIDE_M / WIDTH_M * np.pi)
    return -200 * year + 150 * np.sin(2 * np.pi * year) + bulge + noise + rng.normal(0, 20)


def series(seed, count=48, failures=10):
    """Fronts, and the failure of each ("": none)."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.choice(1800, count, replace=False))
    wrong = dict(zip(rng.choice(count, failures, replace=False).tolist(), list(FAILURES) * failures, strict=False))
    fronts = []
    for number, day in enumerate(days.tolist()):
        along, side, kind = place(rng, day), SIDE_M, wrong.get(number, "")
        if kind == "shifted":
            along = along + rng.choice([-1, 1]) * rng.uniform(500, 900)
        elif kind == "jumped":
            along = along + rng.choice([-1, 1]) * rng.uniform(2000, 3500)
        elif kind == "half":
            kept = WIDTH_M * rng.uniform(0.4, 0.6) > SIDE_M
            along, side = along[kept], SIDE_M[kept]
        elif kind == "melange":  # the edge of the mélange over a part of the width
            middle = rng.uniform(1000, 3000)
            along = along + rng.uniform(1200, 2500) * (np.abs(SIDE_M - middle) < rng.uniform(800, 1500))
        fronts.append(front(day, along, side))
    return fronts, [wrong.get(number, "") for number in range(count)]


def test_injected_failures_are_rejected_and_nothing_else():
    found = wrong = right = 0
    for seed in range(20):
        fronts, kinds = series(seed)
        for verdict, kind in zip(judge_series(fronts, BOX), kinds, strict=True):
            rejected = verdict.quality == REJECT
            found += rejected and bool(kind)
            wrong += rejected and not kind
            right += bool(kind)
    recall, precision = found / right, found / (found + wrong)
    assert recall >= 0.9 and precision >= 0.9, (recall, precision)


def test_reasons_are_told():
    fronts, kinds = series(3)
    verdicts = judge_series(fronts, BOX)
    for verdict, kind in zip(verdicts, kinds, strict=True):
        if verdict.quality == REJECT and kind == "half":
            assert any("of the box's width" in reason for reason in verdict.reasons)
        if verdict.quality == REJECT and kind == "jumped":
            assert any("neighbours in time" in reason for reason in verdict.reasons)


def test_a_trend_does_not_suffer_from_rejected_fronts():
    fronts, kinds = series(1)
    clean = summary(measure([f for f, kind in zip(fronts, kinds, strict=True) if not kind], BOX, None), BOX)
    judged = summary(measure(fronts, BOX, None, judge_series(fronts, BOX)), BOX)
    assert judged["box_m"]["trend_per_year"] == pytest.approx(clean["box_m"]["trend_per_year"], abs=10)
    assert judged["rejected"] >= 9


def test_a_glacier_that_calves_far_back_and_stays_there_is_not_rejected():
    rng = np.random.default_rng(5)
    fronts = [front(day, place(rng, day) - (2500 if day > 900 else 0)) for day in range(0, 1800, 60)]
    assert {verdict.quality for verdict in judge_series(fronts, BOX)} == {GOOD}


def test_scenes_without_any_front_reject_no_other():
    rng = np.random.default_rng(8)
    fronts = [front(day, place(rng, day)) for day in range(0, 1800, 60)]
    empty = [dataclasses.replace(one, lines=[]) for one in fronts[1::3] + fronts[2::3]]
    judged = judge_series([*fronts[::3], *empty], BOX)
    assert {verdict.quality for verdict in judged[: len(fronts[::3])]} == {GOOD}


def test_few_fronts_are_not_judged_by_each_other():
    fronts, _ = series(1)
    assert {v.quality for v in judge_series(fronts[: LEAST_DATES - 1], BOX)} == {GOOD}


def test_a_front_that_the_prediction_rejected_stays_so_and_judges_no_other():
    rng = np.random.default_rng(6)
    bad = Verdict(REJECT, ("broken into 4 pieces",))
    fronts = [front(day, place(rng, day), verdict=bad if day < 400 else None) for day in range(0, 1800, 60)]
    verdicts = judge_series(fronts, BOX)
    assert [v.quality == REJECT for v in verdicts] == [day < 400 for day in range(0, 1800, 60)]
    assert "broken into 4 pieces" in verdicts[0].reasons


def test_thresholds_change_the_verdict():
    fronts, _ = series(2)
    never = thresholds_from(["reject_jump_times=1e9", "reject_missing_share=2"], of_series=True)
    assert REJECT not in {verdict.quality for verdict in judge_series(fronts, BOX, never)}


def test_lanes_have_the_positions_of_a_straight_front():
    straight = front(0, np.full(len(SIDE_M), 1234.0))
    np.testing.assert_allclose(lane_positions_m([straight], BOX), 1234.0)


def test_a_front_far_longer_than_usual_is_doubtful_or_rejected():
    rng = np.random.default_rng(4)
    fronts = [front(day, place(rng, day)) for day in range(0, 600, 60)]
    for depth_m, quality in ((0, GOOD), (300, DOUBTFUL), (900, REJECT)):
        winding = place(rng, 600) + depth_m * np.sign(np.sin(SIDE_M / WIDTH_M * np.pi * 6))
        verdict = judge_series(
            [*fronts, front(600, winding)], BOX, thresholds_from(["least_jump_m=1e9"], of_series=True)
        )[-1]
        assert verdict.quality == quality, depth_m
        assert any("times as long as usual" in reason for reason in verdict.reasons) == (quality != GOOD)
