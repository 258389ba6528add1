"""A time series from front files to its table, chart and summary: what `glacierjax.timeseries` does."""

import dataclasses
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glacierjax.core.errors import ArgumentError, InputError, some_names
from glacierjax.core.files import write_text
from glacierjax.fronts.verdict import REJECT, USUAL, Thresholds
from glacierjax.terminus.attributes import Fields
from glacierjax.terminus.centreline import towards_ocean
from glacierjax.terminus.curved_box import box_along
from glacierjax.terminus.direction import one_direction
from glacierjax.terminus.fronts import lay_out, read_fronts
from glacierjax.terminus.inputs import (
    choose_box,
    choose_glacier,
    choose_spacing,
    drawn_polygon,
    given_area,
    given_centreline,
    point_on_glacier,
    write_box,
)
from glacierjax.terminus.outliers import judge_series
from glacierjax.terminus.plot import draw_series
from glacierjax.terminus.series import BOX, CENTRELINE, csv_text, measure, summary, trend_of
from glacierjax.terminus.trend import trend_text

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class SeriesOptions:
    """`box`, `centreline`: files, "": none; `width_m` of a box that follows the centreline, None: a straight box; `glacier`,
    `pixel_spacing_m`: only the fronts of these; `fields`: attributes; `thresholds`: from where on a front is doubtful or
    rejected."""

    box: str = ""
    centreline: str = ""
    width_m: float | None = None
    glacier: str = ""
    pixel_spacing_m: float | None = None
    fields: Fields = dataclasses.field(default_factory=Fields)
    thresholds: Thresholds = USUAL

    def __post_init__(self):
        if self.width_m is None:
            return
        if not 0 < self.width_m < float("inf"):
            raise ArgumentError("width_m", self.width_m, "give a number of metres above 0")
        if not self.centreline:
            raise ArgumentError("width_m", self.width_m, "is of a box that follows a line; give `centreline` too")


def follow_terminus(patterns: Sequence[str], output: Path, options: SeriesOptions) -> None:
    """Reads fronts, measures them and writes timeseries.csv, timeseries.png, summary.json and box.geojson to `output`."""
    area = given_area(options.box)
    if area and options.width_m is not None:
        raise ArgumentError("width_m", options.width_m, f"{options.box} has a box already; leave one of them out")
    of_glacier = choose_glacier(read_fronts(patterns, options.fields), options.glacier, area)
    placed, plane = lay_out(choose_spacing(of_glacier, options.pixel_spacing_m))
    drawn_line = given_centreline(options.centreline, plane)
    polygon = drawn_polygon(area, placed, plane) if area else None
    if drawn_line is not None and options.width_m is not None:
        polygon = box_along(drawn_line, options.width_m, options.centreline).polygon
    on_glacier = point_on_glacier(options.box, plane)
    fronts, turned = one_direction(placed, on_glacier, polygon)
    if turned:
        log.warning("drawn with the glacier on the right, so turned round: %s", some_names(turned))
    if on_glacier is None and not all(front.is_own for front in fronts):
        log.warning(
            "the glacier is taken to lie on the left of most lines, which other programs do not promise; if it does not, add a "
            "point on the glacier to the file of `box`"
        )
    centreline = None if drawn_line is None else towards_ocean(drawn_line, [front.lines for front in fronts])
    if centreline is not None and options.width_m is not None:
        box = box_along(centreline, options.width_m, options.centreline)
    else:
        box = choose_box(polygon, fronts, options.box)
    verdicts = judge_series(fronts, box, options.thresholds)
    rows = measure(fronts, box, centreline, verdicts)
    side = "direction of the lines" if on_glacier is None else "point on the glacier"
    found: dict[str, Any] = {**summary(rows, box), "glacier_side_from": side, "turned_round": turned}
    write_text(output / "timeseries.csv", csv_text(rows))
    write_text(output / "summary.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    write_box(output / "box.geojson", box, plane, fronts)
    title = f"{options.glacier or fronts[0].glacier or ''} {rows[0].date} to {rows[-1].date}".strip()
    draw_series(output / "timeseries.png", title, fronts, rows, box, centreline)
    for row in rows:
        if row.note:
            log.info("%s: %s", row.scene, row.note)
    rejected = [f"{row.scene} ({row.reasons})" for row in rows if row.quality == REJECT]
    if rejected:
        log.warning("rejected, so in no change and no trend: %s", some_names(rejected))
    box_name = "box" if box.centreline is None else "curvilinear box"
    for label, name in ((box_name, BOX), ("centreline", CENTRELINE)):
        if trend := trend_of(rows, name, box):
            facts = found[name]
            words = f"{facts['change']:.0f} m, {trend_text(trend)}, {facts['measured']} of {len(rows)} scenes"
            log.info("%s method: %s", label, words)
    log.info("written: %s", output)
    if not any(found[name]["measured"] for name in (BOX, CENTRELINE)):
        remedy = "draw `box` narrower" if box.centreline is None else "choose a smaller `width_m`"
        raise InputError(
            f"{options.box or '`fronts`'}: none of {len(rows)} fronts could be measured: they do not divide the box from side to "
            f"side; {remedy}, after {output / 'timeseries.png'}"
        )
