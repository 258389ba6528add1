"""Finds zones, uncertainty and the calving front of scenes, and writes them as files that a GIS opens.

  python -m glacierjax.predict --checkpoint=RUN --input=scene.tif --output=OUT
  python -m glacierjax.predict --checkpoint=RUN --input='scenes/*.png' --pixel_spacing_m=20 --output=OUT
  python -m glacierjax.predict --checkpoint=RUN1 --checkpoint=RUN2 --rotations --input=scenes --box=fjord.geojson
    --vector=gpkg --output=OUT                            (an ensemble; fronts only inside the polygons)

  python -m glacierjax.predict --checkpoint=RUN --input=downloads --aoi=fjord.geojson --output=OUT
                                                        (Sentinel-1 products; reads only the fjord of each)

Reads PNG, GeoTIFF, Sentinel-1 products, links and STAC items. Writes OUT/zones, uncertainty, fronts (GeoTIFF where the
scene is georeferenced, else PNG), lines (GeoJSON), overlays, the table OUT/scenes.csv and all fronts in
OUT/fronts.geojson. Run it again to predict the scenes that are not done yet.
"""

import logging
import sys
from pathlib import Path

from absl import flags

from glacierjax.core import choices, cli
from glacierjax.core.errors import ArgumentError
from glacierjax.core.reading_flags import define_reading_flags

log = logging.getLogger("glacierjax.predict")

_CHECKPOINT = flags.DEFINE_multi_string(
    "checkpoint",
    None,
    "Training folder, checkpoint, or hf://OWNER/NAME@REVISION of a network; several make an ensemble.",
    required=True,
)
_WHICH = flags.DEFINE_enum("which", choices.WHICH[0], choices.WHICH, "Which checkpoint of a training folder.")
_INPUT = flags.DEFINE_multi_string(
    "input",
    None,
    "Scene, product, folder, pattern in quotes, link, or STAC items (.json); may be repeated.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the results.", required=True)
