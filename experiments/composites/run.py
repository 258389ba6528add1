"""How well the verdict on a series and monthly and annual fronts hold where the motion is known; prints a table in Markdown.

  python experiments/composites/run.py --seeds=0,1,2

Thresholds and expectations of the verdict were chosen with the seeds 100 and 101.
"""

import argparse
import datetime
import itertools
from collections import Counter

import numpy as np
from known_fronts import FAILURES, GLACIERS, KnownSeries, known_series

from glacierjax.fronts.verdict import REJECT, Verdict
from glacierjax.terminus.box import Box, box_from_fronts
from glacierjax.terminus.composites import Composite, annual, measured_fronts, monthly, seen_of, trend_of_months
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.lanes import lanes_of
from glacierjax.terminus.outliers import judge_series
from glacierjax.terminus.series import measure

KINDS = ((24, 2.0), (48, 4.0), (96, 4.0))  # dates, years
FAILED_SHARE = 0.2
TRUE_EVERY_DAYS = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0,1,2")
    seeds = [int(seed) for seed in parser.parse_args().seeds.split(",")]
    print("| dates | recall | precision | " + " | ".join(FAILURES) + " | within 1, 2 errors: months | years |")
    print("| ---: |" + " ---: |" * (4 + len(FAILURES)))
    for dates, years in KINDS:
        counts: Counter[tuple[str, bool]] = Counter()
        off: dict[str, list[float]] = {"month": [], "year": []}
        for glacier, seed in itertools.product(GLACIERS, seeds):
            series = known_series(glacier, seed, dates, years, FAILED_SHARE)
            box = box_from_fronts([front.lines for front in series.fronts])
            verdicts = judge_series(series.fronts, box)
            counts.update(zip(series.kinds, (v.quality == REJECT for v in verdicts), strict=True))
            for kind, times in errors_of_composites(series, box, verdicts).items():
                off[kind] += times
        print(_row(f"{dates} in {years:.0f} years", counts, off), flush=True)


def recall_and_precision(counts: Counter[tuple[str, bool]]) -> tuple[float, float]:
    """Of failed fronts those that are rejected, and of rejected ones those that failed, from counts of (failure, rejected)."""
    found = sum(counts[kind, True] for kind in FAILURES)
    return found / sum(counts[kind, n] for kind in FAILURES for n in (True, False)), found / (found + counts["", True])


def errors_of_composites(series: KnownSeries, box: Box, verdicts: list[Verdict]) -> dict[str, list[float]]:
    """Distance of monthly and annual fronts from the true ones by their standard error.

    True is the median of the true fronts of a month, every `TRUE_EVERY_DAYS` days, and of a year the median of its months. Both
    are looked at in those months and years in which the true fronts cross the box.
    """
    lanes = lanes_of(box, [front.lines for front in series.fronts])
    months = monthly(measured_fronts(series.fronts, measure(series.fronts, box, None, verdicts), lanes))
    true = {month.name: _true_position_m(series, box, month) for month in months}
    found: dict[str, list[float]] = {"month": [], "year": []}
    for month in seen_of(months):
        if month.error_m and month.position_m is not None and np.isfinite(true[month.name]):
            found["month"].append((month.position_m - true[month.name]) / month.error_m)
    for year in annual(months, trend_of_months(months)):
        of_year = [place for name, place in true.items() if name.startswith(year.name)]
        if year.error_m and year.position_m is not None and len(of_year) == 12 and np.isfinite(of_year).all():
            found["year"].append((year.position_m - float(np.median(of_year))) / year.error_m)
    return found


def _true_position_m(series: KnownSeries, box: Box, month: Composite) -> float:
    days = range(0, (month.next_day - month.first_day).days, TRUE_EVERY_DAYS)
    dates = [month.first_day + datetime.timedelta(days=day) for day in days]
    fronts = [Front("true", [series.true_front(date)], date, series.landscape.glacier, None) for date in dates]
    places = [row.box_position_m for row in measure(fronts, box, None)]
    return float(np.median([np.nan if place is None else place for place in places]))


def _row(name: str, counts: Counter[tuple[str, bool]], off: dict[str, list[float]]) -> str:
    recall, precision = recall_and_precision(counts)
    rejected = [counts[kind, True] / max(1, counts[kind, True] + counts[kind, False]) for kind in FAILURES]
    within = [
        " ".join(f"{np.mean(np.abs(times) < n):.2f}" for n in (1, 2)) + f" of {len(times)}" for times in off.values()
    ]
    return (
        f"| {name} | {recall:.3f} | {precision:.3f} | " + " | ".join([*(f"{r:.2f}" for r in rejected), *within]) + " |"
    )


if __name__ == "__main__":
    main()
