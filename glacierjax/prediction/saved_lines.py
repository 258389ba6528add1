"""Reads the lines of a scene from an output of `predict`, also after another program has saved the file."""

import json
from pathlib import Path
from typing import Any

from shapely.geometry import mapping

from glacierjax.core.errors import InputError
from glacierjax.core.json_values import Json, read_json
from glacierjax.core.scene_names import parse_date
from glacierjax.geo.features import LINES, read_features
from glacierjax.geo.line_columns import COLUMNS, DATE


def feature_lines(path: Path) -> list[str]:
    """The features of a GeoJSON file of lines, each in a line of text. Raises `InputError` for a damaged file.

    What `predict` wrote stays as it is. Other programs write in another layout, perhaps in another reference system, and
    their users remove columns, which are empty then.
    """
    try:
        document = read_json(path)
        if "crs" in document:  # of another program
            members = [
                {"type": "Feature", "properties": properties, "geometry": mapping(shape)}
                for shape, properties in read_features(path)
            ]
        else:
            members = document["features"]
        return [json.dumps(_whole(member, path), allow_nan=False, ensure_ascii=False) for member in members]
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise InputError(
            f"{path}: damaged ({reason}); remove it, then start again to predict its scene again"
        ) from error


def _whole(member: Any, path: Path) -> Json:
    """A feature with all columns."""
    kind, properties = member["geometry"]["type"], dict(member["properties"])
    if kind not in LINES:
        raise ValueError(f"a {kind} in it, lines are expected")
    if date := properties.get(DATE):
        properties[DATE] = parse_date(str(date), f"{path}: {DATE}").isoformat()
    return {**member, "properties": properties | {name: None for name in COLUMNS if name not in properties}}
