"""Finds zones, uncertainty and the calving front of scenes, and writes them as files that a GIS opens.

  python -m glacierjax.predict --checkpoint=RUN --input=scene.tif --output=OUT
  python -m glacierjax.predict --checkpoint=RUN --input='scenes/*.png' --pixel_spacing_m=20 --output=OUT
  python -m glacierjax.predict --checkpoint=RUN1 --checkpoint=RUN2 --rotations --input=scenes --box=fjord.geojson
    --vector=gpkg --output=OUT                            (an ensemble; fronts only inside the polygons)

Reads PNG and GeoTIFF. Writes OUT/zones, uncertainty, fronts (GeoTIFF where the scene is georeferenced, else PNG),
lines (GeoJSON), overlays, the table OUT/scenes.csv and all fronts in OUT/fronts.geojson. Started again, it goes on
with the scenes that are not done yet.
"""

import logging
import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError

log = logging.getLogger("glacierjax.predict")

_CHECKPOINT = flags.DEFINE_multi_string(
    "checkpoint", [], "Training folder or checkpoint of a network; several make an ensemble."
)
_WHICH = flags.DEFINE_enum("which", "best_iou", ["best_iou", "best_mde", "last"], "Which checkpoint of a folder.")
_INPUT = flags.DEFINE_multi_string("input", [], "Scene, folder of scenes, or pattern in quotes; may be repeated.")
_OUTPUT = flags.DEFINE_string("output", "", "Folder for the results.")
_BOX = flags.DEFINE_string("box", "", "Where a front may be: CaFFe box (.txt, pixels) or polygons (.geojson).")
_MODE = flags.DEFINE_enum("mode", None, ["tiled", "overlap", "whole"], "How a network goes over a scene.")
_ROTATIONS = flags.DEFINE_bool("rotations", False, "Average the network over four rotations of each scene.")
_SPACING = flags.DEFINE_float("pixel_spacing_m", None, "Metres a pixel, if neither georeference nor name tells.")
_BAND = flags.DEFINE_integer("band", 1, "Band of a GeoTIFF, counted from 1.")
_SCALE = flags.DEFINE_enum(
    "scale", "auto", ["auto", "linear", "db"], "Values that are not 8-bit: amplitude or intensity, or decibels."
)
_VECTOR = flags.DEFINE_multi_enum(
    "vector", [], ["gpkg", "shp"], "Lines as GeoPackage or Shapefile too; needs the extra [vector]."
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Predict scenes again that are done already.")


def main() -> None:
    for name, value in (("checkpoint", _CHECKPOINT.value), ("input", _INPUT.value), ("output", _OUTPUT.value)):
        if not value:
            raise InputError(f"--{name}: missing; --help shows an example")
    # Imported here: --help must not wait for rasterio and JAX.
    from glacierjax.geo.areas import read_area
    from glacierjax.geo.scenes import ReadOptions
    from glacierjax.geo.vectors import require_vector_extra
    from glacierjax.prediction.devices import log_devices
    from glacierjax.prediction.folder import Batch, find_scenes
    from glacierjax.prediction.model import load

    options = ReadOptions(_SPACING.value, _BAND.value, _SCALE.value)
    files = find_scenes(_INPUT.value)
    area = read_area(_BOX.value) if _BOX.value else None
    for kind in _VECTOR.value:
        require_vector_extra(kind)
    predictor = load(*_CHECKPOINT.value, which=_WHICH.value, mode=_MODE.value, rotations=_ROTATIONS.value).predictor
    log_devices()
    log.info("network: %s, mode %s; %d scene(s)", ", ".join(predictor.sources), predictor.mode, len(files))
    output = Path(_OUTPUT.value)
    Batch(predictor, output, options, area, _VECTOR.value, _OVERWRITE.value).run(files)
    log.info("written: %s", output)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
