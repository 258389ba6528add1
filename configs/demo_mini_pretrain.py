"""The pretraining of `make demo`: OptTranslator with the network of `configs/demo_mini.py`, a minute on two CPU cores.

    python -m glacierjax.train --config=configs/demo_mini_pretrain.py --config.data.dir=DATA --workdir=PRETRAINED

Twice the crops of `configs/demo_pretrain.py`.
"""

from typing import Any

from glacierjax.runs.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/demo_pretrain.py")
    demo: Any = load_config("configs/demo_mini.py")
    config.batch_size, config.micro_batch_size = demo.batch_size, demo.micro_batch_size
    config.model = demo.model
    config.data.samples_per_epoch = 1600
    return config
