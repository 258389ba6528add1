"""Fine-tuning on labelled scenes: connects data, network and validation on whole scenes with the training loop."""

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped, UInt8

from glacierjax.checkpoints.record import record_of
from glacierjax.core.channels import TITLES, priors_of
from glacierjax.core.choices import GEOREFERENCE
from glacierjax.core.errors import InputError
from glacierjax.core.grey import CAFFE_GREY, GREY_MAX, RECORD_KEY, ranges_of
from glacierjax.core.json_values import Json
from glacierjax.core.settings import FineTuning, SeriesDataSettings, SeriesFineTuning
from glacierjax.core.spacing import looks_for
from glacierjax.core.zones import UNKNOWN_ID, Zone
from glacierjax.data.crops import CropSource
from glacierjax.data.image_file import ImageFile, Plane, write_images
from glacierjax.data.labelled_scenes import LabelledScenes, planes_of, planes_per_scene
from glacierjax.data.pipeline import batches
from glacierjax.data.samples import SampleSource
from glacierjax.data.series_crops import SeriesSource
from glacierjax.datasets.caffe.prepared import SceneSplit, open_split
from glacierjax.datasets.series import of_one_day, short_glaciers
from glacierjax.evaluation.run import Scenes
from glacierjax.geo.georeference import georeference_of_bounds
from glacierjax.geo.registration import Footprint, MapRegistration
from glacierjax.model import SeriesTyrion, Tyrion, build
from glacierjax.recipes.initial_weights import initial_params
from glacierjax.recipes.order import sample_order
from glacierjax.recipes.validation import SeriesValidation, Validation
from glacierjax.recipes.workdir import cache_folder, write_or_check_data
from glacierjax.tasks import Segmentation, SegmentationSeries
from glacierjax.training import processes
from glacierjax.training.logs import Pictures
from glacierjax.training.loop import Experiment, SharedStep, Summary, train
from glacierjax.training.step import Task

log = logging.getLogger(__name__)


def prepare(batch: Mapping[str, Shaped[Array, "batch ..."]]) -> dict[str, Shaped[Array, "..."]]:
    """Converts a micro-batch as read for the task: image in [0, 1], zones, and which pixels are labelled; days as they are."""
    labelled = batch["labels"] != UNKNOWN_ID
    return {
        "image": batch["image"].astype(jnp.float32) / GREY_MAX,
        "zones": jnp.where(labelled, batch["labels"], Zone.NA).astype(jnp.int32),
        "valid": labelled,
        **{name: batch[name] for name in batch if name not in ("image", "labels")},
    }


def finetune(settings: FineTuning, workdir: Path) -> Summary:
    """Trains the segmentation network of these settings in `workdir`; returns the summary."""
    data = settings.data
    train_scenes = open_split(data.dir, data.train_split, data.name)
    if data.train_scenes:
        train_scenes = train_scenes.spread(data.train_scenes)
    val_scenes = open_split(data.dir, data.val_split, data.name)
    digests = {data.train_split: train_scenes.digest, data.val_split: val_scenes.digest}
    write_or_check_data(workdir, digests, processes.is_first())
    check_priors(train_scenes, settings.model.channels)
    scenes = decoded(settings, workdir, train_scenes)
    network, order = settings.model.network(), sample_order(settings)
    if isinstance(settings, SeriesFineTuning):
        task = SegmentationSeries(build(network, SeriesTyrion))
        register = register_by_map(train_scenes, settings.data) if settings.data.registration == GEOREFERENCE else None
        source = SeriesSource(scenes, settings.data, settings.augment, **order, register=register)
        validation = SeriesValidation(settings, task.model, val_scenes)
        for split, names in (("train", scenes.names), ("val", val_scenes.names)):
            _note_peculiarities(split, names, settings.data.frames)
    else:
        task = Segmentation(build(network, Tyrion))
        source = CropSource(scenes, data, settings.augment, **order)
        validation = Validation(settings, task.model, val_scenes)
    return fit(settings, workdir, scenes, task, source, validation)


def decoded(settings: FineTuning, workdir: Path, scenes: Scenes) -> LabelledScenes:
    """The scenes as crops are cut from them, in the cache of the run."""
    channels = settings.model.channels
    planes = planes_of(scenes, settings.data.pixel_spacing_m, channels)
    total = planes_per_scene(channels) * len(scenes)
    file = shared_file(planes, cache_folder(settings, workdir) / "train.bin", total, "decoding scenes")
    return LabelledScenes(tuple(scenes.names), file, channels)


