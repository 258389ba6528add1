"""The fine-tuning of the study: the preset `small` with AdamW, which in so few steps learns faster than the published SGD.

Run by run.py, which sets how few labels there are.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import FineTuning
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(FineTuning())
    config.batch_size, config.micro_batch_size = 8, 2

    config.model.preset = "small"
    config.model.zero_init_norms = False
    config.model.dropout = 0.0

    config.data.context_px = 192
    config.data.samples_per_epoch = 900
    config.data.padding = "clean"
    config.data.workers = 0
    config.data.keep_validation_in_memory = True

    config.augment.zoom_range = (0.8, 1.5)
    config.augment.mix_probability = 0.0
    config.augment.speckle_probability = 0.0

    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 1e-3
    config.optimizer.weight_decay = 0.05
    config.optimizer.average_decay = 0.99
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.5
    return config