_BOX = flags.DEFINE_string("box", "", "Where a front may be: CaFFe box (.txt, in pixels) or polygons in a vector file.")
_MODE = flags.DEFINE_enum(
    "mode",
    None,
    choices.MODES,
    f"How a network covers a scene. {choices.MODES_IN_WORDS}. Default: overlap, or whole if the network was validated so.",
)
_ROTATIONS = flags.DEFINE_bool(
    "rotations",
    False,
    "Predict each scene in four rotations and average; in mirror images if the network was trained on these instead.",
)
_UNTRAINED = flags.DEFINE_bool(
    "untrained_rotations", False, "Average four rotations also for a network that was trained without rotated crops."
)
_SPACING = flags.DEFINE_float(
    "pixel_spacing_m", None, "Pixel spacing in metres; overrides the georeference and the scene's name."
)
_BAND = flags.DEFINE_integer("band", None, "Band of a GeoTIFF, counted from 1. Default: chosen by polarisation.")
_READING = define_reading_flags()
_ASSET = flags.DEFINE_string("asset", None, "Asset of STAC items. Default: chosen by polarisation.")
_AOI = flags.DEFINE_string(
    "aoi", "", "Area of interest, polygons in a vector file: only this part of each scene is read, with a margin."
)
_VECTOR = flags.DEFINE_multi_enum(
    "vector",
    [],
    choices.VECTOR_FORMATS,
    choices.VECTOR_IN_WORDS,
)
_CRS = flags.DEFINE_string(
    "crs", "", "Reference system of these lines, such as EPSG:3413. Default: the scene's; of all fronts together WGS84."
)
_GLACIERS = flags.DEFINE_string("glaciers", "", "Polygons with the ids of glaciers (RGI, TermPicks), for GlacierID.")
_GLACIER_FIELD = flags.DEFINE_string("glacier_field", "", "Attribute of --glaciers with the id. Default: guessed.")
_AUTHOR = flags.DEFINE_string("author", "glacierjax", "Who answers for the lines, for their attribute Author.")
_THRESHOLD = flags.DEFINE_multi_string(
    "threshold",
    [],
    "NAME=VALUE: from where on a front is doubtful or rejected, such as reject_error_m=300; may be repeated.",
)
_STAC = flags.DEFINE_bool("stac", False, "Describe the results as a STAC collection too, collection.json.")
_ROCK = flags.DEFINE_string(
    "rock",
    "",
    "Rock that never moves: polygons (vector file) or a mask (raster); none: go without where a network expects it.",
)
_ROCK_RULE = flags.DEFINE_bool(
    "rock_rule", None, "Rock of --rock is rock in the result. Default: where the network does not see it as a channel."
)
_SUMMER = flags.DEFINE_string(
    "summer", "", "For networks that expect one: a summer scene (file), nearest among --input (default), or none."
)
_MONTHS = flags.DEFINE_list("summer_months", [], "Months without sea ice, 7,8,9. Default: by hemisphere.")
_SERIES = flags.DEFINE_enum(
    "series",
    None,
    choices.SERIES_MODES,
    "Networks of series: scenes of a place in groups, or for each scene its neighbours in time (slower by as many times as a "
    "series has frames).",
)
_REGISTRATION = flags.DEFINE_enum(
    "registration",
    None,
    choices.REGISTRATIONS,
    "Networks of series: scenes lie over each other by map coordinates, or all show the same ground (size). Default: by map "
    "coordinates where they are known.",
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Predict all scenes again, also those that are done.")


def main() -> None:
    # Imported here: --help must not wait for rasterio and JAX.
    from glacierjax.core.seasons import months_from_text
    from glacierjax.fronts.verdict import thresholds_from
    from glacierjax.geo.areas import read_area
    from glacierjax.geo.georeference import crs_from_user
    from glacierjax.geo.glacier_ids import LineOptions, outlines_of
    from glacierjax.geo.inputs import find_sources, require_items
    from glacierjax.geo.scenes import ReadOptions
    from glacierjax.geo.values import nodata_from_text
    from glacierjax.geo.vectors import require_format
    from glacierjax.prediction.devices import log_devices
    from glacierjax.prediction.model import load
    from glacierjax.prediction.priors import open_priors
    from glacierjax.prediction.scene import interest_for
    from glacierjax.prediction.series_folder import batch_for

    options = ReadOptions(
        _SPACING.value,
        _BAND.value,
        _READING.scale.value,
        nodata_from_text(_READING.nodata.value),
        _READING.polarisation.value,
    )
    thresholds = thresholds_from(_THRESHOLD.value, of_series=False)
    require_items(_INPUT.value, _ASSET.value)
    if _CRS.value and not _VECTOR.value:
        raise ArgumentError(
            "crs", _CRS.value, "is of the lines in the formats of `vector`; give it too, or leave it out"
        )
    sources = find_sources(_INPUT.value, _READING.polarisation.value, _ASSET.value)
    area = read_area(_BOX.value) if _BOX.value else None
    aoi = read_area(_AOI.value) if _AOI.value else None
    for kind in _VECTOR.value:
        require_format(kind, f"--vector={kind}")
    lines = LineOptions(
        crs_from_user(_CRS.value, "--crs") if _CRS.value else None,
        outlines_of(_GLACIERS.value, _GLACIER_FIELD.value),
        _AUTHOR.value,
    )
    predictor = load(
        *_CHECKPOINT.value,
        which=_WHICH.value,
        mode=_MODE.value,
        rotations=_ROTATIONS.value,
        untrained_rotations=_UNTRAINED.value,
        thresholds=thresholds,
    ).predictor
    log_devices()
    how = f"mode {predictor.mode}, {predictor.averaged}"
    log.info("network: %s, %s; %d scene(s)", ", ".join(predictor.sources), how, len(sources))
    priors = open_priors(
        predictor, sources, _ROCK.value, _ROCK_RULE.value, _SUMMER.value, months_from_text(_MONTHS.value), options
    )
    log.info("%s", predictor.calibration.note)
    output = Path(_OUTPUT.value)
    interest = interest_for(predictor, aoi, area)
    arguments = (output, options, area, _VECTOR.value, _OVERWRITE.value, interest, priors, lines, _STAC.value)
    batch_for(predictor, *arguments, series=_SERIES.value, registration=_REGISTRATION.value).run(sources)
    log.info("written: %s", output)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
