"""Pretraining with OptSimMIM on SSL4SAR, as published (Gourmelon et al. 2025, section III-A).

    glacierjax train --config=configs/pretrain_optsimmim.py --config.data.dir=DATA --config.init.checkpoint=IMAGENET \\
        --workdir=PRETRAINED

IMAGENET is Microsoft's Swin V2 file, converted (`glacierjax convert`); without it the network starts from scratch.
Fine-tuned on CaFFe from here, the published mean distance error is 300 m (342 m from ImageNet alone). Up to 1000 epochs of
76,496 crops of 512 x 512 pixels: 76 million crops, by arithmetic about 70 to 140 hours of one accelerator that trains 150 to
300 crops a second (not run here); the rate halves when the validation loss stands still, so that most of it is spent early.

All defaults follow the paper; `model.zero_init_norms` differs from the official code (docs/concepts/method.md). Beyond
the paper: --config.task=simmim predicts the SAR image itself, without optical images,
and --config.mask.unit_px=32 hides larger squares.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import Pretraining
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    return config_of(Pretraining())
