"""Settings of a training: what a configuration file describes, with defaults as published.

`FineTuning` (Gourmelon et al. 2025), `SeriesFineTuning` (Dreier et al. 2026) and `Pretraining` are the kinds; their sections are
in sections.py and network.py, where the text below a field is explained too.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from glacierjax.core import choices
from glacierjax.core.channels import priors_of
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.settings.fields import Settings, section, setting
from glacierjax.core.settings.network import PATCH_PX, ModelSettings
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


@dataclasses.dataclass(frozen=True)
class RunSettings(Settings):
    """The settings of every training; `FineTuning` (or `SeriesFineTuning`) and `Pretraining` are the kinds."""

    TASKS: ClassVar[tuple[str, ...]] = choices.TASKS  # of this kind of training

    task: str = setting(choices.SEGMENTATION, choices=choices.TASKS)
    """What the network is trained for."""
    seed: int = setting(0, at_least=0)
    """Seed of all random numbers."""
    batch_size: int = setting(128, at_least=1)
    """[crops] Crops of an optimiser step: micro_batch_size x devices x accumulated micro-batches."""
    micro_batch_size: int = setting(16, at_least=0)
    """[crops] Crops that a device takes at once. Dice sums over them, so their number is part of the recipe. 0: each
    device's share of the batch."""
    num_epochs: int = setting(150, at_least=1, may_change=True)
    """[epochs] Length of the training."""
    log_every: int = setting(10, at_least=1, may_change=True)
    """[steps] A line of the log is written every this many steps."""
    checkpoint_every: int = setting(100, at_least=0, may_change=True)
    """[steps] The state is saved every this many steps and at the end of each epoch. 0: only at the end of each epoch."""
    keep: tuple[str, ...] = setting((), choices=choices.BEST, may_change=True)
    """Checkpoints that are kept besides the last one."""
    skip_nonfinite: int = setting(0, at_least=0, may_change=True)
    """[steps] A step whose loss or gradient is not finite is skipped, up to this many times. The next one stops the run."""
    early_stop_epochs: int = setting(0, at_least=0)
    """[epochs] The run ends after this number of epochs without a better validation (as `schedule.patience`). 0: never."""
    parallel: str = setting("pmap", choices=choices.PARALLEL, may_change=True)
    """How the step is run on several devices. Both give the same numbers."""
    profile_steps: int = setting(0, at_least=0, may_change=True)
    """[steps] Length of the JAX profile that each start writes, after its first two steps. 0: none."""
    model: ModelSettings = section(ModelSettings)
    init: InitSettings = section(InitSettings)
    optimizer: OptimizerSettings = section(OptimizerSettings)
    schedule: ScheduleSettings = section(ScheduleSettings)
    data: DataSettings = section(DataSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps_per_epoch == 0:
            raise InputError(
                f"`config.data.samples_per_epoch`={self.data.samples_per_epoch} is smaller than `config.batch_size`="
                f"{self.batch_size}; an epoch needs at least one batch"
            )
        if self.task not in self.TASKS:
            raise ArgumentError(
                "config.task", self.task, f"choose one of {', '.join(self.TASKS)} with this configuration"
            )
        multiple = self.model.network().size_multiple
        if self.data.context_px % multiple:
            raise ArgumentError("config.data.context_px", self.data.context_px, f"choose a multiple of {multiple}")
        if self.model.temporal != choices.ALONE and self.task != choices.SERIES:
            raise ArgumentError(
                "config.model.temporal",
                self.model.temporal,
                f"single images exchange nothing; choose {choices.ALONE}, "
                "or train with `config`=configs/finetune_series.py",
            )

        priors = priors_of(self.model.channels)
        if priors and self.task != choices.SEGMENTATION:
            raise ArgumentError(
                "config.model.channels",
                ",".join(self.model.channels),
                f"the task {self.task} takes no {' or '.join(priors)}; "
                "leave it out (a network for series takes summer scenes as frames)",
            )

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of an epoch; a rest smaller than a batch is shown by the first step of the next."""
        return self.data.samples_per_epoch // self.batch_size

    @property
    def images_per_sample(self) -> int:
        """Scenes that one sample shows."""
        return 1


@dataclasses.dataclass(frozen=True)
class FineTuning(RunSettings):
    """Training of the segmentation network on labelled scenes."""

    TASKS = (choices.SEGMENTATION,)

    keep: tuple[str, ...] = setting(("best_iou", "best_mde"), choices=("best_iou", "best_mde"), may_change=True)
    data: LabelledDataSettings = section(LabelledDataSettings)
    augment: AugmentSettings = section(AugmentSettings)
    validation: ValidationSettings = section(ValidationSettings)


@dataclasses.dataclass(frozen=True)
class SeriesFineTuning(FineTuning):
    """Training of the segmentation network on series of labelled scenes, as published (Dreier et al. 2026).

    The published code ends an epoch with a step of the 8 samples that are left, which counts a sixteenth of the others;
    here the next epoch begins with them.
    """

    TASKS = (choices.SERIES,)

    task: str = setting(choices.SERIES, choices=choices.TASKS)
    # Every sample has a loss of its own, whatever the micro-batch.
    micro_batch_size: int = setting(1, at_least=0)
    num_epochs: int = setting(80, at_least=1, may_change=True)
    model: ModelSettings = section(ModelSettings, narrow_decoder=True, temporal=choices.RECURRENCE)
    schedule: ScheduleSettings = section(ScheduleSettings, name="plateau", factor=0.66, patience=10)
    data: SeriesDataSettings = section(SeriesDataSettings)
    augment: SeriesAugmentSettings = section(SeriesAugmentSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data.frames < 2 and self.model.temporal != choices.ALONE:
            raise ArgumentError(
                "config.data.frames",
                self.data.frames,
                f"`config.model.temporal`={self.model.temporal} needs two frames or more",
            )
        if self.validation.mode != "tiled":
            raise ArgumentError(
                "config.validation.mode", self.validation.mode, "series are validated in the mode tiled"
            )

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
    optimizer: OptimizerSettings = section(OptimizerSettings, learning_rate=0.001)
    schedule: ScheduleSettings = section(ScheduleSettings, name="plateau")
    data: PairDataSettings = section(PairDataSettings)
    augment: PairAugmentSettings = section(PairAugmentSettings)
    mask: MaskSettings = section(MaskSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.optimizer.trained in (choices.DECODER, choices.HEAD):
            raise ArgumentError(
                "config.optimizer.trained",
                self.optimizer.trained,
                f"a pretraining has a head of its own, which must learn; choose {choices.ALL} or {choices.NORMS}",
            )
        for field in ("head", "zero_head"):
            if getattr(self.init, field):
                raise ArgumentError(
                    f"config.init.{field}", True, "a pretraining has no such head; leave it out, or fine-tune"
                )
        unit_px, half_px = self.mask.unit_px, self.data.context_px // 2
        if unit_px % PATCH_PX or unit_px > half_px:
            raise ArgumentError("config.mask.unit_px", unit_px, f"choose a multiple of {PATCH_PX} up to {half_px}")
        if self.task == "opttranslator" and self.mask != MaskSettings():
            raise InputError(
                "`config.mask`: opttranslator hides no patches; leave it out, or choose another `config.task`"
            )


def settings_from_json(values: Mapping[str, Any]) -> FineTuning | Pretraining:
    """The settings of a training, of the kind that its `task` needs. Raises `InputError` naming what is wrong."""
    task = values.get("task")
    kind = next((kind for kind in (Pretraining, SeriesFineTuning) if task in kind.TASKS), FineTuning)
    return kind.from_json(values)
