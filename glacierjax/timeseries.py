"""Follows a terminus through time: positions and area change from the fronts that `glacierjax.predict` found.

  python -m glacierjax.timeseries --fronts=PREDICTIONS --output=OUT
  python -m glacierjax.timeseries --fronts='lines/JAC_*.geojson' --box=box.geojson --centreline=flow.geojson --output=OUT

A front has the glacier on its left (on the right of someone who looks from the ocean). One that runs against the others
is turned round and named; a point on the glacier in the file of --box decides for all of them.

Box method (Moon and Joughin 2008): area of glacier in a box divided by its width; without --box a box is drawn from
the fronts. Centreline method (Lea et al. 2014), if --centreline is given. Dates are those of the scene names. Writes
OUT/timeseries.csv, timeseries.png, summary.json and box.geojson (to be drawn better and given as --box).
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError

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
    from glacierjax.terminus.follow import SeriesOptions, follow_terminus

    options = SeriesOptions(_BOX.value, _CENTRELINE.value, _GLACIER.value, _SPACING.value)
    follow_terminus(_FRONTS.value, Path(_OUTPUT.value), options)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
