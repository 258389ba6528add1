"""Errors in metres: intervals hold what they promise, worse indicators never give smaller errors."""

import dataclasses

import numpy as np
import pytest
from made_up_front import front

from glacierjax.core.errors import InputError
from glacierjax.fronts.calibration import COVERAGE, LEAST_SCENES, fit_error_model, indicators_from_record


def made_up(rng, count, scatter=0.4, slope=6.0):
    """Fronts whose errors grow with their entropy, and scatter."""
    entropies = rng.uniform(0.3, 0.9, count)
    errors = np.exp(3 + slope * entropies + rng.normal(0, scatter, count))
    return [front(e) for e in entropies], errors.tolist()


@pytest.mark.parametrize("count", [12, 60])
@pytest.mark.parametrize("slope", [6.0, 0.0])
def test_the_interval_holds_ninety_percent_of_new_fronts_however_good_the_model(count, slope):
    held = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        model = fit_error_model(*made_up(rng, count, slope=slope))
        for known, error_m in zip(*made_up(rng, 25, slope=slope), strict=True):
            estimate = model.estimate(known)
            held.append(estimate.low_m <= error_m <= estimate.high_m)
    assert COVERAGE - 0.03 <= np.mean(held) <= 0.97


def test_more_scenes_give_narrower_intervals():
    ratios = []
    for count in (LEAST_SCENES, 200):
        estimate = fit_error_model(*made_up(np.random.default_rng(0), count)).estimate(front())
        ratios.append(estimate.high_m / estimate.low_m)
    assert ratios[1] < ratios[0]


@pytest.mark.parametrize("count", [1, 2, LEAST_SCENES - 1])
def test_too_few_scenes_give_an_error_without_interval(count):
    estimate = fit_error_model(*made_up(np.random.default_rng(0), count)).estimate(front())
    assert estimate.error_m > 0 and estimate[1:] == (None, None)


def test_the_error_is_the_expected_one():
    rng = np.random.default_rng(1)
    model = fit_error_model(*made_up(rng, 400))
    known, errors_m = made_up(rng, 400)
    assert np.mean([model.estimate(one).error_m for one in known]) == pytest.approx(np.mean(errors_m), rel=0.15)


def test_a_worse_indicator_never_gives_a_smaller_error():
    rng = np.random.default_rng(2)
    known, errors_m = made_up(rng, 30)
    model = fit_error_model(known, errors_m[::-1])  # even where the data say the opposite
    for name, worse in {
        "blur_m": 300.0,
        "entropy": 0.8,
        "deviation": 0.3,
        "gap_share": 0.4,
        "sinuosity": 2.0,
        "rim_share": 0.5,
    }.items():
        assert model.estimate(front(**{name: worse})).error_m >= model.estimate(front()).error_m
    assert model.estimate(front(closed_share=0.1)).error_m >= model.estimate(front()).error_m


def test_what_is_not_known_counts_as_usual():
    model = fit_error_model(*made_up(np.random.default_rng(3), 30))
    unknown = dataclasses.replace(front(), blur_m=None, closed_share=None, deviation=None)
    assert model.estimate(unknown).error_m == pytest.approx(model.estimate(front()).error_m)


def test_single_networks_are_calibrated_without_deviation():
    known, errors_m = made_up(np.random.default_rng(4), 20)
    model = fit_error_model([dataclasses.replace(one, deviation=None) for one in known], errors_m)
    assert np.isfinite(model.estimate(dataclasses.replace(front(), deviation=None))).all()


def test_a_perfect_front_is_no_problem():
    assert fit_error_model([front()] * 10, [0.0] * 10).estimate(front()).error_m == pytest.approx(1.0)


@pytest.mark.parametrize("errors_m", [[], [float("nan")], [-1.0], [float("inf")]])
def test_errors_that_are_none_are_refused(errors_m):
    with pytest.raises(InputError):
        fit_error_model([front()] * len(errors_m), errors_m)


def test_records_are_read_back_and_damage_is_found():
    record = dataclasses.asdict(front(deviation=None))
    assert indicators_from_record(record) == front(deviation=None)
    for damage in ({"entropy": None}, {"entropy": "much"}, {"length_m": float("nan")}):
        with pytest.raises((ValueError, TypeError)):
            indicators_from_record({**record, **damage})
    with pytest.raises(KeyError):
        indicators_from_record({"entropy": 1.0})
