"""The JSON record of a checkpoint: which task, which network, how it was trained."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glacierjax.checkpoints.native import Checkpoint
from glacierjax.core.choices import SERIES
from glacierjax.core.errors import InputError
from glacierjax.core.grey import RECORD_KEY
from glacierjax.core.json_values import Json, digest_of_json
from glacierjax.core.settings import (
    FineTuning,
    NetworkSettings,
    Pretraining,
    Settings,
    paths_for_workdir,
    paths_from_workdir,
    settings_from_json,
)

SCENE_FIELDS = ("context_px", "pixel_spacing_m", "frames")  # fields of a training's data: how its network takes scenes


def record_of(settings: FineTuning | Pretraining, workdir: Path) -> Json:
    """The record of a training's checkpoints."""
    return {
        "task": settings.task,
        "model": settings.model.network().to_json(),
        "config": paths_for_workdir(settings, workdir).to_json(),
    }


def require_task(checkpoint: Checkpoint, *tasks: str) -> None:
    """Raises `InputError` unless the checkpoint is of one of the tasks."""
    task = checkpoint.record.get("task")
    if task in tasks:
        return
    if task == SERIES:
        raise InputError(f"{checkpoint.path}: a network for series of scenes; choose one for single scenes")
    raise InputError(
        f"{checkpoint.path}: a checkpoint of the task {task!r}, which finds no fronts; fine-tune it first "
        "(`config.init.checkpoint`)"
    )


def network_of(checkpoint: Checkpoint) -> NetworkSettings:
    """The network of a checkpoint. Raises `InputError` for one of another version."""
    values = checkpoint.record.get("model")
    if not isinstance(values, dict):
        raise InputError(f"{checkpoint.path}: its record names no network; copy it again or choose another one")
    unknown = _unknown(NetworkSettings, values)
    if unknown:
        raise InputError(
            f"{checkpoint.path}: its network has {', '.join(unknown)}, which this version does not know; train it "
            "again, or use the version that wrote it"
        )
    try:
        return NetworkSettings.from_json(values)
    except InputError as error:
        raise InputError(f"{checkpoint.path}: {error}") from error


def training_of(checkpoint: Checkpoint) -> FineTuning | Pretraining | None:
    """How a checkpoint was trained; None for converted weights. Raises `InputError` for one of another version."""
    values: Any = checkpoint.record.get("config")
    if not values:
        return None
    try:
        if not isinstance(values, Mapping):
            raise InputError(f"config={values!r}: expected fields")
        settings = settings_from_json(values)
    except InputError as error:
        raise InputError(f"{checkpoint.path}: trained by another version ({error}); train it again") from error
    # A step lies two folders below its workdir. A checkpoint that was handed on may lie anywhere, and knows no such paths.
    return paths_from_workdir(settings, checkpoint.path.absolute().parent.parent)


def record_digest(checkpoint: Checkpoint) -> str:
    """Tells records apart by which networks with the same parameters answer otherwise: of the network, the grey and the scenes.

    Files of weights do not hold all of it (`glacierjax.checkpoints.conversion`), so it may be corrected while the weights stay.
    """
    training = training_of(checkpoint)
    scenes = None if training is None else [getattr(training.data, name, None) for name in SCENE_FIELDS]
    return digest_of_json([network_of(checkpoint).to_json(), checkpoint.record.get(RECORD_KEY), scenes])


def _unknown(kind: type[Settings], values: Json) -> list[str]:
    return sorted(values.keys() - {field.name for field in dataclasses.fields(kind)})
