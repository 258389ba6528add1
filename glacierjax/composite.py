"""Makes monthly and annual fronts, their trend and an ice mask over time, for ice-sheet models and papers.

  python -m glacierjax.composite --fronts=SERIES --output=OUT                (SERIES: what glacierjax.timeseries wrote)
  python -m glacierjax.composite --fronts=SERIES --grid_spacing_m=100 --vector=gpkg --figure=pdf --output=OUT
  python -m glacierjax.composite --fronts='lines/*.shp' --box=box.geojson --output=OUT

Fronts that timeseries rejected are left out; other lines are judged as by timeseries. A month is the median of its fronts,
weighted by their errors, a year the median of its months. Months without fronts stay empty. Writes monthly.csv, annual.csv,
the lines of both as GeoJSON (--vector: other formats too), composite.json with trend and seasonal cycle, and a picture.
With --grid_spacing_m also ice_mask.nc (CF-NetCDF; needs the extra [netcdf]).
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.choices import BETWEEN, FIGURE_FORMATS, LINEAR, VECTOR_FORMATS, VECTOR_IN_WORDS

_FRONTS = flags.DEFINE_multi_string(
    "fronts", None, "Output of timeseries, or front lines as it takes them; may be repeated.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results.", required=True)
_BOX = flags.DEFINE_string(
    "box", "", "Box from glacier to ocean: a polygon in a vector file. Default: that of timeseries."
)
_GLACIER = flags.DEFINE_string("glacier", "", "Only the fronts of this glacier.")
_CRS = flags.DEFINE_string(
    "crs",
    "",
    "Reference system of ice_mask.nc and of --vector, such as EPSG:32633. Default: EPSG:3413 or EPSG:3031 beyond 60 degrees, "
    "else UTM.",
)
_SPACING = flags.DEFINE_float("grid_spacing_m", None, "Side of the cells of ice_mask.nc in metres. Default: no mask.")
_BETWEEN = flags.DEFINE_enum(
    "between",
    LINEAR,
    BETWEEN,
    "What months without a front get in ice_mask.nc: linear (between those before and after), nearest (in time), or none.",
)
_VECTOR = flags.DEFINE_multi_enum(
    "vector",
    [],
    VECTOR_FORMATS,
    VECTOR_IN_WORDS,
)
_FIGURE = flags.DEFINE_multi_enum(
    "figure", FIGURE_FORMATS[:1], FIGURE_FORMATS, "Format of the picture; may be repeated."
)


def main() -> None:
    # Imported here: --help must not wait for rasterio and matplotlib.
    from glacierjax.geo.georeference import crs_from_user
    from glacierjax.terminus.compose import CompositeOptions, make_composites

    crs = crs_from_user(_CRS.value, "--crs") if _CRS.value else None
    vector, figures = tuple(_VECTOR.value), tuple(_FIGURE.value)
    options = CompositeOptions(_BOX.value, _GLACIER.value, crs, vector, _SPACING.value, _BETWEEN.value, figures)
    refused = make_composites(_FRONTS.value, Path(_OUTPUT.value), options)
    if refused is not None:
        raise refused


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
