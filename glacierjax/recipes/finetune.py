"""Fine-tuning on labelled scenes: data, network, validation by whole scenes, put together for the training loop."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.core.zones import UNKNOWN_ID, Zone
from glacierjax.data.crops import CropOptions, CropSource
from glacierjax.data.pipeline import batches
from glacierjax.data.scene_store import SceneStore, build_store
from glacierjax.datasets.caffe.prepared import SceneSplit, open_split
from glacierjax.model import Tyrion
from glacierjax.prediction.ensemble import GREY_MAX
from glacierjax.recipes.configs import cache_folder, to_plain
from glacierjax.recipes.initial_weights import initial_params, model_fields
from glacierjax.recipes.order import sample_order
from glacierjax.recipes.validation import Validation
from glacierjax.tasks import Segmentation
from glacierjax.training import processes
from glacierjax.training.loop import Experiment, train


def prepare(batch: dict[str, jax.Array]) -> dict[str, jax.Array]:
    """A micro-batch as read (uint8) to the task's: image in [0, 1], zones, and which pixels are labelled."""
    labelled = batch["labels"] != UNKNOWN_ID
    return {
        "image": batch["image"].astype(jnp.float32) / GREY_MAX,
        "zones": jnp.where(labelled, batch["labels"], Zone.NA).astype(jnp.int32),
        "valid": labelled,
    }


def finetune(config: Any, workdir: Path) -> dict:
    """Trains the segmentation network that `config` describes in `workdir`; returns the summary."""
    data = config.data
    train_scenes = open_split(data.dir, data.train_split, data.name)
    if data.train_scenes:
        train_scenes = train_scenes.spread(data.train_scenes)
    val_scenes = open_split(data.dir, data.val_split, data.name)
    pixel_spacing_m = data.get("pixel_spacing_m", 0)  # which the configuration of an older workdir does not have
    store = shared_store(train_scenes, cache_folder(config, workdir) / "train.bin", pixel_spacing_m)
    source = CropSource(
        store=store,
        options=crop_options(config),
        **sample_order(config),
    )
    fields = model_fields(config)
    model: Any = Tyrion(**fields)
    validation = Validation(config, model, val_scenes)

    experiment = Experiment(
        task=Segmentation(model),
        batches=lambda step: batches(source, step, data.workers),
        scenes_of=source.scenes_of_step,
        prepare=prepare,
        evaluate=validation,
        rank_by=tuple(config.keep),
        record={"task": "segmentation", "model": json_fields(fields), "config": to_plain(config)},
        initial_params=lambda fresh: initial_params(config, fresh),
        facts={
            "training": f"{len(train_scenes)} scenes, {data.samples_per_epoch:,} crops of {data.context_px} px an epoch",
            "validation": f"{len(val_scenes)} scenes ({config.validation.mode})",
        },
        pictures=validation.pictures,
    )
    return train(config, workdir, experiment)


def shared_store(scenes: SceneSplit, path: Path, pixel_spacing_m: float) -> SceneStore:
    """The decoded scenes in one file, which the first of several processes writes for all."""
    sizes = processes.from_first(lambda: build_store(scenes, scenes.names, path, pixel_spacing_m).sizes)
    return SceneStore(path, tuple(scenes.names), tuple((rows, columns) for rows, columns in sizes))


def crop_options(config: Any) -> CropOptions:
    """The data and augmentation part of a configuration."""
    return CropOptions(
        context_px=config.data.context_px,
        padding=config.data.padding,
        **{field.name: config.augment[field.name] for field in dataclasses.fields(CropOptions)
           if field.name in config.augment},
    )  # fmt: skip


def json_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Model fields as JSON holds them."""
    return {k: list(v) if isinstance(v, tuple) else np.dtype(v).name if k == "dtype" else v for k, v in fields.items()}
