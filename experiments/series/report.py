"""The report of a study of series: a table of winter and summer, with the months of rigid mélange apart."""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from scores import mde_m, missing_fronts

from glacierjax.core.scene_names import parse_name
from glacierjax.simulate.series import is_frozen

METRICS = "metrics.json"
ALL, WINTER, SUMMER, FROZEN = "all", "winter", "summer", "rigid mélange"
PARTS = (ALL, WINTER, FROZEN, SUMMER)


def write_report(runs: Mapping[str, Sequence[Path]], output: Path) -> Path:
    """Writes `output/study.md` of the workdirs of each arm; returns its path."""
    scores = {
        arm: [json.loads((run / "report" / METRICS).read_text()) for run in of_seeds] for arm, of_seeds in runs.items()
    }
    seeds = len(next(iter(runs.values())))
    lines = [
        f"# Series: mean over {seeds} seeds, and the seeds",
        "",
        "MDE in m, and in brackets the missing fronts of each seed. Rigid mélange: the months in which it may hide the front.",
        "",
        "| arm | " + " | ".join(f"{part} ({_scenes(scores, part)} scenes)" for part in PARTS) + " | mean IoU |",
        "| --- " * (len(PARTS) + 2) + "|",
    ]
    for arm, metrics in scores.items():
        cells = [_cell([figures(m, part) for m in metrics]) for part in PARTS]
        iou = statistics.fmean(m["zones"]["iou"]["mean"] for m in metrics)
        lines.append(f"| {arm} | {' | '.join(cells)} | {iou:.3f} |")
    report = output / "study.md"
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return report


def figures(metrics: Mapping[str, Any], part: str) -> tuple[int, float | None, int]:
    """Scenes of a part, its mean distance error over all their front pixels (None without any), and missing fronts."""
    chosen = [scene for name, scene in metrics["per_scene"].items() if _belongs(name, part)]
    return len(chosen), mde_m(chosen), missing_fronts(chosen)


def _belongs(name: str, part: str) -> bool:
    scene = parse_name(name)
    return part == ALL or (is_frozen(scene.glacier, scene.date) if part == FROZEN else scene.season() == part)


def _scenes(scores: Mapping[str, Sequence[Mapping[str, Any]]], part: str) -> int:
    return figures(next(iter(scores.values()))[0], part)[0]


def _cell(parts: Sequence[tuple[int, float | None, int]]) -> str:
    errors = [mde for _, mde, _ in parts if mde is not None]
    missing = " ".join(str(count) for _, _, count in parts)
    if not errors:
        return f"- [{missing}]"
    each = ", ".join("-" if mde is None else f"{mde:.0f}" for _, mde, _ in parts)
    return f"**{statistics.fmean(errors):.0f}** ({each}) [{missing}]"
