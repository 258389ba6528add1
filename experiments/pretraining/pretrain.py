"""The pretraining of the study: the network and the optimiser of finetune.py, on simulated scenes. Run by run.py."""

from ml_collections import ConfigDict

from glacierjax.core.settings import Pretraining
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(Pretraining())
    config.batch_size, config.micro_batch_size = 8, 2
    config.num_epochs = 1

    config.model.preset = "small"
    config.model.zero_init_norms = False
    config.model.dropout = 0.0

    config.data.context_px = 192
    config.data.samples_per_epoch = 800
    config.data.padding = "clean"
    config.data.workers = 0

    config.optimizer.name = "adamw"
    config.optimizer.learning_rate = 1e-3
    config.optimizer.weight_decay = 0.01
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.1
    return config
