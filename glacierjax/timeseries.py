"""Follows a terminus through time: positions and area change from the fronts that `glacierjax.predict` found.

  python -m glacierjax.timeseries --fronts=PREDICTIONS --output=OUT
  python -m glacierjax.timeseries --fronts='lines/JAC_*.geojson' --box=box.geojson --centreline=flow.geojson --output=OUT

Box method (Moon and Joughin 2008): area of glacier in a box divided by its width; without --box a box is drawn from
the fronts. Centreline method (Lea et al. 2014), if --centreline is given. Dates are those of the scene names. Writes
OUT/timeseries.csv, timeseries.png, summary.json and box.geojson (to be drawn better and given as --box).
"""

import json
import logging
import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError

log = logging.getLogger("glacierjax.timeseries")

_FRONTS = flags.DEFINE_multi_string(
    "fronts", [], "Front lines (.geojson, .csv), a folder of them, or the output folder of predict; may be repeated."
)
_OUTPUT = flags.DEFINE_string("output", "", "Folder for the results.")
_BOX = flags.DEFINE_string("box", "", "Box from glacier to ocean: a GeoJSON polygon, or a CaFFe box for pixel fronts.")
_CENTRELINE = flags.DEFINE_string("centreline", "", "GeoJSON line along the flow.")
_GLACIER = flags.DEFINE_string("glacier", "", "Only the fronts of this glacier.")
_SPACING = flags.DEFINE_float("pixel_spacing_m", None, "Only the fronts in pixels of this size.")


def main() -> None:
    for name, value in (("fronts", _FRONTS.value), ("output", _OUTPUT.value)):
        if not value:
            raise InputError(f"--{name}: missing; --help shows an example")
    # Imported here: --help must not wait for rasterio and matplotlib.
    from glacierjax.core.files import write_text
    from glacierjax.terminus.fronts import lay_out, read_fronts
    from glacierjax.terminus.inputs import choose_glacier, choose_spacing, given_box, given_centreline, write_box
    from glacierjax.terminus.plot import draw_series
    from glacierjax.terminus.series import csv_text, measure, summary

    of_glacier = choose_glacier(read_fronts(_FRONTS.value), _GLACIER.value)
    fronts, plane = lay_out(choose_spacing(of_glacier, _SPACING.value))
    box = given_box(_BOX.value, fronts, plane)
    centreline = given_centreline(_CENTRELINE.value, fronts, plane)
    rows = measure(fronts, box, centreline)
    found = summary(rows, box)
    output = Path(_OUTPUT.value)
    write_text(output / "timeseries.csv", csv_text(rows))
    write_text(output / "summary.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    write_box(output / "box.geojson", box, plane)
    title = f"{_GLACIER.value or fronts[0].glacier or ''} {rows[0].date} to {rows[-1].date}".strip()
    draw_series(output / "timeseries.png", title, fronts, rows, box, centreline)
    for row in rows:
        if row.note:
            log.info("%s: %s", row.scene, row.note)
    change = found["box_m"]
    if change["change"] is not None:
        log.info("box method: %.0f m, trend %.0f m a year, %d of %d scenes", change["change"],
                 change["trend_per_year"], change["measured"], len(rows))  # fmt: skip
    log.info("written: %s", output)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
