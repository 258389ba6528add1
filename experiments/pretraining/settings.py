"""What the study of pretraining runs: arms, seeds, and what each step changes against its configuration file."""

import dataclasses
from collections.abc import Mapping

HERE = "experiments/pretraining"
PRETRAINING_CROPS = 3_200
FINETUNING_CROPS = 800
LABELLED_SCENES = 10

Fields = tuple[str, ...]  # "field=value", as after --config.


@dataclasses.dataclass(frozen=True)
class Training:
    """A configuration file, fields that differ from it, and options of the build command for its data."""

    config: str
    fields: Fields
    build: Mapping[str, str] = dataclasses.field(default_factory=dict)


# Of little data, in so few steps: the same for the simulated and the real scenes.
FEW_LABELS: Fields = (
    "num_epochs=1",
    "batch_size=4",
    "schedule.warmup_epochs=0.1",
    "optimizer.learning_rate=2e-3",
    f"data.samples_per_epoch={FINETUNING_CROPS}",
    f"data.train_scenes={LABELLED_SCENES}",
)


@dataclasses.dataclass(frozen=True)
class Study:
    """Arms are (name, what its pretraining changes); the arm without pretraining is always there."""

    arms: tuple[tuple[str, Fields], ...]
    seeds: tuple[int, ...]
    simulate: Mapping[str, int] = dataclasses.field(
        default_factory=lambda: {"seed": 0, "scenes": 80, "ssl_scenes": 120}
    )
    pretraining: Training = Training(
        f"{HERE}/pretrain.py", ("num_epochs=2", f"data.samples_per_epoch={PRETRAINING_CROPS // 2}")
    )
    finetuning: Training = Training(f"{HERE}/finetune.py", FEW_LABELS)
    real: Training = Training(f"{HERE}/finetune_real.py", FEW_LABELS, {"na": "auto"})
    # Of so few validation scenes the best checkpoint is chance: the last one is scored.
    evaluation: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"which": "last", "mode": "whole"})


STUDIES = {
    # Does pretraining help where labels are few? A mask unit of 16 px is, in crops of an eighth of the published one's
    # pixels, about what SimMIM found best.
    "techniques": Study(
        arms=(
            ("simmim", ("task=simmim", "mask.ratio=0.5", "mask.unit_px=16")),
            ("optsimmim", ("task=optsimmim",)),
            ("opttranslator", ("task=opttranslator",)),
        ),
        seeds=(1, 2, 3, 4, 5),
    ),
    # Why does it not help more? Changed is one thing an arm: the learning rate of the pretraining, its length, the size of
    # its crops (as many pixels in all). In a copy of the other study's folder it takes over what is there.
    "causes": Study(
        arms=(
            ("opttranslator_rate", ("task=opttranslator", "optimizer.learning_rate=5e-3")),
            ("opttranslator_long", ("task=opttranslator", "num_epochs=6")),
            ("opttranslator_crops", ("task=opttranslator", "data.context_px=128", "data.samples_per_epoch=3600")),
        ),
        seeds=(1, 2, 3),
    ),
}
