"""The report of the study of pretraining: linear probes, a table for each number of labels, and a picture of MDE over labels."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from settings import SCRATCH, Arm, Study, probe_folder, workdir_of

from glacierjax.reports.seeds import compare_seeds

METRICS = "metrics.json"
Scores = Mapping[str, Any]  # contents of a metrics.json


class Test(NamedTuple):
    """A comparison with the network from scratch: chance of so good seeds if the arm were no better, and Cohen's d."""

    p: float
    d: float | None


def write_report(study: Study, output: Path) -> Path:
    """Writes `output/study.md` and `study.png` of what is done so far; returns the report's path."""
    arms = list(dict.fromkeys(arm for labels in study.labels for arm in study.arms(labels)))
    tuned: dict[int, dict[Arm, list[Scores]]] = {}
    for labels in sorted(study.labels):
        seeds = {arm: _scores(workdir_of(output, arm, labels, seed) for seed in study.seeds) for arm in arms}
        tuned[labels] = {arm: scores for arm, scores in seeds.items() if scores}
    tests = {
        (labels, arm, figure): _compared(of_arms[Arm()], scores, figure)
        for labels, of_arms in tuned.items()
        for arm, scores in of_arms.items()
        if arm.name != SCRATCH and Arm() in of_arms
        for figure in ("mde", "iou")
    }
    corrected = holm({key: test.p for key, test in tests.items() if test is not None})
    lines = ["# Does pretraining help?", "", *_probe_lines(study, output)]
    for labels, of_arms in tuned.items():
        lines += ["", f"## {labels} labelled scenes", "", *_table_head()]
        for arm, scores in of_arms.items():
            cells = [arm.name, *_cells(scores)]
            for figure in ("mde", "iou"):
                test = tests.get((labels, arm, figure))
                p = "" if test is None else f"{test.p:.2g}, {corrected[labels, arm, figure]:.2g}"
                cells += [p, "" if test is None or test.d is None else f"{test.d:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "Mean ± deviation over the seeds. p: one-sided Mann-Whitney U test against scratch, alone and corrected by Holm for all "
        f"{len(corrected)} tests of this page; d: Cohen's d, above 0 where the arm is better. MDE leaves out missing fronts.",
    ]
    draw_chart(tuned, output / "study.png")
    report = output / "study.md"
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return report


def holm(chances: Mapping[Any, float]) -> dict[Any, float]:
    """Chances corrected for their number by Holm's step-down rule (Holm 1979)."""
    corrected, largest = {}, 0.0
    for rank, (key, p) in enumerate(sorted(chances.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(chances) - rank) * p))
        corrected[key] = largest
    return corrected


def draw_chart(tuned: Mapping[int, Mapping[Arm, Sequence[Scores]]], path: Path) -> None:
    """MDE over the number of labels, a line for each arm and a dot for each seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    arms = list(dict.fromkeys(arm for of_arms in tuned.values() for arm in of_arms))
    for number, arm in enumerate(arms):
        shift = 1.03 ** (number - (len(arms) - 1) / 2)  # beside each other
        errors = {
            labels: [e for e in map(mde_of, of_arms.get(arm, ())) if e is not None] for labels, of_arms in tuned.items()
        }
        means = {labels * shift: statistics.fmean(values) for labels, values in errors.items() if values}
        (line,) = axes.plot(list(means), list(means.values()), label=arm.name, marker="_", markersize=12)
        for labels, values in errors.items():
            axes.scatter([labels * shift] * len(values), values, s=12, color=line.get_color(), alpha=0.5)
    axes.set_xscale("log")
    axes.set_xticks(list(tuned), [str(labels) for labels in tuned])
    axes.minorticks_off()
    axes.set_xlabel("labelled scenes")
    axes.set_ylabel("mean distance error on the test split, m")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")
    if arms:
        axes.legend()
    figure.savefig(path, dpi=100)


def mde_of(scores: Scores) -> float | None:
    return scores["mde_m"]


def iou_of(scores: Scores) -> float:
    return scores["zones"]["iou"]["mean"]


def _probe_lines(study: Study, output: Path) -> list[str]:
    lines = [
        f"## Linear probes: the last 1 x 1 convolution learns from {study.probe_labels} scenes, all else is frozen",
        "",
        "| start | mean IoU | MDE | missing fronts |",
        "| --- | ---: | ---: | ---: |",
    ]
    for arm in (Arm(), *study.pretrained()):
        for scores in _scores([probe_folder(output, arm)]):
            mde = "---" if mde_of(scores) is None else f"{mde_of(scores):.0f} m"
            name = arm.name if arm.technique else "random weights"
            lines.append(
                f"| {name} | {iou_of(scores):.3f} | {mde} | {scores['missing_fronts']} of {scores['scenes']} |"
            )
    return lines


def _table_head() -> list[str]:
    names = ("start", "seeds", "MDE", "missing fronts", "mean IoU", "MDE: p, by Holm", "d", "IoU: p, by Holm", "d")
    return ["| " + " | ".join(names) + " |", "| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |"]


def _cells(scores: Sequence[Scores]) -> list[str]:
    errors = [error for error in map(mde_of, scores) if error is not None]
    missing = " ".join(str(score["missing_fronts"]) for score in scores)
    return [
        str(len(scores)),
        _spread(errors, ".0f") + (" m" if errors else ""),
        missing,
        _spread(list(map(iou_of, scores)), ".3f"),
    ]


def _spread(values: Sequence[float], form: str) -> str:
    if not values:
        return "---"
    mean = format(statistics.fmean(values), form)
    return mean if len(values) == 1 else f"{mean} ± {format(statistics.stdev(values), form)}"


def _compared(scratch: Sequence[Scores], arm: Sequence[Scores], figure: str) -> Test | None:
    """None unless both have two seeds with a value."""
    value = mde_of if figure == "mde" else iou_of
    sides = [[v for v in map(value, scores) if v is not None] for scores in (scratch, arm)]
    if min(map(len, sides)) < 2:
        return None
    found = compare_seeds(*sides, larger_is_better=figure == "iou")
    return Test(found.better_p, found.cohens_d)


def _scores(workdirs) -> list[Scores]:
    files = [workdir / "report" / METRICS for workdir in workdirs]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
