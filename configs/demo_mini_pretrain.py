"""The pretraining of `make demo`: OptTranslator with the network of `configs/demo_mini.py`, a minute on two CPU cores,
most of it compiling.

    python -m glacierjax.train --config=configs/demo_mini_pretrain.py --config.data.dir=DATA --workdir=PRETRAINED

At about the pixel spacing and with the optimiser of the fine-tuning. Fifty steps only: they show the way, and with Muon more of
them did not help the fine-tuning.
"""

from typing import Any

from glacierjax.recipes.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/demo_pretrain.py")
    demo: Any = load_config("configs/demo_mini.py")
    config.batch_size, config.micro_batch_size = demo.batch_size, demo.micro_batch_size
    config.model = demo.model
    config.data.samples_per_epoch = 400
    config.data.context_px = demo.data.context_px
    config.data.looks = 2  # scenes of 12 or 20 m
    config.optimizer.name = demo.optimizer.name
    config.optimizer.learning_rate = demo.optimizer.learning_rate
    return config
