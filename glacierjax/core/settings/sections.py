"""Sections of the settings of a training, with defaults as published (Gourmelon et al. 2025, section III).

The section `model` is in network.py. The text below a field says what it means, first its unit in brackets:
`glacierjax train --config=FILE --help` and the documentation print it.
"""

import dataclasses
from typing import ClassVar

from glacierjax.core import choices
from glacierjax.core.errors import ArgumentError
from glacierjax.core.settings.fields import Settings, interval, probability, setting
from glacierjax.core.settings.network import PATCH_PX


@dataclasses.dataclass(frozen=True)
class InitSettings(Settings):
    """What the network starts from."""

    SECTION: ClassVar[str] = "init"

    checkpoint: str = setting("", is_path=True)
    """Workdir or checkpoint whose encoder and decoder the network starts from. Empty: from scratch."""
    which: str = setting("best_iou", choices=choices.WHICH)
    """Which checkpoint of that workdir. Of a pretraining, best_iou means best_loss."""
    head: bool = False
    """The head of that checkpoint is taken too, where its shape fits."""
    zero_head: bool = False
    """A head that is not taken starts at zero. Features of a pretrained decoder can be so large that a random head answers with
    cross-entropies of 30 and more, and the first steps spoil what was learnt."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.which != InitSettings.which and not self.checkpoint:
            raise ArgumentError(
                "config.init.which", self.which, "no checkpoint to choose from; give `config.init.checkpoint` too"
            )
        for field in ("head", "zero_head"):
            if getattr(self, field) and not self.checkpoint:
                raise ArgumentError(
                    f"config.init.{field}", True, "nothing is pretrained; give `config.init.checkpoint` too"
                )


@dataclasses.dataclass(frozen=True)
class OptimizerSettings(Settings):
    """What changes the parameters."""

    SECTION: ClassVar[str] = "optimizer"

    name: str = setting("sgd", choices=choices.OPTIMIZERS)
    """Optimiser."""
    learning_rate: float = setting(0.01, at_least=0)
    """Learning rate, before the schedule."""
    weight_decay: float = setting(1e-4, at_least=0)
    """Weight decay of the optimiser."""
    average_decay: float = setting(0.0, at_least=0, at_most=1)
    """Above 0: a running mean of the parameters with this decay per step is validated and saved too. 0: none."""
    trained: str = setting(choices.TRAINED[0], choices=choices.TRAINED)
    """Which parameters change: all, those of decoder and head, of the head alone, or of the normalisation layers."""


@dataclasses.dataclass(frozen=True)
class ScheduleSettings(Settings):
    """How the learning rate changes."""

    SECTION: ClassVar[str] = "schedule"

    name: str = setting("constant", choices=choices.SCHEDULES)
    """How the learning rate changes."""
    warmup_epochs: float = setting(0.0, at_least=0)
    """[epochs] cosine: linear warm-up at the start."""
    factor: float = setting(0.5, at_least=0, at_most=1)
    """plateau: the learning rate is multiplied by this."""
    patience: int = setting(5, at_least=0)
    """[epochs] plateau: number of epochs in a row without a better validation that are tolerated. Better is a lower loss in
    pretraining, a lower MDE in fine-tuning."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup_epochs and self.name != "cosine":
            raise ArgumentError(
                "config.schedule.warmup_epochs",
                self.warmup_epochs,
                f"the schedule {self.name} has no warm-up; choose 0, or `config.schedule.name`=cosine",
            )


@dataclasses.dataclass(frozen=True)
class ValidationSettings(Settings):
    """How a run is validated."""

    SECTION: ClassVar[str] = "validation"

    mode: str = setting("tiled", choices=choices.MODES)
    """How the network covers a validation scene: the modes of `glacierjax evaluate`."""


