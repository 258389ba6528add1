"""Statistics of two methods over seeds: means, deviations, best, and whether the difference is more than chance.

The tests are those of the paper (Gourmelon et al. 2025, section V): a one-sided Mann-Whitney U test for the level, Levene's
statistic with a permutation test for the spread, and Cohen's d for the size of the difference.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
from jaxtyping import Float
from scipy import stats

from glacierjax.core.zones import ZONE_KEYS
from glacierjax.reports.content import MISSING, ZONE_COLUMNS, Block, Heading, Paragraph, Table
from glacierjax.reports.metrics import Metrics

RESAMPLES = 9999  # of the permutation test; where there are no more permutations than that, all are taken
PERMUTATION_SEED = 0
SIDES = ("baseline", "method")

Seeds = Float[np.ndarray, " _"]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Tests of a method against a baseline, over seeds. None where there are too few seeds, or all seeds are equal.

    `better_u`, `better_p`: U, and the chance of a U as large or larger if the method were no better; `levene`, `levene_p`:
    Levene's statistic (from medians), and the chance of one as large or larger if the labels are shuffled; `cohens_d`:
    difference of the means in pooled standard deviations, above 0 if the method is better.
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
    better_u, better_p = np.asarray(stats.mannwhitneyu(ours, theirs, alternative="greater"), float).tolist()
    levene, levene_p = _levene(ours, theirs)
    return Comparison(better_u, better_p, levene, levene_p, cohens_d(ours, theirs))


def cohens_d(one: Seeds, other: Seeds) -> float | None:
    """Difference of the means by the pooled standard deviation (n - 1); None for fewer than two values or no deviation."""
    if min(len(one), len(other)) < 2 or max(np.ptp(one), np.ptp(other)) == 0:
        return None
    squares = sum(((values - values.mean()) ** 2).sum() for values in (one, other))
    deviation = math.sqrt(squares / (len(one) + len(other) - 2))
    return float((one.mean() - other.mean()) / deviation)


def _levene(one: Seeds, other: Seeds) -> tuple[float | None, float | None]:
    if min(len(one), len(other)) < 3 or max(np.ptp(one), np.ptp(other)) == 0:  # two have one distance to their median
        return None, None

    def statistic(*groups: Seeds) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):  # groups without any spread
            found = float(np.asarray(stats.levene(*groups, center="median"), float)[0])
        return 0.0 if math.isnan(found) else found

    found = stats.permutation_test(
        (one, other),
        statistic,
        vectorized=False,
        alternative="greater",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(PERMUTATION_SEED),
    )
    return float(np.asarray(found.statistic)), float(np.asarray(found.pvalue))


class Measure(NamedTuple):
    """A figure of metrics.json to compare: where it stands, its title, the digits shown, and which way is better."""

    path: tuple[str, ...]
    title: str
    digits: int
    larger_is_better: bool

    def of(self, metrics: Mapping[str, object]) -> float | None:
        value: object = metrics
        for key in self.path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, (int, float)) else None


MDE = Measure(("mde_m",), "MDE (m)", 1, False)
FIGURES = (
    MDE,
    Measure(("mde_scene_mean_m",), "mean of scene means (m)", 1, False),
    Measure(("mde_length_weighted_m",), "weighted by front length (m)", 1, False),
    Measure(("missing_fronts",), "missing fronts", 1, False),
    *(Measure(("zones", name, "mean"), f"{title}, mean", 4, True) for name, title in ZONE_COLUMNS),
    *(Measure(("zones", "iou", zone), f"IoU, {zone}", 4, True) for zone in ZONE_KEYS),
)


class Side(TypedDict):
    """One figure of the seeds of a method that have it. `deviation`: n - 1."""

    values: list[float]
    seeds: int
    mean: float | None
    deviation: float | None
    best: float | None


class Compared(TypedDict):
    """One figure of both methods. `test`: the fields of `Comparison`; None where one method has no seed with the figure."""

    baseline: Side
    method: Side
    test: dict[str, float | None] | None


class ComparisonRecord(TypedDict):
    """`figures`: title -> figure; `subsets`: name of a subset -> its mean distance error."""

    figures: dict[str, Compared]
    subsets: dict[str, Compared]


def comparison_record(baseline: Sequence[Metrics], method: Sequence[Metrics]) -> ComparisonRecord:
    """Compares all figures, and the mean distance error of each subset.

    `baseline`, `method`: what the metrics.json of each seed holds. A seed without a figure does not count in it.
    """
    record: ComparisonRecord = {"figures": {}, "subsets": {}}
    for figure in FIGURES:
        record["figures"][figure.title] = _compared(figure, baseline, method)
    for subset in sorted({key for metrics in (*baseline, *method) for key in metrics["subsets"]}):
        of_baseline, of_method = (
            [averages for metrics in some if (averages := metrics["subsets"].get(subset))]
            for some in (baseline, method)
        )
        if any(averages["scenes"] for averages in (*of_baseline, *of_method)):
            record["subsets"][subset] = _compared(MDE, of_baseline, of_method)
    return record


def comparison_blocks(record: ComparisonRecord) -> list[Block]:
    """The record as tables: figures over seeds, tests of their differences, distance errors by subset."""
    figures = {figure.title: figure for figure in FIGURES}
    shown = {title: one for title, one in record["figures"].items() if any(one[s]["seeds"] for s in SIDES)}
    tested = [
        [
            title,
            _shown(test["better_u"], 1),
            _shown(test["better_p"], 4),
            _shown(test["levene"], 3),
            _shown(test["levene_p"], 4),
            _shown(test["cohens_d"], 2),
        ]
        for title, one in shown.items()
        if (test := one["test"])
    ]
    header = ["Figure", "U", "p (method is better)", "Levene", "p (spread differs)", "Cohen's d"]
    return [
        Heading("Over seeds"),
        Paragraph("Mean ± standard deviation (n - 1) over seeds, best seed, and number of seeds with the figure."),
        _table("Figure", [(title, one, figures[title].digits) for title, one in shown.items()]),
        Heading("More than chance?"),
        Paragraph(
            "One-sided Mann-Whitney U test; Levene's statistic (from medians) with a permutation test; Cohen's d, above 0 "
            "where the method is better."
        ),
        Table(header, tested),
        Heading("Mean distance error by subset (m)"),
        _table("Subset", [(subset, one, MDE.digits) for subset, one in record["subsets"].items()]),
    ]


def _compared(
    figure: Measure, baseline: Sequence[Mapping[str, object]], method: Sequence[Mapping[str, object]]
) -> Compared:
    sides = [[value for metrics in some if (value := figure.of(metrics)) is not None] for some in (baseline, method)]
    test = compare_seeds(sides[0], sides[1], figure.larger_is_better) if all(sides) else None
    described = [_described(values, figure.larger_is_better) for values in sides]
    return {
        "baseline": described[0],
        "method": described[1],
        "test": None if test is None else dataclasses.asdict(test),
    }


def _described(values: list[float], larger_is_better: bool) -> Side:
    return {
        "values": values,
        "seeds": len(values),
        "mean": float(np.mean(values)) if values else None,
        "deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "best": (max if larger_is_better else min)(values) if values else None,
    }


def _table(heading: str, rows: Sequence[tuple[str, Compared, int]]) -> Table:
    header = [heading, *(f"{side}{column}" for side in SIDES for column in (" mean ± deviation", ", best", ", seeds"))]
    body = []
    for title, one, digits in rows:
        cells = [title]
        for side in SIDES:
            some = one[side]
            spread = "" if some["deviation"] is None else f" ± {_shown(some['deviation'], digits)}"
            cells += [_shown(some["mean"], digits) + spread, _shown(some["best"], digits), str(some["seeds"])]
        body.append(cells)
    return Table(header, body)


def _shown(value: float | None, digits: int) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"
