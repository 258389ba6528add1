"""The published figures on CaFFe's test split, and ours beside them.

Single scenes: Gourmelon et al. 2025, doi 10.1109/TGRS.2025.3580945. Series: Dreier et al. 2026, arXiv 2512.11560.
"""

from collections.abc import Sequence

import numpy as np

from glacierjax.datasets.caffe.splits import OFFICIAL_COUNTS, TEST
from glacierjax.reports.content import MISSING, Block, Heading, Paragraph, Table
from glacierjax.reports.metrics import Metrics
from glacierjax.reports.seeds import MDE, compare_seeds

# Mean distance error in metres of five seeds each.
PUBLISHED_MDE_M = {
    "HookFormer": (356.27, 338.37, 363.96, 369.92, 373.96),
    "Tyrion, ImageNet": (335.44, 313.20, 321.64, 381.09, 360.35),
    "Tyrion, OptSimMIM": (290.80, 413.61, 236.58, 265.48, 295.54),
    "Tyrion, OptTranslator": (269.35, 259.65, 262.35, 400.71, 273.72),
}
# Networks of series (Dreier et al. 2026, ISPRS J. 239, 276-290, arXiv 2512.11560; abstract). Its code averages five runs; which
# variant it is and the spread over runs are not known.
SERIES_MDE_M = 184.4
SERIES = "Tyrion of series"
SERIES_NOTE = (
    f"{SERIES}: one figure, from the abstract of Dreier et al. 2026 (arXiv 2512.11560), without a spread, so there is no test. "
    "It is for the same test scenes as the rows above (the best of them: 293 m), but a scene is seen there with others of its "
    "glacier. The network was trained and chosen on another split: 507 scenes train and 52 of three glaciers validate, where "
    "the others have 503 and 56 of five; so the scenes of DBE and SI all train. `glacierjax build --split=series` makes that "
    "split; a network of another one differs by its training scenes too."
)
OURS = "this evaluation"
TEST_GLACIERS = {"COL", "Mapple"}


def is_official_test(metrics: Metrics) -> bool:
    """Whether the scenes are as many as those of the published figures, and of the same glaciers."""
    names = metrics["per_scene"]
    return len(names) == OFFICIAL_COUNTS[TEST] and {name.split("_")[0] for name in names} == TEST_GLACIERS


def published_blocks(method: Sequence[Metrics]) -> list[Block]:
    """The paper's table with a last row for `method` (what the metrics.json of each seed holds).

    If the scenes are the paper's, each row holds the chance of so good a `method` if it were no better than the method of
    that row (one-sided Mann-Whitney U test).
    """
    ours = [value for metrics in method if (value := MDE.of(metrics)) is not None]
    same_scenes = all(is_official_test(metrics) for metrics in method)
    rows = []
    for title, values in [*PUBLISHED_MDE_M.items(), (OURS, ours)]:
        tested = same_scenes and ours and title != OURS
        chance = f"{compare_seeds(values, ours, MDE.larger_is_better).better_p:.4f}" if tested else MISSING
        if title == OURS:
            rows.append([SERIES, f"{SERIES_MDE_M:.{MDE.digits}f}", MISSING, MISSING, MISSING])
        rows.append([title, *_described(values), chance])
    scenes = f"{OFFICIAL_COUNTS[TEST]} scenes of {' and '.join(sorted(TEST_GLACIERS))}"
    note = (
        "The last column: one-sided Mann-Whitney U test."
        if same_scenes
        else f"**{OURS.capitalize()} used other scenes, so its figure cannot be compared with the rows above.**"
    )
    return [
        Heading("Beside the paper"),
        Paragraph(f"Mean ± standard deviation (n - 1) over seeds. Published: CaFFe's test split, {scenes}. {note}"),
        Table(["Method", "MDE (m)", "best", "seeds", "p (this evaluation is better)"], rows),
        Paragraph(SERIES_NOTE),
    ]


def _described(values: Sequence[float]) -> list[str]:
    if not values:
        return [MISSING, MISSING, "0"]
    spread = f" ± {np.std(values, ddof=1):.{MDE.digits}f}" if len(values) > 1 else ""
    return [f"{np.mean(values):.{MDE.digits}f}{spread}", f"{min(values):.{MDE.digits}f}", str(len(values))]
