"""Monthly and annual fronts, their trend and an ice mask from the fronts of a glacier: what `glacierjax.composite` does."""

import csv
import dataclasses
import io
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely
from rasterio.crs import CRS

from glacierjax.core.choices import BETWEEN, FIGURE_FORMATS, LINEAR, NONE, VECTOR_FORMATS
from glacierjax.core.errors import ArgumentError, InputError, some_names
from glacierjax.core.files import write_text
from glacierjax.fronts.verdict import REJECT
from glacierjax.geo.georeference import WGS84, reproject, usual_map
from glacierjax.geo.vectors import GEOJSON, require_format
from glacierjax.terminus.composite_plot import draw_composites
from glacierjax.terminus.composites import (
    Composite,
    MeasuredFront,
    annual,
    measured_fronts,
    monthly,
    seen_of,
    trend_of_months,
)
from glacierjax.terminus.ice_mask import USUALLY_UTM, SpacingError, draw_masks, grid_over, profiles_of
from glacierjax.terminus.lanes import Lanes, lanes_of
from glacierjax.terminus.line_files import write_composites
from glacierjax.terminus.mask_file import require_netcdf_extra, write_masks
from glacierjax.terminus.open_series import Series, SeriesOptions, open_series, open_written
from glacierjax.terminus.series import Row, measure
from glacierjax.terminus.trend import trend_facts, trend_text

log = logging.getLogger(__name__)

MONTHLY, ANNUAL, MASK, RESULT, FIGURE = "monthly", "annual", "ice_mask.nc", "composite.json", "composite"


@dataclasses.dataclass(frozen=True)
class CompositeOptions:
    """`box`: file, "": that of the series, or computed; `glacier`: only its fronts; `crs` of the mask and of the lines in
    `vector` formats, None: the usual one of the place; `grid_spacing_m` of the mask, None: no mask; `between`: what months
    without a front get in it; `figures`: formats of the picture."""

    box: str = ""
    glacier: str = ""
    crs: CRS | None = None
    vector: tuple[str, ...] = ()
    grid_spacing_m: float | None = None
    between: str = LINEAR
    figures: tuple[str, ...] = FIGURE_FORMATS[:1]

    def __post_init__(self):
        if self.grid_spacing_m is not None and not 0 < self.grid_spacing_m < float("inf"):
            raise ArgumentError("grid_spacing_m", self.grid_spacing_m, "give a number of metres above 0")
        for name, values, choices in (
            ("between", (self.between,), BETWEEN),
            ("vector", self.vector, VECTOR_FORMATS),
            ("figure", self.figures, FIGURE_FORMATS),
        ):
            for value in values:
                if value not in choices:
                    raise ArgumentError(name, value, f"choose one of {', '.join(choices)}")
        if self.grid_spacing_m is None:
            if self.between != LINEAR:
                raise ArgumentError("between", self.between, "is of the ice mask; give `grid_spacing_m` too")
            if self.crs is not None and not self.vector:
                crs = self.crs.to_string()
                raise ArgumentError(
                    "crs", crs, "is of the ice mask and of the lines of `vector`; give `grid_spacing_m` or `vector` too"
                )


