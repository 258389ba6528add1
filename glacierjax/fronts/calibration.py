"""Estimates the error of a front in metres, with an interval, from its indicators; calibrated on fronts with known errors.

The logarithm of the error is a sum: a constant and the indicators, each times a weight of 0 or more, so that a worse indicator
never gives a smaller error. The interval is conformal (Barber et al. 2021, jackknife+, doi 10.1214/20-AOS1965, with symmetric
residuals of the logarithm): each scene's error is compared with what the model says that the other scenes give. For
fronts like those of the calibration it holds `COVERAGE` of the true errors, whatever the model is worth: a bad
model, or few scenes, make it wide. Below `LEAST_SCENES` scenes there is no such interval.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.optimize import nnls

from glacierjax.core.errors import InputError
from glacierjax.fronts.indicators import Indicators

COVERAGE = 0.9
LEAST_SCENES = math.ceil(COVERAGE / (1 - COVERAGE) - 1e-9)  # 9: with fewer no residual is large enough
SMALLEST_ERROR_M = 1.0  # smaller ones count as this, as logarithms are taken
USUAL_COUNT = 30.0  # the usual weights count as so many scenes


MAY_BE_UNKNOWN = ("blur_m", "deviation", "closed_share")
LOGARITHMS_OF = ("blur_m", "sinuosity")


class Term(NamedTuple):
    """`weight` to which that of a network is pulled: by how much the logarithm of the error grows with the term. `spread`: the
    term's standard deviation. Both from 168 simulated scenes that no network was trained on (experiments/front_errors)."""

    weight: float
    spread: float


TERMS = {
    "blur_m": Term(0.7, 0.4),
    "entropy": Term(2.8, 0.055),
    "deviation": Term(0.5, 0.045),
    "gap_share": Term(0.9, 0.09),
    "sinuosity": Term(1.0, 0.18),
    "open_share": Term(0.3, 0.125),
    "rim_share": Term(0.2, 0.05),
}


class ErrorEstimate(NamedTuple):
    """`error_m`: expected mean distance error; `low_m`, `high_m`: between them it lies with a probability of `COVERAGE`; None:
    there were too few scenes to tell."""

    error_m: float
    low_m: float | None
    high_m: float | None


@dataclasses.dataclass(frozen=True, eq=False)
class ErrorModel:
    """`weights` of the terms, `constant`; `middle`: what counts for a term that is not known, its mean in the calibration.

    `width`: half of the interval, as a logarithm, None: too few scenes; `lift`: mean error by what the model says, as the mean
    of logarithms is not the logarithm of a mean; `usual_m`: median of the errors that it gives for its own scenes.
    """

    weights: Float64[np.ndarray, " term"]
    constant: float
    middle: Float64[np.ndarray, " term"]
    width: float | None
    lift: float
    usual_m: float

    def estimate(self, indicators: Indicators) -> ErrorEstimate:
        """Error and interval of a front with these indicators."""
        terms = _terms(indicators)
        middle = self.constant + float(np.where(np.isnan(terms), self.middle, terms) @ self.weights)
        error_m = math.exp(middle) * self.lift
        if self.width is None:
            return ErrorEstimate(error_m, None, None)
        low_m, high_m = (math.exp(middle + side * self.width) for side in (-1, 1))
        return ErrorEstimate(min(max(error_m, low_m), high_m), low_m, high_m)


def fit_error_model(indicators: Sequence[Indicators], errors_m: Sequence[float]) -> ErrorModel:
    """The model of fronts with these indicators and true errors, at least one, in metres.

    Raises `InputError` without any, or for errors that are no such numbers.
    """
    if not errors_m or len(indicators) != len(errors_m):
        raise InputError("no front with a true error; calibrate on a split whose scenes have fronts")
    if not np.isfinite(errors_m).all() or min(errors_m) < 0:
        raise InputError("an error that is no number of metres from 0 on")
    terms, middle = _filled(np.stack([_terms(one) for one in indicators]))
    logs = np.log(np.maximum(errors_m, SMALLEST_ERROR_M))
    weights, constant = _fit(terms, logs)
    width, lift = None, 1.0
    if len(logs) > 1:
        others = [_fit(np.delete(terms, i, 0), np.delete(logs, i)) for i in range(len(logs))]
        residuals = np.array([logs[i] - c - terms[i] @ w for i, (w, c) in enumerate(others)])
        lift = float(np.exp(residuals).mean())
        rank = math.ceil((len(logs) + 1) * COVERAGE - 1e-9)
        width = float(np.sort(np.abs(residuals))[rank - 1]) if rank <= len(logs) else None
    usual_m = float(np.median(np.exp(constant + terms @ weights)) * lift)
    return ErrorModel(weights, constant, middle, width, lift, usual_m)


def indicators_from_record(record: Mapping[str, Any]) -> Indicators:
    """The inverse of `dataclasses.asdict`; raises KeyError, TypeError or ValueError for anything else."""
    values = {}
    for field in dataclasses.fields(Indicators):
        value = record[field.name]
        if value is None and field.name not in MAY_BE_UNKNOWN:
            raise ValueError(f"no {field.name}")
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{field.name} is {value}")
        if value is not None and value <= 0 and field.name in LOGARITHMS_OF:
            raise ValueError(f"{field.name} is {value}, not above 0")
        values[field.name] = value
    return Indicators(**values)


def _terms(indicators: Indicators) -> np.ndarray:
    """The terms of `TERMS`, all growing with the error; NaN: not known."""
    blur_m, deviation, closed = indicators.blur_m, indicators.deviation, indicators.closed_share
    return np.array(
        [
            np.nan if blur_m is None else math.log(blur_m),
            indicators.entropy,
            np.nan if deviation is None else deviation,
            indicators.gap_share,
            math.log(indicators.sinuosity),
            np.nan if closed is None else 1 - closed,
            indicators.rim_share,
        ]
    )


def _filled(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The terms (scenes, terms) with the mean of a term where it is not known (0 where it never is), and the means."""
    known = ~np.isnan(terms)
    middle = np.where(known, terms, 0).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known, terms, middle), middle


def _fit(terms: np.ndarray, logs: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of 0 or more and constant: least squares, the weights pulled to the usual ones."""
    usual, spread = np.array(list(TERMS.values())).T
    pull = np.sqrt(USUAL_COUNT) * np.diag(spread)
    middle, level = terms.mean(0), logs.mean()
    weights, _ = nnls(np.concatenate([terms - middle, pull]), np.concatenate([logs - level, pull @ usual]))
    return weights, float(level - middle @ weights)
