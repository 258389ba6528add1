"""The fine-tuning of the study on real imagery: that of `make real`, with the preset `small` and AdamW as in the pretraining.

Run by run.py, which sets how few labels there are.
"""

from glacierjax.configs import demo_real
from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    config = demo_real.get_config()
    config.batch_size = config.micro_batch_size = 4
    config.model.preset = "small"
    config.data.context_px = 192
    config.augment.zoom_range = (0.5, 1.7)
    config.augment.speckle_probability = 0.1
    config.optimizer.name = "adamw"
    return config
