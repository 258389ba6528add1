"""Pretraining with OptTranslator on SSL4SAR, as published (Gourmelon et al. 2025, section III-B).

    glacierjax train --config=configs/pretrain_opttranslator.py --config.data.dir=DATA --config.init.checkpoint=IMAGENET \\
        --workdir=PRETRAINED

IMAGENET is Microsoft's Swin V2 file, converted (`glacierjax convert`); without it the network starts from scratch.
Fine-tuned on CaFFe from here, the published mean distance error is 293 m (342 m from ImageNet alone). Up to 1000 epochs of
76,496 crops, ended after 100 epochs without a lower validation loss: at most 70 to 140 hours of one accelerator that trains
150 to 300 crops a second, by arithmetic (not run here).
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import Pretraining
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(Pretraining())
    config.task = "opttranslator"
    config.early_stop_epochs = 100
    config.optimizer.learning_rate = 0.005
    return config
