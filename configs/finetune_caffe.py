"""Fine-tuning of Tyrion on CaFFe, as published (Gourmelon et al. 2025, section III; the table of mean distance errors).

    glacierjax train --config=configs/finetune_caffe.py --config.data.dir=DATA --config.init.checkpoint=PRETRAINED \\
        --workdir=RUN

Published mean distance error on CaFFe's test split, mean of five seeds: 342 m from ImageNet weights, 300 m after OptSimMIM,
293 m after OptTranslator. 150 epochs of 40,000 crops of 512 x 512 pixels; effective batch 128 in micro-batches of 16. By
arithmetic 6 to 11 hours of one accelerator that trains 150 to 300 crops a second (not run here).

All defaults follow the paper. Two differ from the official code: `model.zero_init_norms` and `augment.label_resize`
(docs/concepts/method.md).
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import FineTuning
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    return config_of(FineTuning())
