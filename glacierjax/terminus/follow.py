"""A time series from front files to its table, chart and summary: what `glacierjax.timeseries` does."""

import dataclasses
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from glacierjax.core.files import write_text
from glacierjax.terminus.direction import one_direction
from glacierjax.terminus.fronts import lay_out, read_fronts
from glacierjax.terminus.inputs import (
    choose_glacier,
    choose_spacing,
    given_box,
    given_centreline,
    point_on_glacier,
    write_box,
)
from glacierjax.terminus.plot import draw_series
from glacierjax.terminus.series import csv_text, measure, summary

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class SeriesOptions:
    """`box`, `centreline`: files, "": none; `glacier`, `pixel_spacing_m`: only the fronts of these."""

    box: str = ""
    centreline: str = ""
    glacier: str = ""
    pixel_spacing_m: float | None = None


def follow_terminus(patterns: Sequence[str], output: Path, options: SeriesOptions) -> None:
    """Reads fronts, measures them and writes timeseries.csv, timeseries.png, summary.json and box.geojson to `output`."""
    of_glacier = choose_glacier(read_fronts(patterns), options.glacier)
    placed, plane = lay_out(choose_spacing(of_glacier, options.pixel_spacing_m))
    fronts, turned = one_direction(placed, point_on_glacier(options.box, plane))
    if turned:
        log.warning("drawn with the glacier on the right, so turned round: %s", ", ".join(turned))
    box = given_box(options.box, fronts, plane)
    centreline = given_centreline(options.centreline, fronts, plane)
    rows = measure(fronts, box, centreline)
    found = {**summary(rows, box), "turned_round": turned}
    write_text(output / "timeseries.csv", csv_text(rows))
    write_text(output / "summary.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    write_box(output / "box.geojson", box, plane, fronts)
    title = f"{options.glacier or fronts[0].glacier or ''} {rows[0].date} to {rows[-1].date}".strip()
    draw_series(output / "timeseries.png", title, fronts, rows, box, centreline)
    for row in rows:
        if row.note:
            log.info("%s: %s", row.scene, row.note)
    change = found["box_m"]
    if change["change"] is not None:
        log.info("box method: %.0f m, trend %.0f m a year, %d of %d scenes", change["change"],
                 change["trend_per_year"], change["measured"], len(rows))  # fmt: skip
    log.info("written: %s", output)
