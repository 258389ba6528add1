"""Pretraining without labels: pairs of SAR and optical crops, a task, validation on tiles, put together for the loop."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.core.progress import track
from glacierjax.core.spacing import average_looks
from glacierjax.data.pair_store import ImageFile, PairStore, Plane, pair_up, write_images
from glacierjax.data.pairs import PairOptions, PairSource, Tiles
from glacierjax.data.pipeline import batches
from glacierjax.datasets.ssl4sar.optical import UINT8_MAX
from glacierjax.datasets.ssl4sar.prepared import open_optical, open_unlabelled
from glacierjax.model.pretraining import OptSimMIMNetwork, OptTranslatorNetwork
from glacierjax.model.swin_v2 import PATCH_PX
from glacierjax.recipes.configs import cache_folder, to_plain
from glacierjax.recipes.finetune import json_fields
from glacierjax.recipes.initial_weights import initial_params, model_fields
from glacierjax.recipes.order import sample_order
from glacierjax.reports.pretraining import panels
from glacierjax.tasks import OptSimMIM, OptTranslator, SimMIM
from glacierjax.tasks.resampling import prepare_pairs
from glacierjax.training import processes
from glacierjax.training.loop import Experiment, train

PRETRAINING = ("optsimmim", "opttranslator", "simmim")  # values of --config.task
PICTURES = "pictures"  # folder of the workdir
NUM_PICTURES = 3


def pretraining_task(config: Any) -> OptSimMIM | OptTranslator:
    """The task that a configuration describes. Raises `InputError` for a mask that cannot be."""
    fields = model_fields(config)
    if config.task == "opttranslator":
        return OptTranslator(OptTranslatorNetwork(**fields))
    ratio, unit_px = config.mask.ratio, config.mask.unit_px
    if not 0 < ratio < 1:
        raise InputError(f"--config.mask.ratio={ratio}: choose a share between 0 and 1")
    if unit_px < PATCH_PX or unit_px % PATCH_PX or unit_px > config.data.context_px // 2:
        half = config.data.context_px // 2
        raise InputError(f"--config.mask.unit_px={unit_px}: choose a multiple of {PATCH_PX} up to {half}")
    if config.task == "simmim":
        return SimMIM(OptSimMIMNetwork(**fields, bands=1), ratio, unit_px)
    return OptSimMIM(OptSimMIMNetwork(**fields), ratio, unit_px)


def pair_options(config: Any) -> PairOptions:
    """The data and augmentation part of a configuration."""
    return PairOptions(
        crop_px=config.data.context_px,
        padding=config.data.padding,
        scale_range=tuple(config.augment.scale_range),
        up_down_probability=config.augment.up_down_probability,
    )


def pretrain(config: Any, workdir: Path) -> dict:
    """Trains the pretraining network that `config` describes in `workdir`; returns the summary."""
    data = config.data
    task = pretraining_task(config)
    train_pairs, val_pairs = open_pairs(config, cache_folder(config, workdir))
    source = PairSource(
        store=train_pairs,
        options=pair_options(config),
        **sample_order(config),
    )

    validation = Validation(task, Tiles(val_pairs, data.context_px), config.micro_batch_size, workdir / PICTURES)
    experiment = Experiment(
        task=task,
        batches=lambda step: batches(source, step, data.workers),
        scenes_of=source.scenes_of_step,
        prepare=prepare_pairs,
        evaluate=validation,
        rank_by=tuple(config.keep),
        record={"task": config.task, "model": json_fields(model_fields(config)), "config": to_plain(config)},
        initial_params=lambda fresh: initial_params(config, fresh),
        facts={
            "training": f"{len(train_pairs)} scenes, {data.samples_per_epoch:,} crops of {data.context_px} px an epoch",
            "validation": f"{len(val_pairs)} scenes, {len(validation)} tiles",
        },
        pictures=validation.pictures,
    )
    return train(config, workdir, experiment)


def open_pairs(config: Any, cache: Path) -> tuple[PairStore, PairStore]:
    """The scenes of training and validation with their optical images, decoded into files in the folder `cache`."""
    data = config.data
    looks = data.get("looks", 1)  # which the configuration of an older workdir does not have
    optical: ImageFile | None = None
    glaciers: list[str] = []
    if config.task != "simmim":
        images = open_optical(data.dir, data.optical_name)
        glaciers = images.glaciers()
        averaged = (average_looks(image, looks) for image in images.images())
        optical = _shared_file(averaged, cache / "optical.bin", len(images), "decoding optical images")
    pairs = []
    for split in (data.train_split, data.val_split):
        scenes = open_unlabelled(data.dir, split, data.name)
        averaged = (average_looks(image, looks) for image in scenes.images())
        sar = _shared_file(averaged, cache / f"{split}.bin", len(scenes), f"decoding {split} scenes")
        pairs.append(pair_up(scenes.ids(), sar, optical, glaciers))
    return pairs[0], pairs[1]


def _shared_file(images: Iterator[np.ndarray], path: Path, total: int, label: str) -> ImageFile:
    """The decoded images in one file, which the first of several processes writes for all."""
    planes = processes.from_first(lambda: write_images(images, path, total, label).planes)
    return ImageFile(path, tuple(Plane(offset, tuple(shape)) for offset, shape in planes))


class Validation:
    """Mean loss over all tiles, and pictures of some of them (in `folder`, those of the last validation).

    Which patches of a tile are hidden depends on the tile's number alone, so that epochs and runs compare.
    """

    def __init__(self, task: OptSimMIM | OptTranslator, tiles: Tiles, batch_size: int, folder: Path):
        self._tiles, self._batch_size, self._folder = tiles, batch_size, folder
        self._places = tiles.places()
        self._pictured = np.unique(np.linspace(0, len(self._places) - 1, NUM_PICTURES + 2).astype(int)[1:-1])
        self._shown: dict[str, np.ndarray] = {}

        def one(
            params: dict, tile: Mapping[str, jax.Array], number: jax.Array
        ) -> tuple[jax.Array, jax.Array, jax.Array]:
            batch = jax.tree.map(lambda x: x[None], tile)
            loss, predicted, mask = task.reconstruct(params, batch, jax.random.key(number))
            return loss, predicted[0], mask[0]

        @jax.jit
        def run(params: dict, batch: Mapping[str, jax.Array], numbers: jax.Array) -> tuple[jax.Array, ...]:
            prepared = prepare_pairs(batch)
            return task.target(prepared), *jax.vmap(one, (None, 0, 0))(params, prepared, numbers)

        self._run = run

    def __len__(self) -> int:
        return len(self._places)

    def __call__(self, params: dict) -> dict[str, float | None]:
        on_device = jax.device_put(params, jax.local_devices()[0])
        starts = range(0, len(self._places), self._batch_size)
        own = starts[jax.process_index() :: jax.process_count()]
        losses = []
        for start in track(own, len(own), "validation"):
            numbers = np.arange(start, start + self._batch_size)
            batch = self._read(numbers)
            target, found, predicted, mask = self._run(on_device, batch, numbers)
            losses.append((start, np.asarray(found)[numbers < len(self._places)].tolist()))
            for i in np.flatnonzero(np.isin(numbers, self._pictured)):
                self._draw(int(numbers[i]), batch["sar"][i], *(np.asarray(x[i]) for x in (target, predicted, mask)))
        # In the order of the tiles, so that the sum is the same however many processes share them.
        everyone = sorted(pair for part in processes.gather(losses) for pair in part)
        total = math.fsum(loss for _, batch in everyone for loss in batch)
        return {"loss": total / len(self._places)}

    def pictures(self) -> dict[str, np.ndarray]:
        """Some tiles as of the last call."""
        return self._shown

    def _read(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Tiles by number, beyond the last one the last one again: batches of one size are compiled once."""
        tiles = [self._tiles.read(self._places[min(number, len(self) - 1)]) for number in numbers]
        return {key: np.stack([tile[key] for tile in tiles]) for key in tiles[0]}

    def _draw(self, number: int, sar: np.ndarray, *parts: np.ndarray) -> None:
        index, top, left = self._places[number]
        name = f"{self._tiles.store.names[index]}_{top}_{left}"
        self._shown[name] = panels(sar / np.float32(UINT8_MAX), *parts)
        write_png(self._folder / f"{name}.png", self._shown[name])
