"""Monthly and annual fronts: medians with known answers, honest errors, gaps that stay gaps, and lines that hold their area."""

import datetime

import numpy as np
import pytest
import shapely

from glacierjax.fronts.verdict import GOOD, REJECT, Verdict
from glacierjax.terminus.box import Box, box_from_fronts, box_of, glacier_area_m2
from glacierjax.terminus.composites import (
    MeasuredFront,
    annual,
    measured_fronts,
    monthly,
    positions_of,
    trend_of_months,
    weighted_median,
)
from glacierjax.terminus.curved_box import box_along
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.lanes import lanes_of
from glacierjax.terminus.series import measure
from glacierjax.terminus.trend import fit_trend

BOX = Box(shapely.box(0, 0, 6000, 2000), 2000.0)


def front(date, position_m, error_m=None, lanes=5):
    return MeasuredFront(datetime.date.fromisoformat(date), "S1", position_m, error_m, np.full(lanes, position_m))


def line(x_m=3000.0, wave_m=300.0):
    """From south to north, glacier in the west."""
    y = np.linspace(-100, 2100, 300)
    return np.column_stack([x_m + wave_m * np.sin(y / 250), y])


@pytest.mark.parametrize(
    ("values", "weights", "median"),
    [
        ([9, 1, 5], [1, 1, 1], 5),
        ([1, 5], [1, 3], 4),
        ([4], [2], 4),
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),
        ([1, 2, 100], [1, 1, 1e-9], 1.5),
    ],
)
def test_weighted_medians(values, weights, median):
    values, weights = np.array(values, float), np.array(weights, float)
    assert weighted_median(values, weights) == pytest.approx(median, abs=1e-6)
    both = np.column_stack([values, -values])
    np.testing.assert_allclose(weighted_median(both, weights), [median, -median], atol=1e-6)


def test_a_month_is_the_median_of_its_scenes_by_their_errors_and_gaps_stay_gaps():
    fronts = [
        front("2015-01-03", 100, 10),
        front("2015-01-20", 104, 10),
        front("2015-01-28", 400, 500),
        front("2015-03-05", 80, 10),
        front("2015-03-06", 60, 20),
    ]
    months = monthly(fronts)
    assert [(month.name, month.scenes) for month in months] == [("2015-01", 3), ("2015-02", 0), ("2015-03", 2)]
    january, february, march = months
    assert 100 < january.position_m < 105
    assert march.position_m == pytest.approx((80 * 4 + 60) / 5)
    assert (march.first_seen, march.last_seen) == (datetime.date(2015, 3, 5), datetime.date(2015, 3, 6))
    np.testing.assert_allclose(march.profile_m, march.position_m)
    assert (february.position_m, february.error_m, february.date, february.profile_m) == (None,) * 4
    assert march.error_m >= 1 / np.sqrt(1 / 10**2 + 1 / 20**2)


def test_without_errors_the_scatter_within_months_tells_them_and_alone_nothing_does():
    two = monthly([front("2015-01-03", 100), front("2015-01-20", 120), front("2015-02-05", 90)])
    scatter = np.std([100, 120], ddof=1)
    assert [m.error_m for m in two] == [pytest.approx(scatter / np.sqrt(2)), pytest.approx(scatter)]
    assert two[1].spread_m is None
    one = monthly([front("2015-01-03", 100), front("2015-02-05", 90)])
    assert [m.error_m for m in one] == [None, None]


def known_motion(year):
    return 3000 - 60 * (year - 2010) + 150 * np.tanh(3 * np.cos(2 * np.pi * year))


def seen_motion(seed, months=range(1, 13), years=4):
    """Scenes on random days of months, with errors of known size."""
    rng = np.random.default_rng(seed)
    found = []
    for year in range(2010, 2010 + years):
        for month in months:
            for day in rng.choice(np.arange(1, 28), rng.integers(1, 4), replace=False).tolist():
                date, error = datetime.date(year, month, day), rng.uniform(15, 60)
                place = known_motion(year + (date.timetuple().tm_yday - 1) / 365) + rng.normal(0, error)
                found.append(MeasuredFront(date, "S1", place, error, np.full(3, place)))
    return found


def days_of(composite):
    count = (composite.next_day - composite.first_day).days
    return composite.first_day.year + (composite.first_day.timetuple().tm_yday - 1 + np.arange(count)) / 365


def test_composites_hold_the_known_motion_within_their_errors():
    off = {"month": [], "year": []}
    for seed in range(8):
        months = monthly(seen_motion(seed))
        true = {month.name: float(np.median(known_motion(days_of(month)))) for month in months}
        trend = fit_trend(np.array([days_of(m).mean() for m in months]), np.array([m.position_m for m in months]))
        off["month"] += [(true[month.name] - month.position_m) / month.error_m for month in months]
        for year in annual(months, trend):
            of_year = np.median([place for name, place in true.items() if name.startswith(year.name)])
            off["year"].append((of_year - year.position_m) / year.error_m)
    inside = {kind: np.mean(np.abs(times) < 2) for kind, times in off.items()}
    assert min(inside.values()) >= 0.9, inside


def test_a_year_of_which_one_season_alone_is_known_claims_no_error():
    months = monthly(seen_motion(0, range(6, 10)))
    assert {year.error_m for year in annual(months, None)} == {None}


