"""The allowed values of flags and settings; commands and settings take their choices from here."""

SEGMENTATION = "segmentation"
SERIES = "segmentation_series"  # of several scenes of a glacier at once
PRETRAINING_TASKS = ("optsimmim", "opttranslator", "simmim")
TASKS = (SEGMENTATION, SERIES, *PRETRAINING_TASKS)

# Which rules hold where the official code departs from the method: `glacierjax.fronts.extract` has the list for scores.
CLEAN, OFFICIAL = "clean", "official"
PROTOCOLS = (CLEAN, OFFICIAL)

MODES = ("tiled", "overlap", "whole")  # how a network covers a scene (`glacierjax.prediction.tiles`)
MODES_IN_WORDS = "overlap: overlapping tiles, averaged; tiled: tiles side by side, as published; whole: in one piece"

# Name of a checkpoint -> (the metric that ranks it, whether larger is better).
BEST = {"best_iou": ("iou", True), "best_mde": ("mde_m", False), "best_loss": ("loss", False)}
LAST = "last"
WHICH = (*BEST, LAST)

OPTIMIZERS = ("sgd", "adamw", "muon")  # `glacierjax.training.optim`
ALL, DECODER, HEAD, NORMS = "all", "decoder", "head", "norms"
TRAINED = (ALL, DECODER, HEAD, NORMS)  # parts of a network that a training changes; the decoder with the head
SCHEDULES = ("constant", "plateau", "cosine")
PARALLEL = ("pmap", "shard_map")  # `glacierjax.training.parallel`
ALONE, CONVOLUTION, RECURRENCE, LTAE = "none", "conv", "gru", "ltae"
TEMPORAL = (ALONE, CONVOLUTION, RECURRENCE, LTAE)  # what frames of a series exchange (`glacierjax.model.temporal`)
# How frames of a series are laid over each other (`glacierjax.prediction.register`).
SIZE, GEOREFERENCE = "size", "georeference"
REGISTRATIONS = (SIZE, GEOREFERENCE)
GROUPS, REFERENCE = "groups", "reference"
SERIES_MODES = (GROUPS, REFERENCE)  # which scenes form a sample (`glacierjax.prediction.series.plan_series`)
FORMATS = ("glacierjax", "torch", "safetensors")  # of weights (`glacierjax.checkpoints.conversion`)
SAFETENSORS, STABLEHLO = FORMATS[2], "stablehlo"
EXPORTS = (SAFETENSORS, STABLEHLO)  # how a network is handed on
DTYPES = ("float32", "bfloat16")

# What grey values are made of (`glacierjax.geo.scales`), and how lines are written beside GeoJSON (`glacierjax.geo.vectors`).
AUTO, AMPLITUDE, POWER, DECIBEL, STRETCH = "auto", "amplitude", "power", "db", "stretch"
SCALES = (AUTO, AMPLITUDE, POWER, DECIBEL, STRETCH)
GEOPACKAGE, SHAPEFILE, GEOPARQUET = "gpkg", "shp", "parquet"
VECTOR_FORMATS = (GEOPACKAGE, SHAPEFILE, GEOPARQUET)
VECTOR_IN_WORDS = (
    "Lines as GeoPackage or Shapefile too (needs the extra [vector]), or as GeoParquet (needs pyarrow). Repeatable."
)

# What a channel of the network's input can show (`glacierjax.core.channels`).
GREY, ROCK, SUMMER = "grey", "rock", "summer"
CHANNELS = (GREY, ROCK, SUMMER)
NONE = "none"  # instead of a file: no rock mask or summer scene, though the network expects one
NEAREST = "nearest"  # in time
LINEAR = "linear"
BETWEEN = (LINEAR, NEAREST, NONE)  # what months without a front get in an ice mask (`glacierjax.terminus.ice_mask`)

ATTEMPTS = 3  # of a task of a campaign (`glacierjax.campaign.run`)

FIGURE_FORMATS = ("png", "pdf", "svg")  # of pictures for print; their suffixes
