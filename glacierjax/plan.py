"""Plans a campaign: which of many scenes show which of many glaciers, and what it takes to predict them all.

  python -m glacierjax.plan --glaciers=glaciers.gpkg --scenes=items.json --checkpoint=RUN --output=PLAN
  python -m glacierjax.plan --glaciers=glaciers.csv --scenes=scenes.parquet --checkpoint=RUN --pixels_per_second=measure
    --output=PLAN

--glaciers is a table: a vector file with the areas of interest, or CSV with their files in the column aoi. --scenes are
folders, STAC items (.json), or lists (.txt, .csv, .parquet). Writes PLAN/tasks.parquet with a task for each glacier and scene
(of networks of series: for each glacier), PLAN/skipped.csv, and PLAN/areas. Then `glacierjax run` works on them.
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import choices, cli
from glacierjax.core.reading_flags import define_reading_flags

_GLACIERS = flags.DEFINE_string(
    "glaciers", None, "Table of the glaciers: a vector file with their areas, or .csv with a column aoi.", required=True
)
_GLACIER_FIELD = flags.DEFINE_string("glacier_field", "", "Column of --glaciers with the id. Default: guessed.")
_SCENES = flags.DEFINE_multi_string(
    "scenes",
    None,
    "Folder, pattern in quotes, STAC items (.json), or a list (.txt, .csv, .parquet); may be repeated.",
    required=True,
)
_OUTPUT = flags.DEFINE_string("output", None, "New folder for the plan.", required=True)
_CHECKPOINT = flags.DEFINE_multi_string(
    "checkpoint", [], "Network of the glaciers whose table names none; several make an ensemble."
)
_WHICH = flags.DEFINE_enum("which", choices.WHICH[0], choices.WHICH, "Which checkpoint of a training folder.")
_MODE = flags.DEFINE_enum("mode", None, choices.MODES, "How a network covers a scene; as of predict.")
_ROTATIONS = flags.DEFINE_bool("rotations", False, "Average over rotations or mirror images; as of predict.")
_LEAST = flags.DEFINE_float(
    "least_covered", 0.0, "A scene that covers a smaller share of a glacier's area is skipped, 0 to 1."
)
_SPEED = flags.DEFINE_string(
    "pixels_per_second",
    "",
    "What one process predicts, to estimate hours: a number (status tells it), or measure: found out here.",
)
_SPACING = flags.DEFINE_float("pixel_spacing_m", None, "Pixel spacing of all scenes in metres, instead of their own.")
_READING = define_reading_flags()
_ASSET = flags.DEFINE_string("asset", None, "Asset of STAC items. Default: chosen by polarisation.")
_VECTOR = flags.DEFINE_multi_enum(
    "vector", [], choices.VECTOR_FORMATS, "Lines of each scene in these formats beside GeoJSON."
)
_AUTHOR = flags.DEFINE_string("author", "glacierjax", "Who answers for the lines, for their attribute Author.")


def main() -> None:
    # Imported here: --help must not wait for rasterio and JAX.
    from glacierjax.campaign.plan import plan_campaign
    from glacierjax.campaign.settings import CampaignSettings
    from glacierjax.core.files import is_hub_name
    from glacierjax.geo.scenes import ReadOptions
    from glacierjax.geo.values import nodata_from_text
    from glacierjax.geo.vectors import require_format

    for kind in _VECTOR.value:
        require_format(kind, f"--vector={kind}")
    nodata = nodata_from_text(_READING.nodata.value)
    reading = ReadOptions(_SPACING.value, None, _READING.scale.value, nodata, _READING.polarisation.value)
    checkpoints = tuple(name if is_hub_name(name) else str(Path(name).absolute()) for name in _CHECKPOINT.value)
    vector = tuple(_VECTOR.value)
    settings = CampaignSettings(
        checkpoints, _WHICH.value, _MODE.value, _ROTATIONS.value, vector, _AUTHOR.value, reading
    )
    rest = (_ASSET.value, _GLACIER_FIELD.value, _LEAST.value, _SPEED.value)
    plan_campaign(_GLACIERS.value, _SCENES.value, _OUTPUT.value, settings, *rest)


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
