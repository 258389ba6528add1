"""Makes a data set to train and score on from GeoTIFF scenes and the front lines that people drew on them.

  python -m glacierjax.label --scenes=scenes --fronts=fronts.gpkg --output=DATA_RAW
  python -m glacierjax.label --scenes='scenes/*.tif' --fronts=lines.shp --box=fjord.geojson --rock=rock.gpkg
    --glacier_point=-49.6,69.2 --output=DATA_RAW

Lines may come in any vector format and reference system. Each is matched to its scene by an attribute, the name of its
file, or its date. The box (--box, or a rectangle around the line) is divided by the line into glacier and ocean; what lies
outside of it is not labelled, except where polygons of rock, glacier or ocean say more. Lines run with the glacier on
their left: seen from the ocean, from left to right. A line drawn in the opposite direction of the others of its glacier is
reversed. If a point (--glacier_point) or polygons (--glacier, --ocean) say where the glacier is, they decide.

Writes DATA_RAW in CaFFe's layout, which build, train, evaluate and adapt take as it is: overlays/NAME.png (look at them
first), sar_images/, zones/, fronts/, bounding_boxes/, rock/, summer/, meta_data.csv (where the scenes lie), and labels.json,
which says how each label came about.
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.line_flags import define_line_flags
from glacierjax.core.reading_flags import define_reading_flags
from glacierjax.datasets.caffe.splits import SPLITS

_SCENES = flags.DEFINE_multi_string(
    "scenes", None, "GeoTIFF scene, product, folder or pattern in quotes; may be repeated.", required=True
)
_FRONTS = flags.DEFINE_multi_string(
    "fronts", None, "Front lines: a vector file, a folder or pattern of them; may be repeated.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the data set, new or written by this command.", required=True)
_ROCK = flags.DEFINE_string("rock", "", "Rock that never moves: polygons (vector file) or a mask (raster).")
_GLACIER = flags.DEFINE_string("glacier", "", "Glacier outlines: polygons (vector file) or a mask (raster).")
_OCEAN = flags.DEFINE_string("ocean", "", "Open water: polygons (vector file) or a mask (raster).")
_POINTS = flags.DEFINE_multi_string(
    "glacier_point",
    [],
    "A point on the glacier: lon,lat or X,Y in the scenes' reference system; several: the nearest counts.",
)
_SUMMER = flags.DEFINE_string(
    "summer",
    "",
    "Store with each scene one without sea ice, for networks that see it: nearest (of --scenes), or a file.",
)
_MONTHS = flags.DEFINE_list("summer_months", [], "Months without sea ice, 7,8,9. Default: by hemisphere.")
_BOX = flags.DEFINE_string("box", "", "Where fronts may be: polygons (vector file) or a CaFFe box (.txt, pixels).")
_NAME = flags.DEFINE_string(
    "glacier_name", "", "Name of the glacier. Default: from attributes or names, else its place."
)
_SPLIT = flags.DEFINE_enum("split", SPLITS[0], SPLITS, "Split that the scenes are written to; build divides train.")
_FIELDS = define_line_flags()
_BAND = flags.DEFINE_integer("band", None, "Band of a GeoTIFF, counted from 1. Default: chosen by polarisation.")
_READING = define_reading_flags()


def main() -> None:
    # Imported here: --help must not wait for rasterio.
    from glacierjax.core.seasons import months_from_text
    from glacierjax.geo.scenes import ReadOptions
    from glacierjax.geo.values import nodata_from_text
    from glacierjax.labels.make import LabelOptions, label_scenes
    from glacierjax.terminus.attributes import Fields

    reading = ReadOptions(
        None, _BAND.value, _READING.scale.value, nodata_from_text(_READING.nodata.value), _READING.polarisation.value
    )
    options = LabelOptions(
        rock=_ROCK.value,
        glacier=_GLACIER.value,
        ocean=_OCEAN.value,
        glacier_points=tuple(_POINTS.value),
        summer=_SUMMER.value,
        summer_months=months_from_text(_MONTHS.value),
        box=_BOX.value,
        glacier_name=_NAME.value,
        split=_SPLIT.value,
        fields=Fields(*_FIELDS.values),
        read=reading,
    )
    label_scenes(_SCENES.value, _FRONTS.value, Path(_OUTPUT.value), options)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
