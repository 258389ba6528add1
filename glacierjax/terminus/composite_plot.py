"""The picture of monthly and annual fronts for a paper: on the map, over time, and through the year."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import shapely
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from glacierjax.core.drawing import save_figure
from glacierjax.core.scene_names import decimal_year
from glacierjax.fronts.verdict import REJECT
from glacierjax.terminus.composites import MONTHS_A_YEAR, Composite, positions_of, seen_of
from glacierjax.terminus.lanes import Lanes
from glacierjax.terminus.plot import COLOURS, draw_points
from glacierjax.terminus.series import Row
from glacierjax.terminus.trend import LEVEL, Trend

SIZE_INCH = (7.1, 5.2)  # the width of two columns, 180 mm
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "lines.linewidth": 1.0,
    "axes.linewidth": 0.6,
}
MONTH_NAMES = "JFMAMJJASOND"
CURVE_POINTS = 24  # a year
MAP_MARGIN = 0.15  # around the fronts, by the larger side of what they cover
LEGEND_SHARE = 0.3  # of the height, kept free


def draw_composites(
    paths: Sequence[Path],
    title: str,
    rows: Sequence[Row],
    months: Sequence[Composite],
    years: Sequence[Composite],
    trend: Trend | None,
    lanes: Lanes,
) -> None:
    """Writes the same picture to each of `paths`, in the format of its suffix."""
    with mpl.rc_context(STYLE):
        figure = Figure(SIZE_INCH, layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.5), height_ratios=(1.3, 1))
        _draw_map(figure, figure.add_subplot(grid[:, 0]), title, years, lanes)
        origin_m = next(month.position_m for month in months if month.position_m is not None)
        _draw_time(figure.add_subplot(grid[0, 1]), rows, months, years, trend, origin_m)
        _draw_season(figure.add_subplot(grid[1, 1]), months, trend)
        for path in paths:
            save_figure(path, figure)


def _draw_map(figure: Figure, chart: Axes, title: str, years: Sequence[Composite], lanes: Lanes) -> None:
    """Annual fronts between the sides of the box, coloured by year; kilometres from the south-western corner, north up."""
    lines = {year.first_day.year: lanes.front(year.profile_m) for year in years if year.profile_m is not None}
    numbers = list(lines)
    every = np.concatenate(list(lines.values()))
    margin_m = MAP_MARGIN * np.ptp(every, axis=0).max()
    corner, size = every.min(0) - margin_m, np.ptp(every, axis=0) + 2 * margin_m
    for part in shapely.get_parts(lanes.whole()):
        outline = shapely.get_coordinates(part.exterior) - corner
        chart.plot(*(outline / 1000).T, color="grey", linestyle="--", linewidth=0.8)
    borders = np.arange(min(numbers), max(numbers) + 2) - 0.5
    colours = colormaps[COLOURS]
    if len(borders) > colours.N:  # a series of centuries
        colours = colours.resampled(len(borders))
    scale = BoundaryNorm(borders, colours.N) if len(borders) > 2 else None
    for number, line in lines.items():
        colour = colours(0.0 if scale is None else scale(number))
        chart.plot(*((line - corner) / 1000).T, color=colour, linewidth=1.2)
    what = "annual fronts" if scale is not None else f"front of {numbers[0]}"
    chart.set(aspect="equal", xlabel="east (km)", ylabel="north (km)", title=f"(a) {title} {what}".replace("  ", " "))
    chart.set(xlim=(0, size[0] / 1000), ylim=(0, size[1] / 1000))
    if scale is None:
        return
    step = max(1, round(len(numbers) / 6))
    ticks = range(min(numbers), max(numbers) + 1, step)
    bar = figure.colorbar(
        ScalarMappable(scale, colours), ax=chart, orientation="horizontal", shrink=0.9, ticks=list(ticks)
    )
    bar.ax.minorticks_off()


def _draw_time(
    chart: Axes,
    rows: Sequence[Row],
    months: Sequence[Composite],
    years: Sequence[Composite],
    trend: Trend | None,
    origin_m: float,
) -> None:
    """Scenes, monthly fronts joined where months follow each other, annual ones as bars, the trend with its band."""
    scenes = [row for row in rows if row.box_position_m is not None and row.quality != REJECT]
    times = np.array([decimal_year(row.date) for row in scenes])
    values = np.array([row.box_position_m for row in scenes], float) - origin_m
    errors = np.array([np.nan if row.error_m is None else row.error_m for row in scenes])
    draw_points(chart, times, values, errors, fmt=".", color="0.75", markersize=2, label="scenes", zorder=1)
    at, positions_m, errors = positions_of(months)
    values = positions_m - origin_m
    chart.plot(at, values, "-", color="tab:blue", linewidth=0.8, zorder=2)
    draw_points(chart, at, values, errors, fmt="o", color="tab:blue", markersize=2.5, label="monthly", zorder=3)
    label = "annual"
    for year in years:
        if year.position_m is None:
            continue
        span = [decimal_year(year.first_day), decimal_year(year.next_day)]
        level = year.position_m - origin_m
        chart.plot(span, [level, level], color="black", linewidth=1.6, label=label, zorder=4)
        if year.error_m is not None:
            chart.fill_between(span, level - year.error_m, level + year.error_m, color="black", alpha=0.12, linewidth=0)
        label = ""
    if trend:
        curve = np.linspace(at[0], at[-1], max(2, int(CURVE_POINTS * (at[-1] - at[0]))))
        line = trend.at(curve, season=False) - origin_m
        text = f"{trend.rate:.0f} m a$^{{-1}}$"
        if trend.rate_error is not None:
            text = f"{trend.rate:.0f} ± {trend.rate_error * trend.quantile:.0f} m a$^{{-1}}$ ({LEVEL:.0%})"
        chart.plot(curve, line, color="tab:red", linewidth=1, label=f"trend {text}", zorder=5)
        band = trend.half_band(curve, season=False)
        if band is not None:
            chart.fill_between(curve, line - band, line + band, color="tab:red", alpha=0.2, linewidth=0, zorder=0)
    chart.set(xlabel="year", ylabel="position (m)", title="(b) position since the first month, retreat is negative")
    chart.locator_params(axis="x", integer=True)
    low, high = chart.get_ylim()
    chart.set_ylim(low, high + LEGEND_SHARE * (high - low))
    chart.legend(frameon=False, ncols=2, loc="upper center")


def _draw_season(chart: Axes, months: Sequence[Composite], trend: Trend | None) -> None:
    """Monthly fronts without the trend, by the time of year, and the cycle with its band."""
    chart.set(xlabel="month", ylabel="without trend (m)", title="(c) seasonal cycle", xlim=(0, MONTHS_A_YEAR))
    chart.set_xticks(np.arange(MONTHS_A_YEAR) + 0.5, list(MONTH_NAMES))
    if trend is None:
        return
    times, positions_m, errors = positions_of(seen_of(months))
    values = positions_m - trend.at(times, season=False)
    chart.axhline(0, color="grey", linewidth=0.5)
    draw_points(chart, times % 1 * MONTHS_A_YEAR, values, errors, fmt="o", color="tab:blue", markersize=2.5)
    if not trend.harmonics:
        chart.set_title("(c) by month; too few dates for a cycle")
        return
    place = np.linspace(0, MONTHS_A_YEAR, 200)
    year = np.floor(trend.middle_year) + place / MONTHS_A_YEAR
    cycle = trend.at(year) - trend.at(year, season=False)
    chart.plot(place, cycle, color="tab:red")
    band = trend.season_half_band(year)
    if band is not None:
        chart.fill_between(place, cycle - band, cycle + band, color="tab:red", alpha=0.2, linewidth=0)
