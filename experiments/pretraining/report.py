"""The report of a study: a table and a chart for each data set."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from settings import Study

SCRATCH = "scratch"
METRICS = "metrics.json"


def write_report(study: Study, output: Path, names: Sequence[str]) -> Path:
    """Writes `output/study.md` and a chart for each of the data sets `names`; returns the report's path."""
    lines = [
        f"# {len(study.seeds)} seeds of fine-tuning for each arm, one pretraining for each technique",
        "",
        "MDE is the mean distance error over the test scenes that have a predicted front; missing fronts are counted beside it. "
        "Tests over seeds: `compare/`.",
    ]
    for name in names:
        scores = {
            arm: [
                json.loads((output / name / arm / f"seed{seed}" / "report" / METRICS).read_text())
                for seed in study.seeds
            ]
            for arm in (SCRATCH, *(arm for arm, _ in study.arms))
        }
        draw_chart({arm: [s["mde_m"] for s in seeds] for arm, seeds in scores.items()}, output / f"{name}.png")
        head = "| arm | MDE in m, mean | deviation | best | worst | MDE in px | missing fronts | mean IoU |"
        rows = [table_row(arm, seeds) for arm, seeds in scores.items()]
        links = [f"- [scratch against {arm}](compare/{name}_{arm}/compare.md)" for arm, _ in study.arms]
        lines += ["", f"## {name}", "", f"![{name}]({name}.png)", "", head, "| --- " * 8 + "|", *rows, "", *links]
    report = output / "study.md"
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return report


def table_row(arm: str, scores: Sequence[Mapping[str, Any]]) -> str:
    """The row of an arm; `scores` are the metrics of its seeds."""
    errors = [score["mde_m"] for score in scores if score["mde_m"] is not None]
    pixels = [score["mde_px"] for score in scores if score["mde_px"] is not None]
    deviation = f"{statistics.stdev(errors):.0f}" if len(errors) > 1 else "-"
    figures = [statistics.fmean(errors), min(errors), max(errors)] if errors else []
    mean, best, worst = (f"{value:.0f}" for value in figures) if figures else ("-", "-", "-")
    in_px = f"{statistics.fmean(pixels):.1f}" if pixels else "-"
    missing = " ".join(str(score["missing_fronts"]) for score in scores)
    ious = [score["zones"]["iou"]["mean"] for score in scores]
    iou = f"{statistics.fmean(ious):.3f}" + (f" ± {statistics.stdev(ious):.3f}" if len(ious) > 1 else "")
    return f"| {arm} | {mean} | {deviation} | {best} | {worst} | {in_px} | {missing} | {iou} |"


def draw_chart(points: Mapping[str, Sequence[float | None]], path: Path) -> None:
    """One row for each arm, a dot for each seed that has a value, a bar at their mean."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1 + 0.6 * len(points)), layout="constrained")
    axes = figure.subplots()
    for row, values in enumerate(points.values()):
        known = [value for value in values if value is not None]
        axes.scatter(known, [row] * len(known), facecolors="none", edgecolors="tab:orange", zorder=2)
        if known:
            axes.vlines(statistics.fmean(known), row - 0.3, row + 0.3, colors="tab:blue", linewidth=3)
    axes.set_yticks(range(len(points)), list(points))
    axes.set_ylim(len(points) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("mean distance error on the test split, m")
    axes.grid(axis="x")
    figure.savefig(path, dpi=100)
