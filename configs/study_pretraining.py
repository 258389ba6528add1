"""Does pretraining help where labels are few? Four arms, the same fine-tuning in all of them, five seeds each.

    python -m glacierjax.study --config=configs/study_pretraining.py --output=STUDY [--real=DATA_RAW] [--jobs=2]

Simulated archives: one pretraining for each technique, then five fine-tunings on ten labelled scenes, scored on the test
glaciers. With --real the same checkpoints are also fine-tuned on ten scenes of a `data_raw` folder of real imagery, one
glacier of which is held out. About 70 minutes on two CPU cores with --jobs=2 (a third of it for --real); started again it
goes on.

AdamW in all arms: in so few steps it learns faster than the published SGD. Everything here is a flag of the commands that
the study runs and prints, so each step can be repeated by hand.
"""

from typing import Any

from ml_collections import ConfigDict

PRETRAINING_CROPS = 3_200
FINETUNING_CROPS = 800
LABELLED_SCENES = 10


def get_config() -> Any:
    config: Any = ConfigDict()
    config.seeds = (1, 2, 3, 4, 5)
    config.simulate = ConfigDict({"seed": 0, "scenes": 80, "ssl_scenes": 120})
    # Fields are given as to the command line: "field=value".
    config.pretraining = ConfigDict({
        "config": "configs/demo_pretrain.py",
        "set": ("num_epochs=2", f"data.samples_per_epoch={PRETRAINING_CROPS // 2}"),
        # What the arms change. A mask unit of 16 px is, in crops of an eighth of the published one's pixels, about what
        # SimMIM found best.
        "arms": (
            ("simmim", ("task=simmim", "mask.ratio=0.5", "mask.unit_px=16")),
            ("optsimmim", ("task=optsimmim",)),
            ("opttranslator", ("task=opttranslator",)),
        ),
    })  # fmt: skip
    few_labels = (
        "num_epochs=1",
        "batch_size=4",
        "schedule.warmup_epochs=0.1",
        "optimizer.learning_rate=2e-3",
        f"data.samples_per_epoch={FINETUNING_CROPS}",
        f"data.train_scenes={LABELLED_SCENES}",
    )
    config.finetuning = ConfigDict({
        "config": "configs/demo.py",
        "set": (
            *few_labels,
            # The published draws, with which the table in docs/howto/pretraining.md was made.
            "augment.rotation_probability=0.5",
            "augment.brightness_probability=0.2", "augment.brightness_range=(0.6, 1.4)",
            "augment.gamma_probability=0.2", "augment.gamma_range=(0.7, 1.3)",
        ),
    })  # fmt: skip
    # Of so few validation scenes the best checkpoint is chance: the last one is scored.
    config.evaluation = ConfigDict({"which": "last", "mode": "whole"})
    config.real = ConfigDict({
        "config": "configs/demo_real.py",
        "build": {"na": "auto"},
        # As the pretrained networks were: no dropout, block norms from one.
        "set": (*few_labels, "model.dropout=0.0", "model.zero_init_norms=False"),
    })  # fmt: skip
    return config