class Scores(Protocol):
    """A validation of parameters, its number of scenes, and its pictures; `watched`: see `Experiment`."""

    @property
    def watched(self) -> str: ...

    def __len__(self) -> int: ...

    def __call__(self, params: dict) -> Mapping[str, float | None]: ...

    def pictures(self) -> Pictures: ...


def fit(
    settings: FineTuning,
    workdir: Path,
    scenes: LabelledScenes,
    task: Task,
    source: SampleSource,
    validation: Scores,
    origin: Json | None = None,
    step: SharedStep | None = None,
) -> Summary:
    """Trains on samples of these scenes. `origin`: what else the record of the checkpoints says; `step`: see `Experiment`."""
    data = settings.data
    grey = dataclasses.replace(CAFFE_GREY, ranges=ranges_of(map(scenes.grey, range(len(scenes)))))
    shown = "crops" if settings.images_per_sample == 1 else f"series of {settings.images_per_sample} crops"

    experiment = Experiment(
        task=task,
        batches=lambda step: batches(source, step, data.workers),
        scenes_of=source.scenes_of_step,
        prepare=prepare,
        evaluate=validation,
        rank_by=settings.keep,
        record={**record_of(settings, workdir), RECORD_KEY: dataclasses.asdict(grey), **(origin or {})},
        initial_params=lambda shapes: initial_params(settings.init, shapes, workdir, settings.model.channels),
        watched=validation.watched,
        step=step or SharedStep(),
        facts={
            "training": f"{len(scenes)} scenes, {data.samples_per_epoch:,} {shown} of {data.context_px} px per epoch",
            "validation": f"{len(validation)} scenes ({settings.validation.mode})",
        },
        pictures=validation.pictures,
    )
    return train(settings, workdir, experiment)


def register_by_map(scenes: SceneSplit, data: SeriesDataSettings) -> MapRegistration:
    """Where the frames of samples lie on the map, at the pixel spacing of the training.

    Raises `InputError` naming a scene whose data set does not tell where it lies.
    """
    found = []
    for scene, place in zip(scenes.ids, scenes.places, strict=True):
        if place is None:
            raise InputError(
                f"{data.dir}: no map bounds of {scene.name}, which `config.data.registration`=georeference needs; put "
                "meta_data.csv beside the archive and build it again"
            )
        bounds, shape = place
        footprint = Footprint(georeference_of_bounds(bounds, shape), shape)
        found.append(footprint.averaged(looks_for(scene.pixel_spacing_m, data.pixel_spacing_m)))
    return MapRegistration(tuple(found))


def _note_peculiarities(split: str, names: Sequence[str], frames: int) -> None:
    """Logs which glaciers have too few scenes for a series of different ones, and scenes of one day."""
    if shared := of_one_day(names):
        log.warning(
            "%s: %d scenes share glacier and day with another (%s, ...); in a series they stand in the order of their names",
            split,
            len(shared),
            shared[0],
        )
    for glacier, count in short_glaciers(names, frames).items():
        log.warning(
            "%s: %d %s of %s for series of %d, so scenes are repeated",
            split,
            count,
            "scene" if count == 1 else "scenes",
            glacier,
            frames,
        )


def check_priors(scenes: SceneSplit, channels: Sequence[str]) -> None:
    """Logs how many scenes have what the input channels show beside grey. Raises `InputError` if none has."""
    for name in priors_of(channels):
        there = sum(name in found for found in scenes.priors)
        if not there:
            raise InputError(
                f"{scenes.where(0)}: no scene has {TITLES[name]}, which `config.model.channels`={','.join(channels)} names; "
                f"label the scenes with --{name}, or leave it out"
            )
        if there < len(scenes):
            log.warning(
                "%d of %d training scenes have %s; in the others the channel is 0", there, len(scenes), TITLES[name]
            )


def shared_file(
    images: Iterable[UInt8[np.ndarray, "height width *bands"]], path: Path, total: int, label: str
) -> ImageFile:
    """The decoded images in one file; the first of several processes writes it for all.

    Raises `InputError` in a process that does not see the file.
    """
    planes = processes.from_first(lambda: write_images(images, path, total, label).planes)
    if not path.exists():
        raise InputError(
            f"{path}: written by the first process, but not there for this one; name a folder that all machines share in "
            "`config.data.cache`, and the same `workdir`"
        )
    return ImageFile(path, tuple(Plane(offset, tuple(shape)) for offset, shape in planes))
