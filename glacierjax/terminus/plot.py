"""The chart of a time series: the fronts on a map, and their position and area over time."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from glacierjax.core.drawing import picture_of
from glacierjax.core.files import write_png
from glacierjax.fronts.verdict import REJECT
from glacierjax.terminus.box import Box
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.series import Row, box_corners

Line = Float[np.ndarray, "points 2"]
"""x, y in metres."""

COLOURS = "viridis"
DPI = 120


def draw_series(
    path: Path, title: str, fronts: Sequence[Front], rows: Sequence[Row], box: Box, centreline: Line | None
) -> None:
    """Writes a PNG: fronts by date with box and centreline, change of position, change of area."""
    figure = Figure((12, 6), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.3))
    chart = figure.add_subplot(grid[:, 0])
    _draw_map(figure, chart, fronts, box, centreline)
    position, area = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    rejected = [row for row in rows if row.quality == REJECT]
    rows = [row for row in rows if row.quality != REJECT]
    _draw_changes(position, "box method", [(row.date, row.box_change_m) for row in rows], "o-")
    if rejected:
        _draw_changes(position, "rejected", [(row.date, row.box_change_m) for row in rejected], "rx")
    if centreline is not None:
        _draw_changes(position, "centreline method", [(row.date, row.centreline_change_m) for row in rows], "s--")
    position.set(ylabel="change of position (m)\nretreat is negative")
    position.legend()
    _draw_changes(area, "", [(row.date, row.area_change_km2) for row in rows], "o-")
    area.set(ylabel="change of glacier area (km²)")
    figure.suptitle(title)
    write_png(path, picture_of(figure))


def _draw_map(figure: Figure, chart: Axes, fronts: Sequence[Front], box: Box, centreline: Line | None) -> None:
    dates = [float(date2num(front.date)) for front in fronts if front.date]
    scale = Normalize(min(dates), max(dates))
    for front in fronts:
        for line in front.lines if front.date else []:
            chart.plot(*(line / 1000).T, color=colormaps[COLOURS](scale(date2num(front.date))), linewidth=1)
    chart.plot(*(box_corners(box) / 1000).T, color="black", linestyle="--", linewidth=1)
    if centreline is not None:
        chart.plot(*(centreline / 1000).T, color="tab:red", linewidth=1)
    chart.set(aspect="equal", xlabel="km", ylabel="km", title="fronts and box")
    locator = AutoDateLocator()
    colours = ScalarMappable(scale, COLOURS)
    bar = figure.colorbar(colours, ax=chart, orientation="horizontal", shrink=0.8)
    bar.ax.xaxis.set_major_locator(locator)
    bar.ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _draw_changes(chart: Axes, label: str, values: Sequence[tuple[datetime.date, float | None]], style: str) -> None:
    """Draws changes since the first date; dates without a value are left out."""
    known = [(date, value) for date, value in values if value is not None]
    chart.plot(
        [float(date2num(date)) for date, _ in known], [value for _, value in known], style, label=label, markersize=4
    )
    locator = AutoDateLocator()
    chart.xaxis.set_major_locator(locator)
    chart.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    chart.axhline(0, color="grey", linewidth=0.5)
    chart.grid(alpha=0.3)
