"""The chart of errors: the mean distance error of each scene, by glacier, season and sensor."""

from collections.abc import Mapping
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from glacierjax.core.scene_names import SceneId, parse_name
from glacierjax.reports.figures import round_down
from glacierjax.reports.metrics import Metrics

# Okabe-Ito colours; dots and bars differ in shape too.
DOT_COLOUR, BAR_COLOUR = "#0072B2", "#D55E00"
ASPECTS = ("glacier", "season", "sensor")
LOWEST_M = 1.0  # a perfect scene has no place on a logarithmic axis

WIDTH_IN, ROW_IN, EDGES_IN = 4.6, 0.27, 0.75  # at this width the text is readable on a phone
DPI = 240


class Group(NamedTuple):
    """The scenes of one glacier, season or sensor. `mde_m`: pooled; `missing_fronts`: scenes without a predicted front."""

    title: str
    errors_m: list[float]
    mde_m: float | None
    scored_fronts: int
    missing_fronts: int


def error_plot(metrics: Metrics) -> Figure | None:
    """Mean distance errors on a logarithmic axis; None if no scene has one.

    A dot is a scene, a bar the pooled mean of its group. At the right stand the number of scenes with a distance and, after
    a plus sign, of missing fronts.
    """
    groups = {aspect: _groups(metrics, aspect) for aspect in ASPECTS}
    groups = {aspect: some for aspect, some in groups.items() if some}  # there are no seasons of unknown glaciers
    if not any(group.errors_m for some in groups.values() for group in some):
        return None
    rows = sum(len(some) + 1 for some in groups.values())
    figure = Figure((WIDTH_IN, ROW_IN * rows + EDGES_IN), dpi=DPI, layout="constrained")
    axis = figure.add_subplot(xscale="log", ylim=(rows - 0.5, -0.5), xlabel="mean distance error (m)")
    labels: dict[int, str] = {}
    for aspect, some in groups.items():
        axis.text(
            0, len(labels), f" {aspect.capitalize()}", transform=axis.get_yaxis_transform(), weight="bold", va="center"
        )
        labels[len(labels)] = ""
        for group in some:
            row = len(labels)
            labels[row] = group.title
            shown_m = [max(error_m, LOWEST_M) for error_m in group.errors_m]
            axis.plot(shown_m, [row] * len(shown_m), "o", color=DOT_COLOUR, alpha=0.55, markersize=5, markeredgewidth=0)
            if group.mde_m is not None:
                mean_m = max(group.mde_m, LOWEST_M)
                axis.plot(
                    [mean_m, mean_m], [row - 0.38, row + 0.38], color=BAR_COLOUR, linewidth=3, solid_capstyle="butt"
                )
            missing = f" + {group.missing_fronts}" if group.missing_fronts else ""
            axis.text(1.02, row, f"{group.scored_fronts}{missing}", transform=axis.get_yaxis_transform(), va="center")
    shown_m = [max(error_m, LOWEST_M) for some in groups.values() for group in some for error_m in group.errors_m]
    lowest_m, highest_m = round_down(min(shown_m)), 1 / round_down(1 / max(shown_m))  # so that two ticks are seen
    axis.set_xlim(0.92 * lowest_m, 1.08 * highest_m)
    axis.set_yticks(list(labels), list(labels.values()))
    axis.tick_params(axis="y", length=0)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda metres, _: "≤ 1" if metres == LOWEST_M else f"{metres:,.6g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.grid(axis="x", which="both", color="#d8d8d8", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _groups(metrics: Metrics, aspect: str) -> list[Group]:
    """The groups of an aspect that have scenes."""
    title_of = {
        "glacier": lambda scene: scene.glacier,
        "season": lambda scene: scene.season(),
        "sensor": lambda scene: scene.sensor_group,
    }[aspect]
    errors_m: Mapping[SceneId, float] = {
        parse_name(name): record["mde_m"]
        for name, record in metrics["per_scene"].items()
        if record["mde_m"] is not None
    }
    groups = []
    for key, averages in metrics["subsets"].items():
        title = key.removeprefix(f"{aspect}=")
        if title == key or "," in key or not averages["scenes"]:
            continue
        of_group_m = [error_m for scene, error_m in errors_m.items() if title_of(scene) == title]
        groups.append(
            Group(title, of_group_m, averages["mde_m"], averages["scored_fronts"], averages["missing_fronts"])
        )
    return groups
