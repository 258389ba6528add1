"""A chart of several methods over seeds: one dot for each run, a bar at the mean."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from glacierjax.reports.figures import INK, MARGIN_PX, PAPER, TEXT_PX
from glacierjax.reports.maps import PREDICTED_COLOUR, TRUE_COLOUR

_WIDTH_PX, _ROW_PX, _DOT_PX = 900, 56, 6
_TICKS = 4  # at least


def strip_chart(points: Mapping[str, Sequence[float | None]], title: str, unit: str) -> np.ndarray:
    """One row for each method: (rows, columns, 3) uint8. A run without a value (None) has no dot; the axis starts at 0."""
    font = ImageFont.load_default(TEXT_PX)
    values = {name: [value for value in row if value is not None] for name, row in points.items()}
    highest = max((value for row in values.values() for value in row), default=1.0) * 1.05
    left = MARGIN_PX + max(int(font.getlength(name)) for name in values) + 2 * MARGIN_PX
    top = MARGIN_PX + 2 * TEXT_PX
    bottom = top + _ROW_PX * len(values)
    page = Image.new("RGB", (_WIDTH_PX, bottom + 3 * TEXT_PX), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN_PX, MARGIN_PX), title, INK, font)

    def x_of(value: float) -> float:
        return left + (_WIDTH_PX - left - 4 * MARGIN_PX) * value / highest

    for tick in np.arange(0, highest, _round_step(highest / _TICKS)):
        draw.line([(x_of(tick), top), (x_of(tick), bottom)], (220, 220, 220))
        draw.text((x_of(tick), bottom + 4), f"{tick:g} {unit}", INK, font, anchor="ma")
    for number, (name, row) in enumerate(values.items()):
        y = top + _ROW_PX * (number + 0.5)
        draw.text((MARGIN_PX, y), name, INK, font, anchor="lm")
        if row:
            mean = x_of(float(np.mean(row)))
            draw.line([(mean, y - _ROW_PX / 3), (mean, y + _ROW_PX / 3)], TRUE_COLOUR, 4)
        for value in row:
            x = x_of(value)
            draw.ellipse([x - _DOT_PX, y - _DOT_PX, x + _DOT_PX, y + _DOT_PX], outline=PREDICTED_COLOUR, width=3)
    return np.asarray(page)


def _round_step(most: float) -> float:
    """The largest of 1, 2, 5, 10, 20, ... (and 0.5, 0.2, ...) that is not above `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= most)
