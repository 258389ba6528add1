"""Pretraining for series of scenes: OptTranslator on SSL4SAR with the decoder that networks for series have.

    glacierjax train --config=configs/pretrain_series.py --config.data.dir=DATA --config.init.checkpoint=IMAGENET \\
        --workdir=PRETRAINED

The recipe of configs/pretrain_opttranslator.py with the narrow decoder, so that configs/finetune_series.py takes over the decoder
beside the encoder (--config.init.checkpoint=PRETRAINED). The modules between the frames start fresh. Nobody has published this
combination. No table of the paper is reproduced. --config.task=optsimmim pretrains with the other technique; set its
learning rate, --config.optimizer.learning_rate=0.001, and --config.early_stop_epochs=0 then.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import Pretraining
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(Pretraining())
    config.task = "opttranslator"
    config.early_stop_epochs = 100
    config.optimizer.learning_rate = 0.005
    config.model.narrow_decoder = True
    return config
