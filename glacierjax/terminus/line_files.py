"""Lines of a series as vector files: the fronts as they were judged, and monthly and annual fronts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.crs import CRS

from glacierjax.core.choices import VECTOR_FORMATS
from glacierjax.fronts.verdict import GOOD
from glacierjax.geo.georeference import WGS84, reproject, segment_lengths_m
from glacierjax.geo.glacier_ids import PLAIN
from glacierjax.geo.line_columns import COLUMNS, COMPOSITE_COLUMNS, termpicks_columns
from glacierjax.geo.run_layer import write_run
from glacierjax.geo.vectors import feature, remove_layer, write_geojson
from glacierjax.terminus.attributes import AUTHOR, GLACIER_ID
from glacierjax.terminus.composites import Composite
from glacierjax.terminus.fronts import Plane
from glacierjax.terminus.lanes import Lanes
from glacierjax.terminus.open_series import Series


def write_judged(path: Path, series: Series) -> None:
    """All fronts of a series on Earth as GeoJSON, the glacier on their left, with their verdicts."""
    features = []
    for front, verdict in zip(series.fronts, series.verdicts, strict=True):
        whose = front.told.get(GLACIER_ID), front.told.get(AUTHOR)
        facts = {
            **front.told,
            "scene": front.scene,
            "glacier": front.glacier,
            "date": front.date and front.date.isoformat(),
            "sensor": front.sensor,
            "error_m": front.error_m,
            "quality": verdict.quality,
            "reasons": "; ".join(verdict.reasons),
            **termpicks_columns(front.scene, front.date, front.sensor, verdict.quality, *whose),
        }
        features += [
            _feature(line, series.plane, dict.fromkeys(COLUMNS) | facts | {"line": number})
            for number, line in enumerate(front.lines, 1)
        ]
    write_geojson(path, features)


def write_composites(
    path: Path,
    composites: Sequence[Composite],
    lanes: Lanes,
    series: Series,
    glacier: str | None,
    vector: Sequence[str],
    crs: CRS,
) -> list[Path]:
    """Their lines as GeoJSON (`path`), in each format of `vector` in `crs`, and the style in which QGIS shows them.

    Those of earlier fronts in other formats are removed. A GlacierID that all fronts of `series` have is theirs too.
    """
    ids = {front.told.get(GLACIER_ID) for front in series.fronts}
    glacier_id = ids.pop() if len(ids) == 1 else None
    features = []
    for one in composites:
        if one.profile_m is None or one.date is None:
            continue
        name = f"{glacier}_{one.name}" if glacier else one.name
        sensors = ", ".join(one.sensors) or None
        facts = {
            "scene": name,
            "line": 1,
            "glacier": glacier,
            "date": one.date.isoformat(),
            "sensor": sensors,
            "error_m": _rounded(one.error_m),
            "quality": GOOD,
            **termpicks_columns(name, one.date, sensors, GOOD, glacier_id, PLAIN.author),
            "period": one.name,
            "scenes": one.scenes,
            "months": one.months,
            "position_m": _rounded(one.position_m),
            "spread_m": _rounded(one.spread_m),
            "first_seen": one.first_seen and one.first_seen.isoformat(),
            "last_seen": one.last_seen and one.last_seen.isoformat(),
        }
        features.append(_feature(lanes.front(one.profile_m), series.plane, dict.fromkeys(COMPOSITE_COLUMNS) | facts))
    write_geojson(path, features)
    for kind in set(VECTOR_FORMATS) - set(vector):
        remove_layer(path.with_suffix(f".{kind}"))
    return [path, *write_run(path, vector, crs, COMPOSITE_COLUMNS)]


def _feature(line: np.ndarray, plane: Plane, properties: dict[str, Any]) -> dict[str, Any]:
    assert plane.crs is not None, "lines on Earth"
    lonlat = reproject(line, plane.crs, WGS84)
    return feature(lonlat, properties | {"length_m": _rounded(float(segment_lengths_m(lonlat).sum()))})


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
