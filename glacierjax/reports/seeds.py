"""Two methods compared over seeds: means, deviations, best, and whether the difference is more than chance.

The tests are those of the paper (Gourmelon et al. 2025, section V): a one-sided Mann-Whitney U test for the level, Levene's
statistic with a permutation test for the spread, and Cohen's d for the size of the difference.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

RESAMPLES = 9999  # of the permutation test; where there are no more permutations than that, all are taken
PERMUTATION_SEED = 0


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Of a method with a baseline, over seeds. None where there are too few seeds, or no difference between them.

    `better_p`: chance of a U as large or larger if the methods were equal, against "the method is better"; `levene`,
    `levene_p`: Levene's statistic (from medians), and the chance of one as large or larger if the labels are shuffled;
    `cohens_d`: difference of the means in pooled standard deviations, above 0 if the method is better.
    """

    better_u: float
    better_p: float
    levene: float | None
    levene_p: float | None
    cohens_d: float | None


def compare_seeds(baseline: Sequence[float], method: Sequence[float], larger_is_better: bool) -> Comparison:
    """Compares one figure of each seed of two methods; each has one seed or more."""
    sign = 1 if larger_is_better else -1
    ours, theirs = sign * np.asarray(method, float), sign * np.asarray(baseline, float)
    rank_test = stats.mannwhitneyu(ours, theirs, alternative="greater")
    levene, levene_p = _levene(ours, theirs)
    return Comparison(
        float(rank_test.statistic), float(rank_test.pvalue), levene, levene_p, cohens_d(ours, theirs)
    )


def cohens_d(one: np.ndarray, other: np.ndarray) -> float | None:
    """Difference of the means by the pooled standard deviation (n - 1); None for fewer than two values or no deviation."""
    if min(len(one), len(other)) < 2:
        return None
    squares = sum(((values - values.mean()) ** 2).sum() for values in (one, other))
    deviation = math.sqrt(squares / (len(one) + len(other) - 2))
    return float((one.mean() - other.mean()) / deviation) if deviation else None


def _levene(one: np.ndarray, other: np.ndarray) -> tuple[float | None, float | None]:
    if min(len(one), len(other)) < 2 or min(np.ptp(one), np.ptp(other)) == 0 or len(one) + len(other) < 5:
        return None, None

    def statistic(*groups: np.ndarray) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):  # groups without any spread
            return np.nan_to_num(stats.levene(*groups, center="median").statistic, nan=0, posinf=np.inf)

    found = stats.permutation_test(
        (one, other), statistic, vectorized=False, alternative="greater", n_resamples=RESAMPLES,
        rng=np.random.default_rng(PERMUTATION_SEED),
    )  # fmt: skip
    return float(found.statistic), float(found.pvalue)
