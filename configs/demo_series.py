"""A very small network for series of simulated scenes, on two CPU cores.

    glacierjax simulate --output=ARCHIVE --dates=24 --ssl_scenes=0
    glacierjax build tfds_builders/caffe --data_dir=DATA --manual_dir=ARCHIVE/data_raw
    glacierjax train --config=configs/demo_series.py --config.data.dir=DATA --workdir=RUN

No table of the paper is reproduced. The network, the optimiser (Muon instead of SGD), the pixel spacing of 40 m and the crops are
those of configs/demo.py; there are too few steps for the published ones. experiments/series/RESULTS.md has a study with it.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import SeriesFineTuning
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(SeriesFineTuning())
    config.batch_size = config.micro_batch_size = 1
    config.num_epochs = 2

    config.model.preset = "mini"
    config.model.zero_init_norms = False
    config.model.dropout = 0.0
    config.model.temporal = "conv"

    config.data.pixel_spacing_m = 40.0
    config.data.context_px = 96
    config.data.samples_per_epoch = 800
    config.data.padding = "clean"
    config.data.workers = 0
    config.data.keep_validation_in_memory = True

    config.augment.zoom_probability = 0.7
    config.augment.zoom_range = (0.6, 1.7)
    config.augment.mix_probability = config.augment.cut_mix_probability = 0.0
    config.augment.speckle_probability = 0.0
    config.augment.contrast_probability = 0.0
    config.augment.brightness_probability = config.augment.gamma_probability = 0.5
    config.augment.brightness_range = (0.7, 1.4)
    config.augment.gamma_range = (0.7, 1.5)

    config.optimizer.name = "muon"
    config.optimizer.learning_rate = 5e-3
    config.optimizer.weight_decay = 0.05
    config.optimizer.average_decay = 0.99
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.1
    return config