@dataclasses.dataclass(frozen=True)
class MaskSettings(Settings):
    """Hidden patches, of `optsimmim` and `simmim`."""

    SECTION: ClassVar[str] = "mask"

    ratio: float = 0.3
    """Share of hidden patches, between 0 and 1."""
    unit_px: int = setting(PATCH_PX, at_least=PATCH_PX)
    """[px] Patches are hidden in squares of this side."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.ratio < 1:
            raise ArgumentError("config.mask.ratio", self.ratio, "choose a share between 0 and 1")


@dataclasses.dataclass(frozen=True)
class DataSettings(Settings):
    """Prepared data, and the crops that are cut from it."""

    SECTION: ClassVar[str] = "data"

    dir: str = setting("", is_path=True, may_change=True)
    """Folder of the prepared data (`--data_dir` of the build command)."""
    name: str = "caffe"
    """Data set in that folder."""
    train_split: str = "train"
    """Split to train on."""
    val_split: str = "val"
    """Split to validate on."""
    samples_per_epoch: int = setting(40_000, at_least=1)
    """[crops] Length of an epoch."""
    context_px: int = setting(512, at_least=1)
    """[px] Side of a crop, which is the input of the network. In fine-tuning the loss has a second term on its central half."""
    padding: str = setting(choices.OFFICIAL, choices=choices.PROTOCOLS)
    """How scenes are padded before crops are drawn. official: to multiples of a crop; clean: only to the size of a crop."""
    workers: int = setting(4, at_least=0, may_change=True)
    """Processes that cut crops. 0: threads of the training process."""
    cache: str = setting("", is_path=True, may_change=True)
    """Folder for decoded scenes, which are read at every step. Empty: the folder `cache` of the workdir."""


@dataclasses.dataclass(frozen=True)
class LabelledDataSettings(DataSettings):
    """Labelled scenes, for fine-tuning."""

    train_scenes: int = setting(0, at_least=0)
    """Number of training scenes to use, evenly spread over their names. 0: all."""
    pixel_spacing_m: float = setting(0.0, at_least=0)
    """[m] Above 0: scenes are averaged over squares of pixels to about this pixel spacing. The output of the network is
    interpolated back to the pixels of the scene. 0: no averaging."""
    keep_validation_in_memory: bool = False
    """Validation scenes stay in memory instead of being read from disk at each validation."""


@dataclasses.dataclass(frozen=True)
class SeriesDataSettings(LabelledDataSettings):
    """Series of labelled scenes."""

    samples_per_epoch: int = setting(5_000, at_least=1)
    frames: int = setting(8, at_least=1)
    """[scenes] Length of a series, the same for training, validation and prediction."""
    frame_scaling: str = setting(choices.CLEAN, choices=choices.PROTOCOLS)
    """How frames of unlike size are brought together. official: a scaled frame is now and then one pixel late."""
    registration: str = setting(choices.SIZE, choices=choices.REGISTRATIONS)
    """How frames are laid over each other: as if all showed the same ground (size), or by their map coordinates."""


@dataclasses.dataclass(frozen=True)
class PairDataSettings(DataSettings):
    """SAR scenes without labels and the optical image of each glacier, for pretraining."""

    name: str = "ssl4sar/sar"
    samples_per_epoch: int = setting(76_496, at_least=1)
    workers: int = setting(2, at_least=0, may_change=True)
    optical_name: str = "ssl4sar/optical"
    """Data set with the optical image of each glacier."""
    average_px: int = setting(1, at_least=1)
    """[px] SAR and optical images are averaged over squares of this side (2: four looks). 1: no averaging."""


@dataclasses.dataclass(frozen=True)
class AugmentSettings(Settings):
    """Augmentation of labelled crops; a range is (low, high) of a uniform draw."""

    SECTION: ClassVar[str] = "augment"

    zoom_probability: float = probability(0.5)
    """Probability of a zoom."""
    zoom_range: tuple[float, float] = interval((0.33, 2.83), at_least=0.01)
    """[crop sides] Side of the cut-out that is resized to a crop."""
    label_resize: str = setting(choices.CLEAN, choices=choices.PROTOCOLS)
    """How labels are resized in a zoom. clean: nearest neighbour; official: class ids are interpolated as numbers."""
    mix_probability: float = probability(0.3)
    """Probability that the ocean of a crop is mixed with another crop."""
    mix_range: tuple[float, float] = interval((0.15, 0.30), at_least=0)
    """Weight w of the other crop b: (a + w b) / (1 + w)."""
    speckle_probability: float = probability(0.2)
    """Probability of added speckle (its strength: `SPECKLE_PEAKS` in glacierjax/data/crops.py)."""
    brightness_probability: float = probability(0.2)
    """Probability of a change of brightness."""
    brightness_range: tuple[float, float] = interval((0.6, 1.4), at_least=0)
    """Factor of the grey values."""
    gamma_probability: float = probability(0.2)
    """Probability of a change of gamma."""
    gamma_range: tuple[float, float] = interval((0.7, 1.3), at_least=0)
    """Exponent of the grey values in [0, 1]."""
    left_right_probability: float = probability(0.5)
    """Probability of a left-right flip."""
    up_down_probability: float = probability(0.5)
    """Probability of an up-down flip."""
    rotation_probability: float = probability(0.5)
    """Probability of a rotation by 90, 180 or 270 degrees."""
    missing_probability: float = probability(0.25)
    """Probability that the rock mask or the summer scene of the input channels is left out of a crop, each by itself, as
    where there is none."""


@dataclasses.dataclass(frozen=True)
class SeriesAugmentSettings(AugmentSettings):
    """Augmentation of series (Dreier et al. 2026): what single crops have, with other probabilities, and more."""

    zoom_probability: float = probability(0.3)
    mix_probability: float = probability(0.1)
    cut_mix_probability: float = probability(0.1)
    """Probability that a rectangle is replaced by that of another series."""
    erasure_probability: float = probability(0.1)
    """Probability of each of two tries per frame to replace a rectangle by noise."""
    contrast_probability: float = probability(0.2)
    """Probability of a change of contrast."""
    contrast_range: tuple[float, float] = interval((0.6, 1.4), at_least=0)
    """Factor of the distances to the mean grey value."""


@dataclasses.dataclass(frozen=True)
class PairAugmentSettings(Settings):
    """Augmentation of pairs of SAR and optical crops."""

    SECTION: ClassVar[str] = "augment"

    scale_range: tuple[float, float] = interval((0.7, 1.0), at_least=0.01, at_most=1)
    """[crop sides] Side of the square inside a crop that is resized to the crop."""
    up_down_probability: float = probability(0.5)
    """Probability of an up-down flip."""
