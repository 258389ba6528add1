"""Fine-tuning on labelled scenes: data, network, validation by whole scenes, put together for the training loop."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.core.progress import track
from glacierjax.core.zones import UNKNOWN_ID, Zone
from glacierjax.data.crops import CropOptions, CropSource
from glacierjax.data.pipeline import batches
from glacierjax.data.sources import open_split
from glacierjax.data.store import build_store
from glacierjax.evaluation.score import aggregate, score_scene
from glacierjax.inference.predictor import GREY_MAX, make_network
from glacierjax.inference.tiles import predict_scene
from glacierjax.model import Tyrion
from glacierjax.runs.configs import to_plain
from glacierjax.runs.initial import initial_params, model_fields
from glacierjax.tasks import Segmentation
from glacierjax.training.loop import Experiment, steps_per_epoch, train


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
    if data.get("train_scenes", 0):
        train_scenes = train_scenes.spread(data.train_scenes)
    val_scenes = open_split(data.dir, data.val_split, data.name)
    store = build_store(train_scenes, train_scenes.names, workdir / "cache" / "train.bin")
    local = config.batch_size // jax.process_count()
    source = CropSource(
        store=store,
        options=crop_options(config),
        seed=config.seed,
        samples_per_epoch=data.samples_per_epoch,
        batch_size=config.batch_size,
        first=local * jax.process_index(),
        local=local,
        steps=steps_per_epoch(config) * config.num_epochs,
    )
    fields = model_fields(config)
    model: Any = Tyrion(**fields)
    network = make_network(model)
    kept_scenes = list(val_scenes) if data.keep_validation_in_memory else val_scenes

    def evaluate(params: dict) -> dict[str, float | None]:
        on_device = jax.device_put(params)
        scores = []
        for scene in track(kept_scenes, len(kept_scenes), "validation"):
            probabilities = predict_scene(
                lambda images: network(on_device, images),
                scene.image, config.validation.mode, data.context_px, model.size_multiple,
            )  # fmt: skip
            scores.append(score_scene(scene, probabilities.argmax(-1).astype(np.uint8)))
        return headline(aggregate(scores))

    experiment = Experiment(
        task=Segmentation(model),
        batches=lambda step: batches(source, step, data.workers),
        scenes_of=lambda step: sorted(
            {store.names[source.scene_of(source.sample_number(step * local + i))] for i in range(local)}
        ),
        prepare=prepare,
        evaluate=evaluate,
        rank_by=("best_iou", "best_mde"),
        record={"task": "segmentation", "model": json_fields(fields), "config": to_plain(config)},
        initial_params=lambda fresh: initial_params(config, fresh),
    )
    return train(config, workdir, experiment)


def crop_options(config: Any) -> CropOptions:
    """The data and augmentation part of a configuration."""
    return CropOptions(
        context_px=config.data.context_px,
        padding=config.data.padding,
        **{field.name: config.augment[field.name] for field in dataclasses.fields(CropOptions)
           if field.name in config.augment},
    )  # fmt: skip


def headline(metrics: dict) -> dict[str, float | None]:
    """The figures of a validation that are logged: mean IoU and more, by class, MDE and missing fronts."""
    zones = metrics["zones"]
    present = metrics["zones_present"]["iou"]
    return {
        "iou": zones["iou"]["mean"],
        "iou_present": present["mean"],
        "precision": zones["precision"]["mean"],
        "recall": zones["recall"]["mean"],
        "f1": zones["f1"]["mean"],
        **{f"iou_{key}": value for key, value in zones["iou"].items() if key != "mean"},
        "mde_m": metrics["mde_m"],
        "mde_px": metrics["mde_px"],
        "missing_fronts": metrics["missing_fronts"],
    }


def json_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Model fields as JSON holds them."""
    return {k: list(v) if isinstance(v, tuple) else np.dtype(v).name if k == "dtype" else v for k, v in fields.items()}
