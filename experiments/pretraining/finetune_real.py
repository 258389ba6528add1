"""The fine-tuning of the study on real imagery: the preset `small` with AdamW, as the pretrained networks are.

Run by run.py, which sets how few labels there are.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import FineTuning
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(FineTuning())
    config.batch_size, config.micro_batch_size = 8, 4
    config.num_epochs = 10

    config.model.preset = "small"
    config.model.zero_init_norms = False

    config.data.samples_per_epoch = 800
    config.data.context_px = 192
    config.data.padding = "clean"
    config.data.workers = 0
    config.data.keep_validation_in_memory = True

    config.augment.zoom_probability = 0.9
    config.augment.zoom_range = (0.5, 1.7)
    config.augment.mix_probability = 0.0
    config.augment.speckle_probability = 0.1
    config.augment.up_down_probability = 0.0
    config.augment.rotation_probability = 0.0
    config.augment.brightness_probability = config.augment.gamma_probability = 0.6
    config.augment.brightness_range = (0.5, 1.7)
    config.augment.gamma_range = (0.4, 2.2)

    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 2e-3
    config.optimizer.weight_decay = 0.05
    config.optimizer.average_decay = 0.99
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.5
    config.validation.mode = "whole"
    return config
