"""Settings of a training: all fields of `--config`, with defaults as published (Gourmelon et al. 2025, section III).

`FineTuning` and `Pretraining` are what a configuration file describes; the other classes are their sections.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from glacierjax.core import choices
from glacierjax.core.errors import InputError
from glacierjax.core.settings.fields import Settings, interval, probability, setting
from glacierjax.core.settings.network import PATCH_PX, ModelSettings


@dataclasses.dataclass(frozen=True)
class InitSettings(Settings):
    """What the network starts from."""

    SECTION: ClassVar[str] = "init"

    checkpoint: str = setting("", is_path=True)  # workdir or checkpoint whose encoder and decoder are taken; "": none
    which: str = setting("best_iou", choices=choices.WHICH)  # checkpoint of a workdir


@dataclasses.dataclass(frozen=True)
class OptimizerSettings(Settings):
    SECTION: ClassVar[str] = "optimizer"

    name: str = setting("sgd", choices=choices.OPTIMIZERS)
    learning_rate: float = setting(0.01, at_least=0)
    weight_decay: float = setting(1e-4, at_least=0)
    average_decay: float = setting(0.0, at_least=0, at_most=1)  # above 0: a running mean of the parameters is kept


@dataclasses.dataclass(frozen=True)
class ScheduleSettings(Settings):
    """How the learning rate changes."""

    SECTION: ClassVar[str] = "schedule"

    name: str = setting("constant", choices=choices.SCHEDULES)
    warmup_epochs: float = setting(0.0, at_least=0)  # of the cosine
    factor: float = setting(0.5, at_least=0, at_most=1)  # of the plateau: times so much ...
    patience: int = setting(5, at_least=0)  # ... after more epochs than these without a lower validation loss


@dataclasses.dataclass(frozen=True)
class ValidationSettings(Settings):
    SECTION: ClassVar[str] = "validation"

    mode: str = setting("tiled", choices=choices.MODES)  # how the network goes over a scene


@dataclasses.dataclass(frozen=True)
class MaskSettings(Settings):
    """Hidden patches, of `optsimmim` and `simmim`."""

    SECTION: ClassVar[str] = "mask"

    ratio: float = 0.3  # share of hidden patches
    unit_px: int = setting(PATCH_PX, at_least=PATCH_PX)  # they are hidden in squares of this side

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.ratio < 1:
            raise InputError(f"--config.mask.ratio={self.ratio}: choose a share between 0 and 1")


@dataclasses.dataclass(frozen=True)
class DataSettings(Settings):
    """Prepared data, and the crops that are cut from it."""

    SECTION: ClassVar[str] = "data"

    dir: str = setting("", is_path=True, may_change=True)  # what the build command was given as --data_dir
    name: str = "caffe"
    train_split: str = "train"
    val_split: str = "val"
    samples_per_epoch: int = setting(40_000, at_least=1)
    context_px: int = setting(512, at_least=1)  # side of a crop; in fine-tuning the target is its central half
    # How scenes are padded before crops are drawn: official: to multiples of a crop; clean: only to a crop's size.
    padding: str = setting(choices.OFFICIAL, choices=choices.PROTOCOLS)
    workers: int = setting(
        4, at_least=0, may_change=True
    )  # processes that cut crops; 0: threads of the training process
    # Folder for decoded scenes, which are read at every step; "": the folder `cache` of the workdir.
    cache: str = setting("", is_path=True, may_change=True)


@dataclasses.dataclass(frozen=True)
class LabelledDataSettings(DataSettings):
    """Labelled scenes, for fine-tuning."""

    train_scenes: int = setting(
        0, at_least=0
    )  # above 0: use only this number of training scenes, evenly spread over their names
    # Above 0: scenes are averaged over squares of pixels to about this spacing; the output of the network is interpolated
    # back to the pixels of the scene.
    pixel_spacing_m: float = setting(0.0, at_least=0)
    keep_validation_in_memory: bool = False


@dataclasses.dataclass(frozen=True)
class PairDataSettings(DataSettings):
    """SAR scenes without labels and the optical image of each glacier, for pretraining."""

    name: str = "ssl4sar/sar"
    samples_per_epoch: int = setting(76_496, at_least=1)
    workers: int = setting(2, at_least=0, may_change=True)
    optical_name: str = "ssl4sar/optical"
    looks: int = setting(1, at_least=1)  # above 1: both sensors are averaged over squares of this side in pixels


@dataclasses.dataclass(frozen=True)
class AugmentSettings(Settings):
    """Augmentation of labelled crops; a range is (low, high) of a uniform draw."""

    SECTION: ClassVar[str] = "augment"

    zoom_probability: float = probability(0.5)
    zoom_range: tuple[float, float] = interval((0.33, 2.83), at_least=0.01)  # side of the cut-out in sides of a crop
    label_resize: str = setting(
        choices.CLEAN, choices=choices.PROTOCOLS
    )  # clean: nearest; official: interpolates class ids
    mix_probability: float = probability(0.3)
    mix_range: tuple[float, float] = interval((0.15, 0.30), at_least=0)
    speckle_probability: float = probability(0.2)
    brightness_probability: float = probability(0.2)
    brightness_range: tuple[float, float] = interval((0.6, 1.4), at_least=0)
    gamma_probability: float = probability(0.2)
    gamma_range: tuple[float, float] = interval((0.7, 1.3), at_least=0)
    left_right_probability: float = probability(0.5)
    up_down_probability: float = probability(0.5)
    rotation_probability: float = probability(0.5)


@dataclasses.dataclass(frozen=True)
class SeriesAugmentSettings(AugmentSettings):
    """Augmentation of series (Dreier et al. 2026): what single crops have, with other probabilities, and more."""

    zoom_probability: float = probability(0.3)
    mix_probability: float = probability(0.1)
    cut_mix_probability: float = probability(0.1)
    erasure_probability: float = probability(0.1)  # of each of two tries a frame
    contrast_probability: float = probability(0.2)
    contrast_range: tuple[float, float] = interval((0.6, 1.4), at_least=0)


@dataclasses.dataclass(frozen=True)
class PairAugmentSettings(Settings):
    """Augmentation of pairs of SAR and optical crops."""

    SECTION: ClassVar[str] = "augment"

    scale_range: tuple[float, float] = interval(
        (0.7, 1.0), at_least=0.01, at_most=1
    )  # side of the square inside a crop
    up_down_probability: float = probability(0.5)


@dataclasses.dataclass(frozen=True)
class RunSettings(Settings):
    """The settings of every training; `FineTuning` and `Pretraining` are the two kinds."""

    task: str = setting(choices.SEGMENTATION, choices=choices.TASKS)
    seed: int = setting(0, at_least=0)
    batch_size: int = setting(128, at_least=1)  # effective: micro_batch_size x devices x accumulated micro-batches
    # Dice sums over a micro-batch, so its size is part of the recipe; 0: the share of each device of the batch.
    micro_batch_size: int = setting(16, at_least=0)
    num_epochs: int = setting(150, at_least=1, may_change=True)
    log_every: int = setting(10, at_least=1, may_change=True)  # steps
    checkpoint_every: int = setting(100, at_least=0, may_change=True)  # steps, beside the end of each epoch; 0: never
    keep: tuple[str, ...] = setting((), choices=choices.BEST, may_change=True)  # checkpoints to keep besides the last
    # Number of steps with a non-finite loss or gradient that are skipped; the next one stops the run.
    skip_nonfinite: int = setting(0, at_least=0, may_change=True)
    early_stop_epochs: int = setting(
        0, at_least=0
    )  # the run ends after this number without a lower validation loss; 0: never
    parallel: str = setting("pmap", choices=choices.PARALLEL, may_change=True)
    profile_steps: int = setting(0, at_least=0, may_change=True)  # number of steps of each start in the JAX profile
    model: ModelSettings = dataclasses.field(default_factory=ModelSettings)
    init: InitSettings = InitSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    data: DataSettings = DataSettings()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps_per_epoch == 0:
            raise InputError(
                f"--config.data.samples_per_epoch={self.data.samples_per_epoch} is smaller than --config.batch_size="
                f"{self.batch_size}; an epoch needs at least one batch"
            )

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of an epoch; a rest smaller than a batch is left out."""
        return self.data.samples_per_epoch // self.batch_size

    def _check_crop_size(self) -> None:
        multiple = self.model.network().size_multiple
        if self.data.context_px % multiple:
            raise InputError(f"--config.data.context_px={self.data.context_px}: choose a multiple of {multiple}")

    def _check_tasks(self, tasks: tuple[str, ...]) -> None:
        if self.task not in tasks:
            raise InputError(f"--config.task={self.task}: choose one of {', '.join(tasks)} with this configuration")


