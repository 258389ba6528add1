"""Trend and seasonal cycle: known ones are found, and their errors hold also where neighbours in time deviate alike."""

import json

import numpy as np
import pytest
import scipy.stats

from glacierjax.terminus.trend import JACKKNIFE, SCATTER, fit_trend, trend_facts, trend_text

RATE, RANGE = -50.0, 200.0


def motion(years):
    return 7 + RATE * (years - 2010) + RANGE / 2 * np.cos(2 * np.pi * (years - 0.1))


def correlated(rng, years, size=100.0, memory_years=0.2, share=0.8):
    """Deviations (n,), a part of which fades with time."""
    apart = np.abs(years[:, None] - years)
    covariance = size**2 * (share**2 * np.exp(-apart / memory_years) + (1 - share**2) * np.eye(len(years)))
    return np.linalg.cholesky(covariance) @ rng.standard_normal(len(years))


def test_known_motion_is_found():
    years = np.arange(2010, 2016, 1 / 12)
    trend = fit_trend(years, motion(years))
    assert trend is not None
    assert trend.rate == pytest.approx(RATE) and trend.rate_error == pytest.approx(0, abs=1e-6)
    assert trend.season_range == pytest.approx(RANGE, rel=1e-3)
    highest, lowest = trend.season_days()
    assert abs(highest - 0.1 * 366) < 2 and abs(lowest - 0.6 * 366) < 2
    np.testing.assert_allclose(trend.at(years), motion(years))
    np.testing.assert_allclose(np.diff(trend.at(years, season=False)), RATE / 12)
    assert trend_text(trend).startswith("trend -50 m a year (standard error 0 m, jackknife")


def test_a_trend_is_not_fooled_by_the_season_of_its_first_and_last_date():
    years = np.arange(2010.1, 2012.7, 0.1)  # from a winter to a summer
    assert abs(np.polyfit(years, motion(years), 1)[0] - RATE) > 15
    assert fit_trend(years, motion(years)).rate == pytest.approx(RATE)


@pytest.mark.parametrize(
    "years",
    [np.linspace(2010, 2011.2, 40), np.arange(2010.2, 2020), np.linspace(2010, 2014, 9)],
    ids=["too short", "one month a year", "few dates"],
)
def test_a_cycle_that_the_dates_do_not_show_is_not_fitted(years):
    trend = fit_trend(years, motion(years))
    assert trend.harmonics == 0 and trend.season_range is None and trend.season_days() is None


def test_few_independent_dates_have_the_errors_of_regression():
    years, values = np.array([2010.0, 2010.5, 2011.4, 2012.7, 2013.0]), np.array([5.0, 4, 4.5, 1, 0])
    trend, expected = fit_trend(years, values), scipy.stats.linregress(years, values)
    assert (trend.rate, trend.rate_error) == (pytest.approx(expected.slope), pytest.approx(expected.stderr))
    assert trend.errors_from == SCATTER
    assert trend.half_band(years[:1])[0] > trend.half_band(years[2:3])[0]


def test_two_dates_have_a_trend_without_error_and_one_has_none():
    trend = fit_trend(np.array([2010.0, 2012]), np.array([3.0, -1]))
    assert trend.rate == pytest.approx(-2)
    assert trend.rate_error is None and trend.half_band(np.array([2010.0])) is None
    assert trend_text(trend) == "trend -2 m a year"
    assert fit_trend(np.array([2010.0, 2010]), np.array([3.0, 4])) is None
    assert set(trend_facts(None).values()) == {None} and trend_facts(trend)["trend_errors_from"] is None


@pytest.mark.parametrize("dates", [2, 3, 4])
def test_many_fronts_of_few_dates_show_no_cycle_and_no_error_that_their_dates_do_not_tell(dates):
    years = np.repeat(np.linspace(2010.05, 2012.3, dates), 12)
    values = -50 * (years - 2010) + np.random.default_rng(1).standard_normal(len(years))
    trend = fit_trend(years, values)
    assert trend.harmonics == 0 and trend.rate == pytest.approx(-50, abs=2)
    assert (trend.rate_error is None) == (dates == 2)
    assert dates == 2 or 0 < trend.rate_error < 2
    json.dumps(trend_facts(trend), allow_nan=False)


def test_a_cycle_over_repeated_dates_has_errors_that_are_numbers():
    years = np.repeat(np.linspace(2010, 2013, 13), [1, 30] + [1] * 11)
    trend = fit_trend(years, motion(years), np.full(len(years), 10.0))
    assert trend.harmonics == 1 and np.isfinite(trend.covariance).all() and trend.rate_error < 20


def test_dates_with_large_errors_count_less():
    years = np.arange(2010, 2016, 1 / 12)
    errors = np.where(np.arange(len(years)) % 2, 10.0, 1000.0)
    values = motion(years) + np.random.default_rng(1).standard_normal(len(years)) * errors
    weighted, plain = (fit_trend(years, values, e) for e in (errors, None))
    assert abs(weighted.rate - RATE) < 2 < abs(plain.rate - RATE)
    assert weighted.rate_error < plain.rate_error / 5
    some = np.where(np.arange(len(years)) == 3, np.nan, errors)
    assert fit_trend(years, values, some).rate == pytest.approx(weighted.rate, abs=1)
    assert fit_trend(years, values, np.full(len(years), np.nan)).rate == pytest.approx(plain.rate)


def test_intervals_hold_where_neighbours_in_time_deviate_alike():
    held = independent = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        years = 2010 + np.sort(rng.uniform(0, 8, 160))
        values = motion(years) + correlated(rng, years)
        trend = fit_trend(years, values)
        assert trend.errors_from == JACKKNIFE
        held += abs(trend.rate - RATE) <= trend.quantile * trend.rate_error
        as_if = scipy.stats.linregress(years, values - motion(years))
        independent += abs(as_if.slope) <= 1.645 * as_if.stderr
    assert 82 <= held <= 97 and independent < 60, (held, independent)
