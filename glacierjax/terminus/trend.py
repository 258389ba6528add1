"""How a terminus changes: trend and seasonal cycle of its positions, with standard errors.

A straight line and annual harmonics are fitted by least squares. The weights count the error of each value and a scatter
around the curve that is the same for all of them.

Neighbours in time deviate alike, because a glacier does what no curve tells. So standard errors come from a jackknife over
time: the series is cut into six equal stretches, and each is left out in turn (Efron and Tibshirani 1993, An Introduction to
the Bootstrap, chapter 11). Only for series too short for that they come from the scatter, as if all dates were independent.
`Trend.errors_from` says which. docs/howto/composites.md tells how often the intervals hold.
"""

import dataclasses
from typing import Any

import numpy as np
import scipy.optimize
import scipy.stats
from jaxtyping import Bool, Float64

JACKKNIFE, SCATTER = "jackknife over stretches of time", "scatter of independent dates"
STRETCHES = 6  # fewer tell the error badly, more are too short to be independent
LEAST_STRETCHES = 5  # that must hold dates
MOST_HARMONICS = 2
LEAST_YEARS = 1.5  # that a series spans: over less, a cycle and a trend look alike
DATES_PER_PARAMETER = 3
SMALLEST_ERROR = 0.1  # by the usual one
ROUNDS = 20  # of least squares to least absolute deviations
LEVEL = 0.9  # of intervals
_STEPS = 366  # of the year, at which a cycle is looked at

Values = Float64[np.ndarray, " date"]
Matrix = Float64[np.ndarray, "row column"]


@dataclasses.dataclass(frozen=True, eq=False)
class Trend:
    """value = level + rate (year - middle_year) + harmonics of the year. Values in metres, or in any other unit.

    `coefficients`: level, rate, then cosine and sine of each harmonic; their `covariance` (None: not known: few dates) with
    `freedom`, its degrees of freedom, and where it is from (`errors_from`). `scatter`: standard deviation around the curve.
    `season_range`: of the cycle, from its lowest to its highest value, with its standard error; None without harmonics.
    """

    middle_year: float
    coefficients: np.ndarray
    covariance: np.ndarray | None
    freedom: int
    errors_from: str
    scatter: float | None
    season_range: float | None
    season_range_error: float | None

    @property
    def rate(self) -> float:
        """Per year."""
        return float(self.coefficients[1])

    @property
    def rate_error(self) -> float | None:
        """Standard error of `rate`."""
        return None if self.covariance is None else float(np.sqrt(self.covariance[1, 1]))

    @property
    def quantile(self) -> float:
        """How many standard errors an interval of `LEVEL` reaches to each side (Student's t)."""
        return float(scipy.stats.t.ppf((1 + LEVEL) / 2, self.freedom))

    @property
    def harmonics(self) -> int:
        return len(self.coefficients) // 2 - 1

    def season_days(self) -> tuple[int, int] | None:
        """Days of the year (1 to 366) of the highest and of the lowest value of the cycle; None without one."""
        if not self.harmonics:
            return None
        cycle = _cycle(self.coefficients)
        return int(cycle.argmax()) + 1, int(cycle.argmin()) + 1

    def at(self, years: Values, season: bool = True) -> Values:
        """Fitted values at decimal years (n,); without `season` the straight line alone."""
        design = _design(years, self.middle_year, self.harmonics if season else 0)
        return design @ self.coefficients[: design.shape[1]]

    def half_band(self, years: Values, season: bool = True) -> Values | None:
        """Half the width (n,) of the interval of `LEVEL` around `at`; None: not known."""
        design = _design(years, self.middle_year, self.harmonics if season else 0)
        return self._half_width(design, slice(design.shape[1]))

    def season_half_band(self, years: Values) -> Values | None:
        """The same for the seasonal cycle alone."""
        return self._half_width(_design(years, self.middle_year, self.harmonics)[:, 2:], slice(2, None))

    def _half_width(self, design: Matrix, used: slice) -> Values | None:
        if self.covariance is None:
            return None
        return self.quantile * np.sqrt(np.einsum("ni,ij,nj->n", design, self.covariance[used, used], design))


def fit_trend(years: Values, values: Values, errors: Values | None = None) -> Trend | None:
    """Trend and seasonal cycle of values (n,) at decimal years (n,); None where there are fewer than two dates.

    `errors` (n,): standard errors of the values, NaN where not known (as large as the others then); None: all alike. A cycle
    is fitted if the dates show one: over `LEAST_YEARS` at least, `DATES_PER_PARAMETER`, and no large gap in the time of year.
    """
    if len(set(years.tolist())) < 2:
        return None
    harmonics = _harmonics(years)
    middle = float((years.min() + years.max()) / 2)
    design = _design(years, middle, harmonics)
    variances = _variances(design, values, errors)
    coefficients = _solve(design, values, variances)
    spare = len(values) - design.shape[1]
    if len(np.unique(years)) <= design.shape[1]:  # several values of one date tell nothing about time
        return Trend(middle, coefficients, None, 0, SCATTER, None, None, None)
    residuals = values - design @ coefficients
    scatter = float(np.sqrt(residuals @ residuals / spare))
    spread = _range(coefficients) if harmonics else None
    stretch = np.minimum(STRETCHES * (years - years.min()) / np.ptp(years), STRETCHES - 1).astype(int)
    kept = [stretch != one for one in np.unique(stretch)]
    if len(kept) >= LEAST_STRETCHES and min(len(np.unique(years[keep])) for keep in kept) > design.shape[1]:
        again = np.array([_solve(design[keep], values[keep], variances[keep]) for keep in kept])
        error = float(_jackknife(np.array([[_range(one)] for one in again]))[0, 0] ** 0.5) if harmonics else None
        return Trend(middle, coefficients, _jackknife(again), len(kept) - 1, JACKKNIFE, scatter, spread, error)
    inverse = np.linalg.inv(design.T @ (design / variances[:, None]))
    covariance = inverse * float((residuals**2 / variances).sum() / spare)
    return Trend(middle, coefficients, covariance, spare, SCATTER, scatter, spread, None)


