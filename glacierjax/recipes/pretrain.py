"""Pretraining without labels: connects pairs of SAR and optical crops, task and validation on tiles with the training loop."""

import math
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped, UInt8

from glacierjax.checkpoints.record import record_of
from glacierjax.core.files import write_png
from glacierjax.core.progress import track
from glacierjax.core.settings import Pretraining
from glacierjax.core.spacing import average_looks
from glacierjax.data.image_file import ImageFile
from glacierjax.data.pairs import PairSource, Tiles
from glacierjax.data.pipeline import batches
from glacierjax.data.samples import Sample
from glacierjax.data.scene_pairs import ScenePairs, pair_up
from glacierjax.datasets.ssl4sar.optical import UINT8_MAX
from glacierjax.datasets.ssl4sar.prepared import open_optical, open_unlabelled
from glacierjax.model import build, flax_fields
from glacierjax.model.pretraining import OptSimMIMNetwork, OptTranslatorNetwork
from glacierjax.recipes.finetune import shared_file
from glacierjax.recipes.initial_weights import initial_params
from glacierjax.recipes.order import sample_order
from glacierjax.recipes.workdir import cache_folder, write_or_check_data
from glacierjax.reports.pretraining import panels
from glacierjax.tasks import OptSimMIM, OptTranslator, SimMIM
from glacierjax.tasks.resampling import prepare_pairs
from glacierjax.training import processes
from glacierjax.training.logs import Pictures
from glacierjax.training.loop import Experiment, Summary, train

PICTURES = "pictures"  # folder of the workdir
NUM_PICTURES = 3


def pretraining_task(settings: Pretraining) -> OptSimMIM | OptTranslator:
    """The task that the settings name, with its network."""
    network, mask = settings.model.network(), settings.mask
    if settings.task == "opttranslator":
        return OptTranslator(build(network, OptTranslatorNetwork))
    if settings.task == "simmim":
        return SimMIM(OptSimMIMNetwork(**flax_fields(network), bands=1), mask.ratio, mask.unit_px)
    return OptSimMIM(build(network, OptSimMIMNetwork), mask.ratio, mask.unit_px)


def pretrain(settings: Pretraining, workdir: Path) -> Summary:
    """Trains the pretraining network of these settings in `workdir`; returns the summary."""
    data = settings.data
    task = pretraining_task(settings)
    train_pairs, val_pairs = open_pairs(settings, workdir)
    source = PairSource(train_pairs, data, settings.augment, **sample_order(settings))
    validation = Validation(task, Tiles(val_pairs, data.context_px), settings.micro_batch_size, workdir / PICTURES)
    experiment = Experiment(
        task=task,
        batches=lambda step: batches(source, step, data.workers),
        scenes_of=source.scenes_of_step,
        prepare=prepare_pairs,
        evaluate=validation,
        rank_by=settings.keep,
        record=record_of(settings, workdir),
        initial_params=lambda shapes: initial_params(settings.init, shapes, workdir),
        facts={
            "training": f"{len(train_pairs)} scenes, {data.samples_per_epoch:,} crops of {data.context_px} px per epoch",
            "validation": f"{len(val_pairs)} scenes, {len(validation)} tiles",
        },
        pictures=validation.pictures,
    )
    return train(settings, workdir, experiment)


def open_pairs(settings: Pretraining, workdir: Path) -> tuple[ScenePairs, ScenePairs]:
    """Training and validation scenes with their optical images, decoded into files in the cache of the run."""
    data, cache = settings.data, cache_folder(settings, workdir)
    splits = {split: open_unlabelled(data.dir, split, data.name) for split in (data.train_split, data.val_split)}
    images = None if settings.task == "simmim" else open_optical(data.dir, data.optical_name)
    digests = {split: scenes.digest for split, scenes in splits.items()}
    if images is not None:
        digests["optical"] = images.digest
    write_or_check_data(workdir, digests, processes.is_first())

    optical: ImageFile | None = None
    glaciers: list[str] = []
    if images is not None:
        glaciers = images.glaciers()
        averaged = (average_looks(image, data.average_px) for image in images.images())
        optical = shared_file(averaged, cache / "optical.bin", len(images), "decoding optical images")
    pairs = {}
    for split, scenes in splits.items():
        averaged = (average_looks(image, data.average_px) for image in scenes.images())
        sar = shared_file(averaged, cache / f"{split}.bin", len(scenes), f"decoding {split} scenes")
        pairs[split] = pair_up(scenes.ids(), sar, optical, glaciers)
    return pairs[data.train_split], pairs[data.val_split]


class Validation:
    """Computes the mean loss over all tiles and draws some of them (in `folder`, those of the last validation).

    Which patches of a tile are hidden depends on the tile's number alone, so that epochs and runs compare.
    """

    def __init__(self, task: OptSimMIM | OptTranslator, tiles: Tiles, batch_size: int, folder: Path):
        self._tiles, self._batch_size, self._folder = tiles, batch_size, folder
        self._places = tiles.places()
        self._pictured = np.unique(np.linspace(0, len(self._places) - 1, NUM_PICTURES + 2).astype(int)[1:-1])
        self._shown: dict[str, UInt8[np.ndarray, "rows columns 3"]] = {}

        def one(
            params: dict, tile: Mapping[str, jax.Array], number: jax.Array
        ) -> tuple[Float[Array, ""], Float[Array, "side side bands"], Bool[Array, "side side"]]:
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
        # In the order of the tiles, so that the sum does not depend on the number of processes.
        everyone = sorted(pair for part in processes.gather(losses) for pair in part)
        total = math.fsum(loss for _, batch in everyone for loss in batch)
        return {"loss": total / len(self._places)}

    def pictures(self) -> Pictures:
        """Pictures of some tiles of the last validation."""
        return self._shown

    def _read(self, numbers: Int[np.ndarray, " batch"]) -> Sample:
        """Tiles by number; numbers beyond the last repeat the last tile, so that all batches have the same size."""
        tiles = [self._tiles.read(self._places[min(number, len(self) - 1)]) for number in numbers]
        return {key: np.stack([tile[key] for tile in tiles]) for key in tiles[0]}

    def _draw(
        self, number: int, sar: UInt8[np.ndarray, "side side 1"], *parts: Shaped[np.ndarray, "side side *bands"]
    ) -> None:
        index, top, left = self._places[number]
        name = f"{self._tiles.pairs.names[index]}_{top}_{left}"
        self._shown[name] = panels(sar / np.float32(UINT8_MAX), *parts)
        write_png(self._folder / f"{name}.png", self._shown[name])
