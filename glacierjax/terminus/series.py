"""Positions and areas over time, and what they add up to."""

import csv
import dataclasses
import datetime
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.files import Json
from glacierjax.fronts.verdict import GOOD, REJECT, Verdict
from glacierjax.terminus.box import Box, glacier_area_m2
from glacierjax.terminus.centreline import position_m
from glacierjax.terminus.fronts import Front

DAYS_PER_YEAR = 365.25
NO_FRONT, NOT_ACROSS = "no front", "does not divide the box"


@dataclasses.dataclass(frozen=True)
class Row:
    """One scene. Positions grow towards the ocean; changes are against the first date that was measured; None: not known.

    `box_position_m`: mean distance of the front from the end of the box on the glacier; `glacier_area_km2` in the box; `error_m`
    that the prediction tells; `quality`: good, doubtful or reject, and its `reasons`.
    """

    date: datetime.date
    scene: str
    glacier: str | None
    sensor: str | None
    glacier_area_km2: float | None
    area_change_km2: float | None
    box_position_m: float | None
    box_change_m: float | None
    centreline_position_m: float | None
    centreline_change_m: float | None
    note: str
    error_m: float | None = None
    quality: str = GOOD
    reasons: str = ""


def measure(
    fronts: Sequence[Front],
    box: Box,
    centreline: Float[np.ndarray, "point 2"] | None,
    verdicts: Sequence[Verdict] | None = None,
) -> list[Row]:
    """A row for each front with a date, in their order. `centreline` (n, 2) in metres, towards the ocean.

    `verdicts` on all fronts; None: all are good. Changes are against the first date that was measured and is not rejected.
    """
    judged = dict(zip(map(id, fronts), verdicts or [Verdict(GOOD)] * len(fronts), strict=True))
    dated = [(front, front.date) for front in fronts if front.date]
    areas_m2 = [glacier_area_m2(box.polygon, front.lines) for front, _ in dated]
    positions_m = [None if centreline is None else position_m(centreline, front.lines) for front, _ in dated]
    kept = [judged[id(front)].quality != REJECT for front, _ in dated]
    area_changes_m2, position_changes_m = _changes(areas_m2, kept), _changes(positions_m, kept)
    rows = []
    for i, (front, date) in enumerate(dated):
        note = NO_FRONT if not front.lines else NOT_ACROSS if areas_m2[i] is None else ""
        verdict = judged[id(front)]
        by_width = 1 / box.width_m
        rows.append(
            Row(
                date,
                front.scene,
                front.glacier,
                front.sensor,
                _times(areas_m2[i], 1e-6),
                _times(area_changes_m2[i], 1e-6),
                _times(areas_m2[i], by_width),
                _times(area_changes_m2[i], by_width),
                positions_m[i],
                position_changes_m[i],
                note,
                front.error_m,
                verdict.quality,
                "; ".join(verdict.reasons),
            )
        )
    return rows


def summary(rows: Sequence[Row], box: Box) -> Json:
    """Change from first to last and linear trend (least squares) of each measure, None where fewer than two dates.

    Rejected fronts are left out; `rejected` is their number.

    `trend_error_per_year`: standard error of the trend, from the scatter around it; None below three dates.
    """
    measures: dict[str, Callable[[Row], float | None]] = {
        "box_m": lambda row: row.box_change_m,
        "area_km2": lambda row: row.area_change_km2,
        "centreline_m": lambda row: row.centreline_change_m,
    }
    width_m, length_m = box.width_m, box.polygon.area / box.width_m
    kept = [row for row in rows if row.quality != REJECT]
    found: dict[str, Any] = {
        "scenes": len(rows),
        "rejected": len(rows) - len(kept),
        "box": {"width_m": width_m, "length_m": length_m},
    }
    for name, value in measures.items():
        known = [(row.date.toordinal() / DAYS_PER_YEAR, v) for row in kept if (v := value(row)) is not None]
        years, values = np.array(known).T if known else (np.zeros(0), np.zeros(0))
        enough = len(set(years)) > 1
        trend, error = _trend(years, values) if enough else (None, None)
        found[name] = {
            "measured": len(known),
            "change": float(values[-1]) if enough else None,
            "trend_per_year": trend,
            "trend_error_per_year": error,
        }
    return found


def _trend(years: Float[np.ndarray, " date"], values: Float[np.ndarray, " date"]) -> tuple[float, float | None]:
    """Slope of the least-squares line and its standard error (None for two values, which any line meets)."""
    time = years - years.mean()
    slope = float(time @ values / (time @ time))
    if len(values) < 3:
        return slope, None
    scatter = values - values.mean() - slope * time
    return slope, float(np.sqrt(scatter @ scatter / (len(values) - 2) / (time @ time)))


def csv_text(rows: Sequence[Row]) -> str:
    """The rows as a table that spreadsheets read; a value that does not exist is an empty cell."""
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in dataclasses.fields(Row)], lineterminator="\n")
    table.writeheader()
    for row in rows:
        cells = dataclasses.asdict(row)
        table.writerow({name: round(v, 6) if isinstance(v, float) else v for name, v in cells.items()})
    return text.getvalue()


def box_corners(box: Box) -> Float[np.ndarray, "corner 2"]:
    """Corners (n, 2) of the box in metres, the first again at the end."""
    return shapely.get_coordinates(box.polygon.exterior)


def _changes(values: Sequence[float | None], kept: Sequence[bool]) -> list[float | None]:
    first = next((value for value, keep in zip(values, kept, strict=True) if keep and value is not None), 0.0)
    return [None if value is None else value - first for value in values]


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
