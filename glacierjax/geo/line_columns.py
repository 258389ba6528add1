"""The columns of front lines in every vector format: ours, and beside them those of TermPicks (version 2).

TermPicks: Goliber et al. 2022, doi 10.5194/tc-16-3215-2022. Its `Date` is our `date`: to most formats the
two names are one.
docs/reference/columns.md is the table for readers.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from glacierjax.core.choices import SHAPEFILE
from glacierjax.core.scene_names import decimal_year

Properties = Mapping[str, Any]
DATE = "date"


class Column(NamedTuple):
    """`kind`: "text", "whole", "number" or "date"; `short`: its name in a Shapefile, at most ten characters, "": the same."""

    kind: str
    short: str = ""


COLUMNS = {
    "scene": Column("text"),
    "line": Column("whole"),
    "glacier": Column("text"),
    DATE: Column("date"),
    "sensor": Column("text"),
    "length_m": Column("number"),
    "pixel_spacing_m": Column("number", "spacing_m"),
    "checkpoint": Column("text"),
    "error_m": Column("number"),
    "error_low_m": Column("number", "err_low_m"),
    "error_high_m": Column("number", "err_high_m"),
    "quality": Column("text"),
    "reasons": Column("text"),
    "GlacierID": Column("text"),
    "Year": Column("whole"),
    "Month": Column("whole"),
    "Day": Column("whole"),
    "DecDate": Column("number"),
    "Satellite": Column("text"),
    "Author": Column("text"),
    "QualFlag": Column("text"),
    "ImageID": Column("text"),
}
# Of monthly and annual fronts (`glacierjax.terminus.composites`), beside the others.
COMPOSITE_COLUMNS = COLUMNS | {
    "period": Column("text"),
    "scenes": Column("whole"),
    "months": Column("whole"),
    "position_m": Column("number"),
    "spread_m": Column("number"),
    "first_seen": Column("date"),
    "last_seen": Column("date"),
}
_TYPES: dict[str, Any] = {"text": object, "whole": np.int64, "number": np.float64, "date": "datetime64[D]"}


def termpicks_columns(
    scene: str,
    date: datetime.date | None,
    sensor: str | None,
    quality: str | None,
    glacier_id: str | None,
    author: str | None,
) -> dict[str, Any]:
    """TermPicks' columns of the lines of one scene; what is not known is None."""
    return {
        "GlacierID": glacier_id,
        "Year": date and date.year,
        "Month": date and date.month,
        "Day": date and date.day,
        "DecDate": date and round(decimal_year(date), 5),
        "Satellite": sensor,
        "Author": author,
        "QualFlag": quality,
        "ImageID": scene,
    }


def arrays_of(
    properties: Sequence[Properties], columns: Mapping[str, Column] = COLUMNS
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The columns of lines as arrays, and of each where there is no value (bool)."""
    values, missing = {}, {}
    for name, column in columns.items():
        known = [line[name] for line in properties]
        missing[name] = np.array([value is None for value in known], bool)
        if column.kind == "whole":
            known = [0 if value is None else value for value in known]
        values[name] = np.array(known, _TYPES[column.kind])
    return values, missing


def name_in(name: str, suffix: str) -> str:
    """The name of a column in a file with this suffix."""
    return COMPOSITE_COLUMNS[name].short or name if suffix == SHAPEFILE else name