def usual_curve(years: Values, values: Values, used: Bool[np.ndarray, " date"]) -> Values | None:
    """Trend and seasonal cycle (n,) that most of the values (n,) at decimal years (n,) agree with; None: no cycle shows.

    Least absolute deviations over `used`, which some wrong values hardly move. Values may be NaN.
    """
    used = used & np.isfinite(values)
    harmonics = _harmonics(years[used]) if used.any() else 0
    if not harmonics:
        return None
    design = _design(years, float(years[used].mean()), harmonics)
    variances = np.ones(used.sum())
    coefficients = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        coefficients = _solve(design[used], values[used], variances)
        distances = np.abs(values[used] - design[used] @ coefficients)
        variances = np.maximum(distances, SMALLEST_ERROR * np.median(distances) + 1e-9)
    return design @ coefficients


def known_errors(errors: Values) -> Values | None:
    """Errors (n,) to weight by: the usual one where not known (NaN), and no error so small that one value counts alone.

    None: none of them is known, or they say nothing.
    """
    known = errors[np.isfinite(errors)]
    usual = float(np.median(known)) if len(known) else 0.0
    if usual <= 0:
        return None
    return np.maximum(np.where(np.isfinite(errors), errors, usual), usual * SMALLEST_ERROR)


def trend_text(trend: Trend) -> str:
    """The trend of values in metres in words, with its standard errors and where they are from."""
    error = "" if trend.rate_error is None else f" (standard error {trend.rate_error:.0f} m, {trend.errors_from})"
    text = f"trend {trend.rate:.0f} m a year{error}"
    if trend.season_range is None:
        return text
    within = "" if trend.season_range_error is None else f" (standard error {trend.season_range_error:.0f} m)"
    return f"{text}, seasonal range {trend.season_range:.0f} m{within}"


def trend_facts(trend: Trend | None) -> dict[str, Any]:
    """What files of results hold of a trend; all None without one."""
    days = trend.season_days() if trend else None
    return {
        "trend_per_year": trend and trend.rate,
        "trend_error_per_year": trend and trend.rate_error,
        "trend_errors_from": trend.errors_from if trend and trend.covariance is not None else None,
        "scatter": trend and trend.scatter,
        "season_range": trend and trend.season_range,
        "season_range_error": trend and trend.season_range_error,
        "season_highest_day": days and days[0],
        "season_lowest_day": days and days[1],
    }


def _design(years: Values, middle: float, harmonics: int) -> Matrix:
    angle = 2 * np.pi * years
    waves = [wave(order * angle) for order in range(1, harmonics + 1) for wave in (np.cos, np.sin)]
    return np.column_stack([np.ones_like(years), years - middle, *waves])


def _harmonics(years: Values) -> int:
    """How many harmonics the dates can tell: a gap of half a wave in the time of year hides one."""
    if np.ptp(years) < LEAST_YEARS:
        return 0
    seasons = np.unique(years % 1)
    gap = np.diff([*seasons, seasons[0] + 1]).max()
    enough = [
        order
        for order in range(1, MOST_HARMONICS + 1)
        if gap <= 0.5 / order and len(np.unique(years)) >= DATES_PER_PARAMETER * (2 + 2 * order)
    ]
    return max(enough, default=0)


def _solve(design: Matrix, values: Values, variances: Values) -> np.ndarray:
    weights = 1 / np.sqrt(variances)
    return np.linalg.lstsq(design * weights[:, None], values * weights, rcond=None)[0]


def _variances(design: Matrix, values: Values, errors: Values | None) -> Values:
    """Of each value: its error, and a scatter with which the residuals are as large as expected (Paule and Mandel 1982)."""
    known_sizes = None if errors is None else known_errors(errors)
    spare = len(values) - design.shape[1]
    if known_sizes is None or not spare:
        return np.ones_like(values)
    known = known_sizes**2

    def excess(scatter: float) -> float:
        residuals = values - design @ _solve(design, values, known + scatter)
        return float((residuals**2 / (known + scatter)).sum() - spare)

    residuals = values - design @ _solve(design, values, known)
    most = float(residuals @ residuals)
    if excess(0.0) <= 0 or excess(most) >= 0:
        return known
    return known + scipy.optimize.brentq(excess, 0.0, most)


def _jackknife(again: Matrix) -> Matrix:
    """Covariance (p, p) of results (stretches, p) that were found without one stretch each."""
    apart = again - again.mean(0)
    return apart.T @ apart * (len(again) - 1) / len(again)


def _range(coefficients: np.ndarray) -> float:
    return float(np.ptp(_cycle(coefficients)))


def _cycle(coefficients: np.ndarray) -> Values:
    """The seasonal cycle on each day of a leap year."""
    years = np.arange(_STEPS) / _STEPS
    return _design(years, 0.0, len(coefficients) // 2 - 1)[:, 2:] @ coefficients[2:]
