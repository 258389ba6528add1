"""The chart of a time series: the fronts on a map, and their position and area over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num, num2date
from matplotlib.figure import Figure

from glacierjax.core.drawing import picture_of
from glacierjax.core.files import write_png
from glacierjax.core.scene_names import decimal_year
from glacierjax.fronts.verdict import REJECT
from glacierjax.terminus.box import Box
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.series import (
    AREA,
    BOX,
    CENTRELINE,
    Row,
    box_corners,
    errors_of,
    known_rows,
    trend_of,
    values_of,
)
from glacierjax.terminus.trend import Values

Line = Float[np.ndarray, "points 2"]
"""x, y in metres."""

COLOURS = "viridis"
DPI = 120
CURVE_POINTS = 400


def draw_series(
    path: Path, title: str, fronts: Sequence[Front], rows: Sequence[Row], box: Box, centreline: Line | None
) -> None:
    """Writes a PNG: fronts by date with box and centreline, change of position, change of area, both with errors and trend."""
    figure = Figure((12, 6), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.3))
    chart = figure.add_subplot(grid[:, 0])
    _draw_map(figure, chart, fronts, box, centreline)
    position, area = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    _draw_changes(position, rows, BOX, box, "box method", "tab:blue")
    if centreline is not None:
        _draw_changes(position, rows, CENTRELINE, box, "centreline method", "tab:orange")
    rejected = [(row.date, row.box_change_m) for row in rows if row.quality == REJECT]
    if rejected:
        low, high = position.get_ylim()
        dates, values = zip(*rejected, strict=True)
        inside = np.clip(np.array(values, float), low - (high - low) / 2, high + (high - low) / 2)
        position.plot(date2num(dates), inside, "rx", markersize=4, label="rejected (farther away: at the rim)")
    position.set(ylabel="change of position (m)\nretreat is negative")
    position.legend()
    _draw_changes(area, rows, AREA, box, "", "tab:blue")
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


def _draw_changes(chart: Axes, rows: Sequence[Row], measure: str, box: Box, label: str, colour: str) -> None:
    """Draws changes since the first date with their errors, trend and seasonal cycle; dates without a value are left out."""
    known = known_rows(rows, measure)
    days = np.array([date2num(row.date) for row in known], float)
    errors = errors_of(known, measure, box)
    draw_points(chart, days, values_of(known, measure), errors, fmt="o", markersize=4, label=label, color=colour)
    if trend := trend_of(rows, measure, box):
        curve = np.linspace(days.min(), days.max(), CURVE_POINTS)
        years = np.array([decimal_year(num2date(day).date()) for day in curve])
        chart.plot(curve, trend.at(years), color=colour, linewidth=0.8)
        if (band := trend.half_band(years)) is not None:
            low, high = trend.at(years) - band, trend.at(years) + band
            chart.fill_between(curve, low, high, color=colour, alpha=0.15, linewidth=0)
    locator = AutoDateLocator()
    chart.xaxis.set_major_locator(locator)
    chart.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    chart.axhline(0, color="grey", linewidth=0.5)
    chart.grid(alpha=0.3)


def draw_points(chart: Axes, times: Values, values: Values, errors: Values, **style: Any) -> None:
    """Draws values (n,) with bars of their errors, without a bar where the error is not known (NaN)."""
    bars = np.nan_to_num(errors) if np.isfinite(errors).any() else None
    chart.errorbar(times, values, bars, linestyle="none", elinewidth=0.6, **style)