def test_a_year_counts_each_month_once_and_knows_what_missing_months_can_do():
    many_in_summer = [front(f"2015-07-{day:02}", 0, 10) for day in range(1, 20)]
    others = [front(f"2015-{month:02}-15", 300, 10) for month in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12)]
    (year,) = annual(monthly(many_in_summer + others), None)
    assert (year.position_m, year.months, year.scenes) == (300, 12, 30)
    whole = seen_motion(0)
    of_months = monthly(whole)
    seen = np.array([days_of(m).mean() for m in of_months])
    trend = fit_trend(seen, np.array([m.position_m for m in of_months]))
    full = annual(of_months, trend)[0]
    part = annual(monthly([f for f in whole if f.date.year > 2010 or f.date.month in (6, 7)]), trend)[0]
    assert part.months == 2 and part.error_m > 100 > full.error_m
    assert abs(part.position_m - full.position_m) < 2 * part.error_m


@pytest.mark.parametrize("curved", [False, True])
def test_profiles_hold_the_area_and_the_line_of_a_front(curved):
    bend = np.linspace(0, 1, 80)
    path = np.column_stack([6000 * np.sin(bend), 1000 + 6000 * (1 - np.cos(bend))])
    box = box_along(path, 1500.0, "flow.geojson") if curved else BOX
    lines = [np.array([[2000.0, -2500], [2000, 4000]])] if curved else [line()]
    lanes = lanes_of(box, [lines])
    profile_m = lanes.profile_m(lines)
    area_m2 = glacier_area_m2(box.polygon, lines)
    assert area_m2 is not None
    assert profile_m.mean() == pytest.approx(area_m2 / box.width_m, rel=2e-3)
    assert lanes.glacier(profile_m).area == pytest.approx(area_m2, rel=2e-3)
    assert lanes.whole().area == pytest.approx(box.polygon.area, rel=2e-3)
    drawn = lanes.front(profile_m)
    assert shapely.distance(shapely.MultiLineString(lines), shapely.points(drawn)).max() < 25
    again = lanes.profile_m([np.concatenate([[drawn[0] * 2 - drawn[1]], drawn, [drawn[-1] * 2 - drawn[-2]]])])
    np.testing.assert_allclose(again, profile_m, atol=25)


def test_fronts_that_do_not_cross_the_box_or_are_rejected_are_not_measured():
    dates = [datetime.date(2015, month, 1) for month in (1, 2, 3)]
    fronts = [
        Front(str(date), [of_one], date, "JAC", "S1")
        for date, of_one in zip(dates, (line(), line()[:100], line(2500)), strict=True)
    ]
    rows = measure(fronts, BOX, None, [Verdict(GOOD), Verdict(GOOD), Verdict(REJECT, ("jumped",))])
    (only,) = measured_fronts(fronts, rows, lanes_of(BOX, [[line()]]))
    assert only.date == dates[0] and only.position_m == pytest.approx(only.profile_m.mean(), rel=1e-3)


def test_in_a_slanted_rectangle_the_mean_of_a_profile_is_the_position():
    slanted = box_from_fronts([[line(2500)], [line(3500)]])
    profile_m = lanes_of(slanted, [[line()]]).profile_m([line()])
    area_m2 = glacier_area_m2(slanted.polygon, [line()])
    assert area_m2 is not None and profile_m.mean() == pytest.approx(area_m2 / slanted.width_m, rel=0.01)


@pytest.mark.parametrize("x_m", [900.0, 3000.0, 5000.0])
def test_a_bay_in_the_side_of_a_box_moves_no_line(x_m):
    polygon = BOX.polygon.difference(
        shapely.union_all([shapely.box(1500, -9, 2500, 700), shapely.box(4000, 1200, 4500, 2009)])
    )
    lines = [line(x_m, 100.0)]
    box = box_of(polygon, [lines])
    lanes = lanes_of(box, [lines])
    profile_m = lanes.profile_m(lines)
    drawn = lanes.front(profile_m)
    np.testing.assert_allclose(drawn[:, 0], np.interp(drawn[:, 1], lines[0][:, 1], lines[0][:, 0]), atol=5)
    area_m2 = glacier_area_m2(polygon, lines)
    assert area_m2 is not None
    assert lanes.glacier(profile_m).area == pytest.approx(area_m2, rel=1e-2)
    assert profile_m.mean() * 2000 == pytest.approx(area_m2, rel=1e-2)
    assert lanes.whole().area == pytest.approx(polygon.area, rel=1e-2)


def test_a_front_in_a_bay_stands_where_the_bay_begins():
    polygon = BOX.polygon.difference(shapely.box(1500, -9, 2500, 700))
    lines = [line(2000.0, 0.0)]
    lanes = lanes_of(box_of(polygon, [lines]), [lines])
    drawn = lanes.front(lanes.profile_m(lines))
    np.testing.assert_allclose(drawn[:, 0], np.where(drawn[:, 1] < 700, 1500, 2000), atol=1e-6)


def test_years_positions_and_errors_of_months_keep_gaps():
    months = monthly([front("2015-01-11", 100, 10), front("2015-03-06", 80, 20)])
    years, positions_m, errors_m = positions_of(months)
    np.testing.assert_allclose(years, [2015 + 10 / 365, 2015 + 45 / 365, 2015 + 64 / 365])
    np.testing.assert_allclose(positions_m, [100, np.nan, 80])
    np.testing.assert_allclose(errors_m, [10, np.nan, 20])
    trend = trend_of_months(months)
    assert trend is not None and trend.rate == pytest.approx(-20 / (54 / 365))
