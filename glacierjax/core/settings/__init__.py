"""Typed settings: fields, defaults (the published recipe), units and checks of everything that a training can be told."""

from glacierjax.core.settings.fields import Json, Settings, flat_fields
from glacierjax.core.settings.network import PATCH_PX, PRESETS, ModelSettings, NetworkSettings, preset
from glacierjax.core.settings.paths import paths_for_workdir, paths_from_workdir
from glacierjax.core.settings.run import (
    AugmentSettings,
    DataSettings,
    FineTuning,
    InitSettings,
    LabelledDataSettings,
    MaskSettings,
    OptimizerSettings,
    PairAugmentSettings,
    PairDataSettings,
    Pretraining,
    RunSettings,
    ScheduleSettings,
    SeriesAugmentSettings,
    SeriesDataSettings,
    SeriesFineTuning,
    ValidationSettings,
    settings_from_json,
)

__all__ = [
    "PATCH_PX",
    "PRESETS",
    "AugmentSettings",
    "DataSettings",
    "FineTuning",
    "InitSettings",
    "Json",
    "LabelledDataSettings",
    "MaskSettings",
    "ModelSettings",
    "NetworkSettings",
    "OptimizerSettings",
    "PairAugmentSettings",
    "PairDataSettings",
    "Pretraining",
    "RunSettings",
    "ScheduleSettings",
    "SeriesAugmentSettings",
    "SeriesDataSettings",
    "SeriesFineTuning",
    "Settings",
    "ValidationSettings",
    "flat_fields",
    "paths_for_workdir",
    "paths_from_workdir",
    "preset",
    "settings_from_json",
]
