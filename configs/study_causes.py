"""Why does pretraining help no more in `configs/study_pretraining.py`? Pretrained otherwise, fine-tuned alike.

    python -m glacierjax.study --config=configs/study_causes.py --output=STUDY [--jobs=2]

Simulated archives, three seeds an arm. Changed against that study is one thing an arm: the learning rate of the pretraining,
its length, the size of its crops (as many pixels in all). In a copy of the other study's folder it takes over the archives and
the arm without pretraining.
"""

from typing import Any

from glacierjax.recipes.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/study_pretraining.py")
    config.seeds = (1, 2, 3)
    config.pretraining.arms = (
        ("opttranslator_rate", ("task=opttranslator", "optimizer.learning_rate=5e-3")),
        ("opttranslator_long", ("task=opttranslator", "num_epochs=6")),
        ("opttranslator_crops", ("task=opttranslator", "data.context_px=128", "data.samples_per_epoch=3600")),
    )
    return config
