"""Typed settings: fields, defaults (the published recipe), units and checks of all settings of a training."""

from glacierjax.core.settings.fields import Settings, flat_fields
from glacierjax.core.settings.network import PATCH_PX, PRESETS, ModelSettings, NetworkSettings, preset_network
from glacierjax.core.settings.paths import paths_for_workdir, paths_from_workdir
from glacierjax.core.settings.run import FineTuning, Pretraining, RunSettings, SeriesFineTuning, settings_from_json
from glacierjax.core.settings.sections import (
    AugmentSettings,
    DataSettings,
    InitSettings,
    LabelledDataSettings,
    MaskSettings,
    OptimizerSettings,
    PairAugmentSettings,
    PairDataSettings,
    ScheduleSettings,
    SeriesAugmentSettings,
    SeriesDataSettings,
    ValidationSettings,
)

__all__ = [
    "PATCH_PX",
    "PRESETS",
    "AugmentSettings",
    "DataSettings",
    "FineTuning",
    "InitSettings",
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
    "preset_network",
    "settings_from_json",
]
