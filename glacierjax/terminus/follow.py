"""A time series from front files to its table, chart and summary: what `glacierjax.timeseries` does."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glacierjax.core.errors import SHOWN_REASONS, ArgumentError, InputError, some_names
from glacierjax.core.files import user_path, write_text
from glacierjax.fronts.verdict import REJECT
from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.geo.vectors import feature, write_geojson
from glacierjax.terminus.front_files import JUDGED, LINES_FOLDER
from glacierjax.terminus.inputs import write_box
from glacierjax.terminus.line_files import write_judged
from glacierjax.terminus.open_series import BOX_FILE, CENTRELINE_FILE, SUMMARY, SeriesOptions, open_series
from glacierjax.terminus.plot import draw_series
from glacierjax.terminus.series import BOX, CENTRELINE, csv_text, measure, summary, trend_of
from glacierjax.terminus.trend import trend_text

log = logging.getLogger(__name__)

TABLE, CHART = "timeseries.csv", "timeseries.png"


def follow_terminus(patterns: Sequence[str], output: Path, options: SeriesOptions) -> None:
    """Reads fronts, measures them and writes to `output`: timeseries.csv, timeseries.png, summary.json, box.geojson,
    judged.geojson. Raises `InputError` if `output` is the folder of the lines, unless predict wrote it: a second run would read
    judged.geojson in place of them; at the end, if files could not be read or nothing could be measured."""
    for pattern in patterns:
        given = user_path(pattern)
        if given.is_dir() and not (given / LINES_FOLDER).is_dir() and given.resolve() == user_path(output).resolve():
            raise ArgumentError("output", output, "is the folder of the lines; choose another one")
    series = open_series(patterns, options)
    fronts, box = series.fronts, series.box
    rows = measure(fronts, box, series.centreline, series.verdicts)
    told = {"glacier_side_from": series.side_from, "turned_round": series.turned, "files_left_out": series.problems}
    found: dict[str, Any] = {**summary(rows, box), **told}
    write_text(output / TABLE, csv_text(rows))
    write_text(output / SUMMARY, json.dumps(found, indent=1, allow_nan=False) + "\n")
    write_box(output / BOX_FILE, box, series.plane, fronts)
    (output / JUDGED).unlink(missing_ok=True)  # of another run
    if series.plane.crs is not None:
        write_judged(output / JUDGED, series)
        if box.centreline is not None:
            line = reproject(box.centreline, series.plane.crs, WGS84)
            write_geojson(output / CENTRELINE_FILE, [feature(line, {"what": "centreline"})])
    title = f"{options.glacier or fronts[0].glacier or ''} {rows[0].date} to {rows[-1].date}".strip()
    draw_series(output / CHART, title, fronts, rows, box, series.centreline)
    for row in rows:
        if row.note:
            log.info("%s: %s", row.scene, row.note)
    if series.centreline is not None and all(row.centreline_position_m is None for row in rows):
        log.warning(
            "%s: no front leaves the glacier on it, so it measures nothing; draw it across them", options.centreline
        )
    rejected = [f"{row.scene} ({row.reasons})" for row in rows if row.quality == REJECT]
    if rejected:
        log.warning("rejected, so in no change and no trend: %s", some_names(rejected))
    for label, name in (("box", BOX), ("centreline", CENTRELINE)):
        if trend := trend_of(rows, name, box):
            facts = found[name]
            words = f"{facts['change']:.0f} m, {trend_text(trend)}, {facts['measured']} of {len(rows)} scenes"
            log.info("%s method: %s", label, words)
    log.info("written: %s", output)
    series.require_all_files(output)
    if any(found[name]["measured"] for name in (BOX, CENTRELINE)):
        return
    if any(row.box_position_m is not None or row.centreline_position_m is not None for row in rows):
        raise InputError(
            f"`fronts`: all that could be measured are rejected: {some_names(rejected, SHOWN_REASONS)}; look at {output / CHART};"
            " if they are right, give `threshold` to what rejected them, predict or timeseries"
        )
    raise InputError(
        f"{options.box or '`fronts`'}: none of {len(rows)} fronts could be measured: they do not divide the box from side to "
        f"side; draw `box` narrower, after {output / CHART}"
    )
