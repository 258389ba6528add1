"""Plots of errors as SVG text: sharp at any size, in a page or in a file of its own, drawn without any library."""

import html
import math
from collections.abc import Iterator

from glacierjax.core.scene_names import parse_name

# Okabe-Ito colours; dots and bars differ in shape too.
DOT_COLOUR, BAR_COLOUR, INK, GRID = "#0072B2", "#D55E00", "#1e1e1e", "#d8d8d8"
ASPECTS = ("glacier", "season", "sensor")

WIDTH_PX, LABEL_PX, ROW_PX, TOP_PX, BOTTOM_PX = 900, 170, 26, 30, 46
PLOT_PX = WIDTH_PX - LABEL_PX - 90
GAP_PX = 12  # between aspects


def error_plot(metrics: dict) -> str:
    """Mean distance error of each scene, by glacier, season and sensor, on a logarithmic axis; \"\" if no scene has one.

    `metrics` is what metrics.json holds. A dot is a scene, a bar the pooled mean of the group; at the right the numbers
    of scenes and, after a plus sign, of missing fronts.
    """
    errors_m = {name: r["mde_m"] for name, r in metrics["per_scene"].items() if r["mde_m"] is not None}
    if not errors_m:
        return ""
    # No scene is left of one metre: a perfect one has no place on a logarithmic axis.
    low = 10 ** math.floor(math.log10(max(min(errors_m.values()), 1)))
    high = max(10 ** math.ceil(math.log10(max(*errors_m.values(), 1))), 10 * low)

    def x_of(error_m: float) -> float:
        return LABEL_PX + PLOT_PX * math.log10(max(error_m, low) / low) / math.log10(high / low)

    body, y = [], TOP_PX
    for aspect in ASPECTS:
        rows = list(_groups(metrics, errors_m, aspect))
        if not rows:  # seasons of unknown glaciers
            continue
        body.append(_text(10, y - 8, aspect.capitalize(), bold=True))
        for title, group_errors_m, averages in rows:
            middle = y + ROW_PX / 2
            body.append(_text(LABEL_PX - 10, middle + 4, title, anchor="end"))
            for error_m in group_errors_m:
                body.append(
                    f'<circle cx="{x_of(error_m):.1f}" cy="{middle:.1f}" r="3.5" fill="{DOT_COLOUR}" fill-opacity="0.55"/>'
                )
            if averages["mde_m"] is not None:
                x = x_of(averages["mde_m"])
                body.append(
                    f'<rect x="{x - 2:.1f}" y="{y + 3:.1f}" width="4" height="{ROW_PX - 6}" fill="{BAR_COLOUR}"/>'
                )
            missing = f" + {averages['missing_fronts']}" if averages["missing_fronts"] else ""
            body.append(_text(LABEL_PX + PLOT_PX + 10, middle + 4, f"{averages['scored_fronts']}{missing}"))
            y += ROW_PX
        y += GAP_PX + 20
    bottom = y - GAP_PX - 20
    grid = [
        line
        for value in _ticks(low, high)
        for line in (
            f'<line x1="{x_of(value):.1f}" y1="{TOP_PX}" x2="{x_of(value):.1f}" y2="{bottom}" stroke="{GRID}"/>',
            _text(x_of(value), bottom + 16, "≤ 1" if value == 1 else f"{value:,.0f}", anchor="middle"),
        )
    ]
    axis = "mean distance error (m); dots: scenes, bars: pooled; right: scenes + missing fronts"
    caption = _text(LABEL_PX + PLOT_PX / 2, bottom + 36, axis, anchor="middle")
    height = bottom + BOTTOM_PX
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height}" width="{WIDTH_PX}" '
            f'height="{height}" font-family="sans-serif" font-size="13" fill="{INK}" role="img" '
            'aria-label="mean distance error by glacier, season and sensor">',
            f'<rect width="{WIDTH_PX}" height="{height}" fill="white"/>',
            *grid,
            *body,
            caption,
            "</svg>",
            "",
        ]
    )


def _groups(metrics: dict, errors_m: dict[str, float], aspect: str) -> Iterator[tuple[str, list[float], dict]]:
    """(title, errors of its scenes in metres, averages) of each group that has scenes."""
    of_scene = {
        "glacier": lambda scene: scene.glacier,
        "season": lambda scene: scene.season(),
        "sensor": lambda scene: scene.sensor_group,
    }[aspect]
    for key, averages in metrics["subsets"].items():
        title = key.removeprefix(f"{aspect}=")
        if title == key or "," in key or not averages["scenes"]:
            continue
        yield title, [e for name, e in errors_m.items() if of_scene(parse_name(name)) == title], averages


def _ticks(low: float, high: float) -> list[float]:
    decades = round(math.log10(high / low))
    return [low * 10**d * step for d in range(decades) for step in ((1, 2, 5) if decades < 4 else (1,))] + [high]


def _text(x: float, y: float, text: str, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{html.escape(text)}</text>'
