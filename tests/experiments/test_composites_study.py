"""The study of composites: the simulator's fronts with injected failures, and what the verdict makes of them."""

from collections import Counter

from glacierjax.fronts.verdict import REJECT
from glacierjax.terminus.box import box_from_fronts
from glacierjax.terminus.outliers import judge_series


def test_failures_of_true_fronts_are_found_and_nothing_else(script):
    study = script("composites")
    counts = Counter()
    for glacier in ("Crane", "JAC"):
        series = study.known_series(glacier, 5, dates=36, years=3.0, failed_share=0.2)
        verdicts = judge_series(series.fronts, box_from_fronts([front.lines for front in series.fronts]))
        counts.update(zip(series.kinds, (v.quality == REJECT for v in verdicts), strict=True))
    recall, precision = study.recall_and_precision(counts)
    assert recall >= 0.9 and precision >= 0.9, (recall, precision)
