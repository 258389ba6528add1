"""The pretraining of `make demo`: OptTranslator with the network of `configs/demo.py`, on two CPU cores.

    glacierjax train --config=configs/demo_pretrain.py --config.data.dir=DATA --workdir=PRETRAINED

A minute, most of it compiling. `configs/demo.py` starts from its encoder and decoder (--config.init.checkpoint=PRETRAINED), so
both have the same network and optimiser. Scenes of 12 or 20 m are averaged to 24 or 40 m here, to about 40 m there. Only fifty
steps, to show how it works: some hundred more did not improve the fine-tuned network. 4,000 steps on more scenes halve the error
where labels are few (experiments/pretraining/RESULTS.md). No table of the paper is reproduced.
"""

from ml_collections import ConfigDict

from glacierjax.core.settings import Pretraining
from glacierjax.recipes.configs import config_of


def get_config() -> ConfigDict:
    config = config_of(Pretraining())
    config.task = "opttranslator"
    config.batch_size = config.micro_batch_size = 8
    config.num_epochs = 1

    config.model.preset = "mini"
    config.model.zero_init_norms = False
    config.model.dropout = 0.0

    config.data.average_px = 2  # scenes of 12 or 20 m
    config.data.context_px = 96
    config.data.samples_per_epoch = 400
    config.data.padding = "clean"
    config.data.workers = 0

    config.optimizer.name = "muon"
    config.optimizer.learning_rate = 5e-3
    config.optimizer.weight_decay = 0.01
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.1
    return config
