"""Fine-tuning of the network for series of scenes on CaFFe, as published (Dreier et al. 2026, arXiv 2512.11560).

    glacierjax train --config=configs/finetune_series.py --config.data.dir=DATA --config.init.checkpoint=IMAGENET \\
        --workdir=RUN

DATA is CaFFe in the split that series were published with (`glacierjax build ... --split=series`). IMAGENET is Microsoft's
Swin V2 file, converted (`glacierjax convert`); a checkpoint of configs/pretrain_series.py gives the decoder too. The published
mean distance error on CaFFe's test split is 184.4 m (single images: 293 m). Which variant that is, is not published; "gru" is the
default of the published code, --config.model.temporal takes conv, ltae and none too.

80 epochs of 5,000 samples of 8 crops of 512 x 512 pixels, 3.2 million crops; 128 samples a step, one at a time. The learning rate
falls by a third after more than 10 epochs without a lower error in the validation. The authors used four GPUs of 80 GB; by
arithmetic 3 to 6 hours of one accelerator that trains 150 to 300 crops a second (not run here).

All settings follow the paper; docs/concepts/series.md says where they differ from the official code.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import SeriesFineTuning
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    return config_of(SeriesFineTuning())