def make_composites(patterns: Sequence[str], output: Path, options: CompositeOptions) -> SpacingError | None:
    """Reads fronts (of a folder of `timeseries` as it judged them) and writes to `output`: monthly and annual fronts as
    tables and lines, composite.json with trend and seasonal cycle, a picture, and ice_mask.nc.

    Returns why there is no mask, if its spacing does not fit the box; all else is written. Raises `InputError` for fronts or a
    box that cannot be used; at the end, if files could not be read.
    """
    for kind in options.vector:
        require_format(kind, f"`vector`={kind}")
    if options.grid_spacing_m is not None:
        require_netcdf_extra("`grid_spacing_m`")
    series = open_written(patterns, options.box, options.glacier) or open_series(
        patterns, SeriesOptions(box=options.box, glacier=options.glacier)
    )
    if series.plane.crs is None:
        raise InputError("`fronts`: in pixels of scenes without a place on Earth; composites need georeferenced scenes")
    rows = measure(series.fronts, series.box, None, series.verdicts)
    lanes = lanes_of(series.box, [front.lines for front in series.fronts])
    fronts = measured_fronts(series.fronts, rows, lanes)
    _require_dates(fronts, rows)
    months = monthly(fronts)
    trend = trend_of_months(months)
    years = annual(months, trend)
    middle = reproject(shapely.get_coordinates(lanes.whole().centroid), series.plane.crs, WGS84)
    longitude, latitude = middle[0].tolist()
    crs = options.crs or usual_map(longitude, latitude, USUALLY_UTM)
    glacier = options.glacier or series.fronts[0].glacier
    mask = refused = None
    try:  # refuses most, so first
        mask = _write_mask(output / MASK, series, lanes, months, crs, glacier, options)
    except SpacingError as error:
        refused = error
    if mask is None and output.is_dir():
        (output / MASK).unlink(missing_ok=True)  # of other fronts
    for name, composites in ((MONTHLY, months), (ANNUAL, years)):
        write_text(output / f"{name}.csv", _table(composites, series.box.width_m))
        path = output / f"{name}{GEOJSON}"
        write_composites(path, composites, lanes, series, glacier, options.vector, crs)
    rejected = [row.scene for row in rows if row.quality == REJECT]
    found = {
        "glacier": glacier,
        "fronts": len(fronts),
        "files_left_out": series.problems,
        "rejected": len(rejected),
        "not_measured": len(rows) - len(fronts) - len(rejected),
        "months": {"seen": len(seen_of(months)), "all": len(months)},
        "years": {"seen": len(seen_of(years)), "all": len(years)},
        "box_width_m": series.box.width_m,
        "trend_of_months_m": trend_facts(trend),
        "crs": crs.to_string(),
        "ice_mask": mask,
    }
    write_text(output / RESULT, json.dumps(found, indent=1, allow_nan=False) + "\n")
    for kind in set(FIGURE_FORMATS) - set(options.figures):
        (output / f"{FIGURE}.{kind}").unlink(missing_ok=True)  # likewise
    paths = [output / f"{FIGURE}.{kind}" for kind in options.figures]
    draw_composites(paths, glacier or "", rows, months, years, trend, lanes)
    seen, every = found["months"]["seen"], found["months"]["all"]
    log.info("%d fronts, %d of %d months, %d years", len(fronts), seen, every, found["years"]["seen"])
    if trend:
        log.info("monthly fronts: %s", trend_text(trend))
    log.info("written: %s", output)
    series.require_all_files(output)
    return refused


def _require_dates(fronts: Sequence[MeasuredFront], rows: Sequence[Row]) -> None:
    """Logs which fronts do not cross the box. Raises `InputError` if those that do are of fewer than two dates."""
    beside = [row.scene for row in rows if row.quality != REJECT and row.box_position_m is None]
    if beside:
        log.warning("left out, as they do not cross the box from side to side: %s", some_names(beside))
    dates = {front.date for front in fronts}
    if len(dates) < 2:
        what = f"one date only ({min(dates)})" if dates else "none"
        raise InputError(
            f"`fronts`: of {len(rows)} fronts {what} is not rejected and crosses the box from side to side; composites need "
            "several dates, look at the picture of timeseries"
        )


def _write_mask(
    path: Path,
    series: Series,
    lanes: Lanes,
    months: Sequence[Composite],
    crs: CRS,
    glacier: str | None,
    options: CompositeOptions,
) -> dict[str, Any] | None:
    if options.grid_spacing_m is None:
        return None
    grid = grid_over(lanes, series.plane, crs, options.grid_spacing_m)
    if options.crs is None:
        log.info("ice mask in %s, the usual projection there; `crs` chooses another one", crs.to_string())
    profiles = profiles_of(months, options.between)
    filled = sum(profile is not None and not month.scenes for profile, month in zip(profiles, months, strict=True))
    how = "they are empty" if options.between == NONE else f"their front is {options.between} in time, lane by lane"
    comment = (
        "Median front of each month, weighted by the errors of the scenes, without rejected fronts. Nothing is known outside of "
        f"the box. scenes is 0 in months without a front: {how}."
    )
    title = f"Glacier and open water at {glacier or 'a glacier'}"
    write_masks(path, grid, months, draw_masks(lanes, profiles, series.plane, grid), title, comment)
    return {
        "file": path.name,
        "grid_spacing_m": grid.spacing_m,
        "shape": [len(months), len(grid.y_m), len(grid.x_m)],
        "between": options.between,
        "months_between": filled,
    }


def _table(composites: Sequence[Composite], width_m: float) -> str:
    """One row for each month or year; cells of those without a front are empty."""
    text = io.StringIO()
    names = ("period", "first_day", "next_day", "date", "scenes", "months", "position_m", "error_m", "spread_m")
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*names, "glacier_area_km2", "first_seen", "last_seen", "sensors"])
    for one in composites:
        area_km2 = None if one.position_m is None else one.position_m * width_m / 1e6
        numbers = (one.position_m, one.error_m, one.spread_m, area_km2)
        rounded = [None if value is None else round(value, 6) for value in numbers]
        days = (one.first_day, one.next_day, one.date)
        seen = (one.first_seen, one.last_seen, ", ".join(one.sensors))
        table.writerow([one.name, *days, one.scenes, one.months, *rounded, *seen])
    return text.getvalue()
