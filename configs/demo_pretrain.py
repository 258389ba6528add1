"""Pretraining in small: OptTranslator on the simulated SSL4SAR archive, two minutes on two CPU cores, half of them training.

    python -m glacierjax.train --config=configs/demo_pretrain.py --config.data.dir=DATA --workdir=PRETRAINED

The network of `configs/demo.py`, so that its encoder and decoder can go on there (--config.init.checkpoint=PRETRAINED). As
there AdamW, block norms that start at one, and no dropout.
"""

from typing import Any

from ml_collections import ConfigDict

from glacierjax.recipes.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/pretrain_optsimmim.py")  # which has a mask, should the task be changed
    config.task = "opttranslator"
    demo: Any = load_config("configs/demo.py")
    config.batch_size, config.micro_batch_size = demo.batch_size, demo.micro_batch_size
    config.num_epochs = 1
    config.model = demo.model
    config.data.samples_per_epoch = 800
    config.data.context_px = demo.data.context_px
    config.data.padding = demo.data.padding
    config.data.workers = demo.data.workers
    config.optimizer = ConfigDict({"name": "adamw", "learning_rate": 1e-3, "weight_decay": 0.01, "average_decay": 0.0})
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.1
    return config
