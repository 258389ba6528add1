"""Monthly and annual fronts: the median of many scenes, weighted by their errors, with spread and standard error.

A month is the weighted median of its scenes, a year the median of its months, so that no season counts more for having more
scenes. Medians are taken of the position of the box method, and in each lane, so that a line comes out. A month or year
without scenes stays empty.
"""

import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from glacierjax.core.scene_names import decimal_year
from glacierjax.fronts.verdict import REJECT
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.lanes import Lanes, Profile
from glacierjax.terminus.series import Row
from glacierjax.terminus.trend import Trend, fit_trend, known_errors

Values = Float64[np.ndarray, "value *column"]

MONTHS_A_YEAR = 12
MEDIAN_BY_MEAN = np.sqrt(np.pi / 2)  # standard error of the median by that of the mean, of normally distributed values
MOST_MISSING = 0.5  # of a year, for which the scatter of the other months stands
DRAWS = 400  # of the months of a year as they may be
FEW = 2  # of so many the weighted median is the weighted mean


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredFront:
    """One scene: `position_m` by the box method, its `error_m` (None: not known), `profile_m` (lanes,) along the flow."""

    date: datetime.date
    sensor: str | None
    position_m: float
    error_m: float | None
    profile_m: Profile


@dataclasses.dataclass(frozen=True, eq=False)
class Composite:
    """The front of a month or year from `first_day` to before `next_day`; None where nothing was seen or it is not known.

    `scenes` of `months` months; `position_m` with its standard error; `spread_m`: standard deviation of the scenes of a month,
    of the months of a year, None for one; `date`: mean of the dates; `profile_m` (lanes,).
    """

    name: str
    first_day: datetime.date
    next_day: datetime.date
    scenes: int = 0
    months: int = 0
    date: datetime.date | None = None
    position_m: float | None = None
    error_m: float | None = None
    spread_m: float | None = None
    first_seen: datetime.date | None = None
    last_seen: datetime.date | None = None
    sensors: tuple[str, ...] = ()
    profile_m: Profile | None = None

    @property
    def middle_year(self) -> float:
        """The middle of the month or year as a decimal year."""
        return (decimal_year(self.first_day) + decimal_year(self.next_day)) / 2


def measured_fronts(fronts: Sequence[Front], rows: Sequence[Row], lanes: Lanes) -> list[MeasuredFront]:
    """The fronts that are not rejected and cross the box; `rows`: what `series.measure` tells of each of them."""
    return [
        MeasuredFront(row.date, row.sensor, row.box_position_m, row.error_m, lanes.profile_m(front.lines))
        for front, row in zip(fronts, rows, strict=True)
        if row.quality != REJECT and row.box_position_m is not None
    ]


def monthly(fronts: Sequence[MeasuredFront]) -> list[Composite]:
    """The composite of each month from the first to the last with a front, those in between without one too.

    Standard error: what the errors of the scenes leave, or their scatter within a month if that is more. This scatter is that
    of all months together, as a month has few scenes.
    """
    known = known_errors(np.array([np.nan if front.error_m is None else front.error_m for front in fronts]))
    errors = [None] * len(fronts) if known is None else known.tolist()
    of_month: dict[tuple[int, int], list[MeasuredFront]] = {}
    for front, error_m in zip(fronts, errors, strict=True):
        front = dataclasses.replace(front, error_m=error_m)
        of_month.setdefault((front.date.year, front.date.month), []).append(front)
    scatter_m = _scatter([[front.position_m for front in group] for group in of_month.values()])
    (year, month), last = min(of_month), max(of_month)
    found = []
    while (year, month) <= last:
        following = (year, month + 1) if month < MONTHS_A_YEAR else (year + 1, 1)
        empty = Composite(f"{year}-{month:02}", datetime.date(year, month, 1), datetime.date(*following, 1))
        group = of_month.get((year, month), [])
        found.append(_of_scenes(empty, group, scatter_m) if group else empty)
        year, month = following
    return found


def annual(months: Sequence[Composite], trend: Trend | None) -> list[Composite]:
    """The composite of each year of monthly ones, each of them with the same weight; `trend` of them.

    Standard error: of the median of the months. Where months are missing, also what that can do: their scatter by the share
    that is missing, or, if that is more, how far the seasonal cycle of the months that are there is from that of all months.
    Not known where most of the year is missing and no cycle tells it.
    """
    of_year: dict[int, list[Composite]] = {}
    for month in months:
        of_year.setdefault(month.first_day.year, []).append(month)
    seen = {year: seen_of(group) for year, group in of_year.items()}
    scatter_m = _scatter([[month.position_m for month in group] for group in seen.values()])
    found = []
    for year, group in seen.items():
        empty = Composite(str(year), datetime.date(year, 1, 1), datetime.date(year + 1, 1, 1))
        off_m = _off_season_m(group, trend)
        has_cycle = trend is not None and trend.harmonics > 0
        found.append(_of_months(empty, group, scatter_m, off_m, has_cycle) if group else empty)
    return found


def positions_of(months: Sequence[Composite]) -> tuple[Values, Values, Values]:
    """Decimal years, positions and standard errors in metres, each (n,), of months in their order.

    The year is that of the mean date. Of a month without a front it is the middle of the month, and the others are NaN.
    """
    years = [month.middle_year if month.date is None else decimal_year(month.date) for month in months]
    positions_m = [np.nan if month.position_m is None else month.position_m for month in months]
    errors_m = [np.nan if month.error_m is None else month.error_m for month in months]
    return np.array(years, float), np.array(positions_m, float), np.array(errors_m, float)