@dataclasses.dataclass(frozen=True)
class FineTuning(RunSettings):
    """Training of the segmentation network on labelled scenes."""

    keep: tuple[str, ...] = setting(("best_iou", "best_mde"), choices=("best_iou", "best_mde"), may_change=True)
    data: LabelledDataSettings = LabelledDataSettings()
    augment: AugmentSettings = AugmentSettings()
    validation: ValidationSettings = ValidationSettings()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_tasks((choices.SEGMENTATION,))
        self._check_crop_size()
        for field, watches in (
            ("schedule.name=plateau", self.schedule.name == "plateau"),
            (f"early_stop_epochs={self.early_stop_epochs}", self.early_stop_epochs > 0),
        ):
            if watches:
                raise InputError(f"--config.{field}: fine-tuning validates without a loss to watch; leave it out")


@dataclasses.dataclass(frozen=True)
class Pretraining(RunSettings):
    """Training on unlabelled scenes; the defaults are those of OptSimMIM."""

    task: str = setting("optsimmim", choices=choices.TASKS)
    batch_size: int = setting(32, at_least=1)
    micro_batch_size: int = setting(32, at_least=0)
    num_epochs: int = setting(1000, at_least=1, may_change=True)
    keep: tuple[str, ...] = setting(("best_loss",), choices=("best_loss",), may_change=True)
    optimizer: OptimizerSettings = OptimizerSettings(learning_rate=0.001)
    schedule: ScheduleSettings = ScheduleSettings(name="plateau")
    data: PairDataSettings = PairDataSettings()
    augment: PairAugmentSettings = PairAugmentSettings()
    mask: MaskSettings = MaskSettings()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_tasks(choices.PRETRAINING_TASKS)
        self._check_crop_size()
        unit_px, half_px = self.mask.unit_px, self.data.context_px // 2
        if unit_px % PATCH_PX or unit_px > half_px:
            raise InputError(f"--config.mask.unit_px={unit_px}: choose a multiple of {PATCH_PX} up to {half_px}")


def settings_from_json(values: Mapping[str, Any]) -> FineTuning | Pretraining:
    """The settings of a training, of the kind that its `task` needs. Raises `InputError` naming what is wrong."""
    kind = Pretraining if values.get("task") in choices.PRETRAINING_TASKS else FineTuning
    return kind.from_json(values)
