"""Settings of a training: all fields of `--config`, with defaults as published (Gourmelon et al. 2025, section III).

`FineTuning`, `SeriesFineTuning` and `Pretraining` are what a configuration file describes; the other classes are their sections.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from glacierjax.core import choices
from glacierjax.core.channels import priors_of
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
    # ... after more epochs than these without a better validation: the loss of a pretraining, the MDE of a fine-tuning.
    patience: int = setting(5, at_least=0)


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
class SeriesDataSettings(LabelledDataSettings):
    """Series of labelled scenes."""

    samples_per_epoch: int = setting(5_000, at_least=1)
    frames: int = setting(8, at_least=1)  # scenes of a series, the same for training, validation and prediction
    # How frames of unlike size are brought together: official: a scaled frame is now and then one pixel late.
    frame_scaling: str = setting(choices.CLEAN, choices=choices.PROTOCOLS)


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
    # Each rock mask or summer scene in the input channels is left out of a crop with this probability, as where there is none.
    missing_probability: float = probability(0.25)


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
    """The settings of every training; `FineTuning` (or `SeriesFineTuning`) and `Pretraining` are the kinds."""

    TASKS: ClassVar[tuple[str, ...]] = choices.TASKS  # of this kind of training
    WATCHED: ClassVar[str] = "loss"  # figure of the validation that plateau and early stop look at; lower is better

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
    # The run ends after this number of epochs without a better validation (loss or MDE, as the plateau); 0: never.
    early_stop_epochs: int = setting(0, at_least=0)
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
        if self.task not in self.TASKS:
            raise InputError(
                f"--config.task={self.task}: choose one of {', '.join(self.TASKS)} with this configuration"
            )
        multiple = self.model.network().size_multiple
        if self.data.context_px % multiple:
            raise InputError(f"--config.data.context_px={self.data.context_px}: choose a multiple of {multiple}")
        if self.model.temporal != choices.ALONE and self.task != choices.SERIES:
            raise InputError(
                f"--config.model.temporal={self.model.temporal}: single images exchange nothing; choose {choices.ALONE}, "
                "or train with --config=configs/finetune_series.py"
            )

        priors = priors_of(self.model.channels)
        if priors and self.task != choices.SEGMENTATION:
            raise InputError(
                f"--config.model.channels={','.join(self.model.channels)}: the task {self.task} takes no {' or '.join(priors)}; "
                "leave it out (a network for series takes summer scenes as frames)"
            )

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of an epoch; a rest smaller than a batch is left out."""
        return self.data.samples_per_epoch // self.batch_size

    @property
    def images_per_sample(self) -> int:
        """Scenes that one sample shows."""
        return 1


@dataclasses.dataclass(frozen=True)
class FineTuning(RunSettings):
    """Training of the segmentation network on labelled scenes."""

    TASKS = (choices.SEGMENTATION,)
    WATCHED = "mde_m"

    keep: tuple[str, ...] = setting(("best_iou", "best_mde"), choices=("best_iou", "best_mde"), may_change=True)
    data: LabelledDataSettings = LabelledDataSettings()
    augment: AugmentSettings = AugmentSettings()
    validation: ValidationSettings = ValidationSettings()


@dataclasses.dataclass(frozen=True)
class SeriesFineTuning(FineTuning):
    """Training of the segmentation network on series of labelled scenes, as published (Dreier et al. 2026).

    The published code ends an epoch with a step of the 8 samples that are left, which counts a sixteenth of the others;
    here they are left out.
    """

    TASKS = (choices.SERIES,)

    task: str = setting(choices.SERIES, choices=choices.TASKS)
    # Every sample has a loss of its own, whatever the micro-batch.
    micro_batch_size: int = setting(1, at_least=0)
    num_epochs: int = setting(80, at_least=1, may_change=True)
    model: ModelSettings = dataclasses.field(default_factory=lambda: ModelSettings(narrow_decoder=True, temporal="gru"))
    schedule: ScheduleSettings = ScheduleSettings(name="plateau", factor=0.66, patience=10)
    data: SeriesDataSettings = SeriesDataSettings()
    augment: SeriesAugmentSettings = SeriesAugmentSettings()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data.frames < 2 and self.model.temporal != choices.ALONE:
            raise InputError(
                f"--config.data.frames={self.data.frames}: --config.model.temporal={self.model.temporal} needs two frames "
                "or more"
            )
        if self.validation.mode != "tiled":
            raise InputError(f"--config.validation.mode={self.validation.mode}: series are validated in the mode tiled")

    @property
    def images_per_sample(self) -> int:
        return self.data.frames


@dataclasses.dataclass(frozen=True)
class Pretraining(RunSettings):
    """Training on unlabelled scenes; the defaults are those of OptSimMIM."""

    TASKS = choices.PRETRAINING_TASKS

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
        unit_px, half_px = self.mask.unit_px, self.data.context_px // 2
        if unit_px % PATCH_PX or unit_px > half_px:
            raise InputError(f"--config.mask.unit_px={unit_px}: choose a multiple of {PATCH_PX} up to {half_px}")


def settings_from_json(values: Mapping[str, Any]) -> FineTuning | Pretraining:
    """The settings of a training, of the kind that its `task` needs. Raises `InputError` naming what is wrong."""
    task = values.get("task")
    kind = next((kind for kind in (Pretraining, SeriesFineTuning) if task in kind.TASKS), FineTuning)
    return kind.from_json(values)