def seen_of(composites: Sequence[Composite]) -> list[Composite]:
    """Those with a front."""
    return [one for one in composites if one.scenes]


def trend_of_months(months: Sequence[Composite]) -> Trend | None:
    """Trend and seasonal cycle of the months with a front, by their errors; None where fewer than two have one."""
    return fit_trend(*positions_of(seen_of(months)))


def weighted_median(values: Values, weights: Float64[np.ndarray, " value"]) -> np.ndarray:
    """Median of values (n,) or of each column of (n, m), between the two in the middle by their weights; of two their mean."""
    order = np.argsort(values, axis=0, kind="stable")
    values, weights = np.take_along_axis(values, order, 0), weights[order]
    up_to = (np.cumsum(weights, axis=0) - weights / 2) / weights.sum(0)
    above = np.clip((up_to < 0.5).sum(0, keepdims=True), 1, max(len(values) - 1, 1))
    below = above - 1
    if len(values) == 1:
        return values[0]
    (low, high), (place_low, place_high) = (
        [np.take_along_axis(of, index, 0)[0] for index in (below, above)] for of in (values, up_to)
    )
    return low + (high - low) * np.clip((0.5 - place_low) / (place_high - place_low), 0, 1)


def _of_scenes(empty: Composite, scenes: Sequence[MeasuredFront], scatter_m: float | None) -> Composite:
    errors = [scene.error_m for scene in scenes if scene.error_m is not None]
    weights = np.array(errors) ** -2.0 if errors else np.ones(len(scenes))
    effective = weights.sum() ** 2 / (weights**2).sum()
    factor = MEDIAN_BY_MEAN if len(scenes) > FEW else 1.0
    parts = [scatter_m and factor * scatter_m / np.sqrt(effective)]
    parts += [factor / np.sqrt(weights.sum())] if errors else []
    dates = [scene.date for scene in scenes]
    positions = np.array([scene.position_m for scene in scenes])
    return dataclasses.replace(
        empty,
        scenes=len(scenes),
        months=1,
        date=_mean_date(dates, weights),
        position_m=float(weighted_median(positions, weights)),
        error_m=max((float(part) for part in parts if part is not None), default=None),
        spread_m=float(positions.std(ddof=1)) if len(scenes) > 1 else None,
        first_seen=min(dates),
        last_seen=max(dates),
        sensors=tuple(sorted({scene.sensor for scene in scenes if scene.sensor})),
        profile_m=weighted_median(np.array([scene.profile_m for scene in scenes]), weights),
    )


def _off_season_m(months: Sequence[Composite], trend: Trend | None) -> float:
    """How far the median of the seasonal cycle in some months is from that of all months."""
    if trend is None or not trend.harmonics or not months:
        return 0.0
    middles = np.floor(trend.middle_year) + (np.arange(MONTHS_A_YEAR) + 0.5) / MONTHS_A_YEAR
    cycle = trend.at(middles) - trend.at(middles, season=False)
    seen = [month.first_day.month - 1 for month in months]
    return float(abs(np.median(cycle[seen]) - np.median(cycle)))


def _of_months(
    empty: Composite, months: Sequence[Composite], scatter_m: float | None, off_season_m: float, has_cycle: bool
) -> Composite:
    positions = np.array([month.position_m for month in months])
    weights = np.ones(len(months))
    errors = np.array([np.nan if month.error_m is None else month.error_m for month in months])
    missing = 1 - len(months) / MONTHS_A_YEAR
    # Months differ more than they err, so what normal distributions tell of the median does not hold: it is drawn.
    draws = positions[:, None] + errors[:, None] * np.random.default_rng(0).standard_normal((len(months), DRAWS))
    own_m = weighted_median(draws, weights).std() if np.isfinite(errors).all() else np.nan
    error_m = np.hypot(own_m, max((scatter_m or 0.0) * np.sqrt(missing), off_season_m))
    is_known = np.isfinite(error_m) and (has_cycle or missing <= MOST_MISSING)
    return dataclasses.replace(
        empty,
        scenes=sum(month.scenes for month in months),
        months=len(months),
        date=_mean_date([month.date for month in months if month.date], weights),
        position_m=float(weighted_median(positions, weights)),
        error_m=float(error_m) if is_known else None,
        spread_m=float(positions.std(ddof=1)) if len(months) > 1 else None,
        first_seen=min(month.first_seen for month in months if month.first_seen),
        last_seen=max(month.last_seen for month in months if month.last_seen),
        sensors=tuple(sorted({sensor for month in months for sensor in month.sensors})),
        profile_m=weighted_median(np.array([month.profile_m for month in months]), weights),
    )


def _scatter(groups: Sequence[Sequence[float | None]]) -> float | None:
    """Standard deviation within groups, of all of them together; None: none of them has two values."""
    apart = [np.array(group, float) - np.mean(np.array(group, float)) for group in groups if len(group) > 1]
    if not apart:
        return None
    return float(np.sqrt(sum(of @ of for of in apart) / sum(len(of) - 1 for of in apart)))


def _mean_date(dates: Sequence[datetime.date], weights: np.ndarray) -> datetime.date:
    return datetime.date.fromordinal(round(np.average([date.toordinal() for date in dates], weights=weights)))
