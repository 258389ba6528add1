"""Positions and areas over time, and what they add up to."""

import csv
import dataclasses
import datetime
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.json_values import Json
from glacierjax.core.scene_names import decimal_year
from glacierjax.fronts.verdict import GOOD, REJECT, Verdict
from glacierjax.terminus.box import Box, glacier_area_m2
from glacierjax.terminus.centreline import position_m
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.trend import Trend, Values, fit_trend, trend_facts

BOX, AREA, CENTRELINE = "box_m", "area_km2", "centreline_m"
MEASURES = {BOX: "box_change_m", AREA: "area_change_km2", CENTRELINE: "centreline_change_m"}  # columns of a row
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
    """Change from first to last, trend and seasonal cycle (`trend_facts`) of each of `MEASURES`; None where not known.

    Rejected fronts are left out; `rejected` is their number.
    """
    kept = [row for row in rows if row.quality != REJECT]
    found: dict[str, Any] = {
        "scenes": len(rows),
        "rejected": len(rows) - len(kept),
        "box": {
            "width_m": box.width_m,
            "length_m": box.polygon.area / box.width_m,
            "follows_centreline": box.centreline is not None,
        },
    }
    for name in MEASURES:
        values = values_of(known_rows(rows, name), name).tolist()
        trend = trend_of(rows, name, box)
        found[name] = {"measured": len(values), "change": trend and values[-1], **trend_facts(trend)}
    return found


def trend_of(rows: Sequence[Row], measure: str, box: Box) -> Trend | None:
    """Trend and seasonal cycle of one of `MEASURES`, without rejected fronts; None where fewer than two dates have it."""
    known = known_rows(rows, measure)
    years = np.array([decimal_year(row.date) for row in known])
    return fit_trend(years, values_of(known, measure), errors_of(known, measure, box))


def known_rows(rows: Sequence[Row], measure: str) -> list[Row]:
    """The rows that have one of `MEASURES` and are not rejected."""
    return [row for row in rows if row.quality != REJECT and getattr(row, MEASURES[measure]) is not None]


def values_of(rows: Sequence[Row], measure: str) -> Values:
    """Changes (n,) of one of `MEASURES`."""
    return np.array([getattr(row, MEASURES[measure]) for row in rows], float)


def errors_of(rows: Sequence[Row], measure: str, box: Box) -> Values:
    """The errors (n,) of rows in the unit of one of `MEASURES`, NaN where not known."""
    of_error = box.width_m / 1e6 if measure == AREA else 1.0
    return np.array([np.nan if row.error_m is None else row.error_m * of_error for row in rows])


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
    first = next((value for value, keep in zip(values, kept, strict=True) if keep and value is not None), None)
    return [None if value is None or first is None else value - first for value in values]


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
