"""The fine-tuning of `make real`: real imagery in CaFFe's layout, ocean above the ice, from scratch, on two CPU cores.

    glacierjax train --config=configs/demo_real.py --config.data.dir=DATA --workdir=RUN

`make real` trains two of these side by side, which differ in their seed, and scores them as one ensemble in the mode
`whole`, averaged over the mirror image: 2,500 steps each, 19 minutes in all on two busy CPU cores. On 123 Landsat scenes
(Mohajerani et al. 2019; trained on two glaciers, scored on 23 scenes of a third) the mean distance error is 3.9 px and no
front is missing. Crops are mirrored left to right only, because the ocean is always up. experiments/real_imagery/RESULTS.md
has the runs that led here. No table of the paper is reproduced.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import FineTuning
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(FineTuning())
    config.batch_size, config.micro_batch_size = 8, 8
    config.num_epochs = 5

    config.model.preset = "mini"
    config.model.zero_init_norms = False
    config.model.dropout = 0.0

    config.data.samples_per_epoch = 4000
    config.data.context_px = 128
    config.data.padding = "clean"
    config.data.workers = 0
    config.data.keep_validation_in_memory = True

    config.augment.zoom_probability = 0.9
    config.augment.zoom_range = (0.5, 1.7)
    config.augment.mix_probability = 0.0
    config.augment.speckle_probability = 0.0
    config.augment.up_down_probability = 0.0
    config.augment.rotation_probability = 0.0
    config.augment.brightness_probability = config.augment.gamma_probability = 0.6
    config.augment.brightness_range = (0.5, 1.7)
    config.augment.gamma_range = (0.4, 2.2)

    config.optimizer.name = "muon"
    config.optimizer.learning_rate = 5e-3
    config.optimizer.weight_decay = 0.05
    config.optimizer.average_decay = 0.99
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.25
    config.validation.mode = "whole"
    return config
