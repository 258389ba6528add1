"""Follows a terminus through time: positions and area change from the fronts that `glacierjax.predict` found.

  python -m glacierjax.timeseries --fronts=PREDICTIONS --output=OUT
  python -m glacierjax.timeseries --fronts='lines/JAC_*.geojson' --box=box.geojson --centreline=flow.geojson --output=OUT
  python -m glacierjax.timeseries --fronts=lines.gpkg --centreline=flow.geojson --width_m=3000 --output=OUT

Lines may come in any vector format and reference system. Fronts run with the glacier on their left. Seen from the ocean,
they run from left to right. A front drawn in the opposite direction is reversed and listed. If the file of --box contains a
point on the glacier, that point decides the direction. Date, scene and glacier are taken from attributes with usual names,
or from those that flags name. Lines without a glacier's name are grouped by place.

Box method (Moon and Joughin 2008): area of glacier in a box divided by its width; without --box a box is computed from
the fronts. Centreline method (Lea et al. 2014), if --centreline is given. With --width_m the box follows the centreline
(curvilinear box, Lea et al. 2014).

Writes OUT/timeseries.csv, timeseries.png, summary.json, judged.geojson (georeferenced fronts with their verdicts) and
box.geojson, the box that was used. Edit a straight one and pass it as --box.
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.line_flags import define_line_flags

_FRONTS = flags.DEFINE_multi_string(
    "fronts",
    None,
    "Front lines (a vector file, or .csv of predict), a folder of them, or the output of predict; may be repeated.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results.", required=True)
_BOX = flags.DEFINE_string(
    "box", "", "Box from glacier to ocean: a polygon in a vector file, or a CaFFe box for pixel fronts."
)
_CENTRELINE = flags.DEFINE_string("centreline", "", "Line along the flow, in a vector file.")
_WIDTH = flags.DEFINE_float(
    "width_m",
    None,
    "For a bending fjord: the box follows --centreline with this width in metres. Default: a straight box.",
)
_GLACIER = flags.DEFINE_string("glacier", "", "Only the fronts of this glacier.")
_FIELDS = define_line_flags()
_SPACING = flags.DEFINE_float(
    "pixel_spacing_m", None, "For fronts in pixels (.csv): use only scenes with this pixel spacing in metres."
)
_THRESHOLD = flags.DEFINE_multi_string(
    "threshold",
    [],
    "NAME=VALUE: from where on a front is doubtful or rejected, such as reject_jump_times=8; may be repeated.",
)


def main() -> None:
    # Imported here: --help must not wait for rasterio and matplotlib.
    from glacierjax.fronts.verdict import thresholds_from
    from glacierjax.terminus.attributes import Fields
    from glacierjax.terminus.follow import follow_terminus
    from glacierjax.terminus.open_series import SeriesOptions

    fields = Fields(*_FIELDS.values)
    thresholds = thresholds_from(_THRESHOLD.value, of_series=True)
    options = SeriesOptions(
        _BOX.value, _CENTRELINE.value, _WIDTH.value, _GLACIER.value, _SPACING.value, fields, thresholds
    )
    follow_terminus(_FRONTS.value, Path(_OUTPUT.value), options)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
