"""Real imagery of any kind in CaFFe's layout, from nothing, on two CPU cores in less than an hour (`make real`).

python -m glacierjax.train --config=configs/demo_real.py --config.data.dir=DATA --workdir=RUN
"""

from typing import Any

from glacierjax.runs.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/demo.py")
    config.num_epochs = 20
    config.data.samples_per_epoch = 800
    config.data.context_px = 192
    config.augment.up_down_probability = 0.0
    config.augment.rotation_probability = 0.0
    config.validation.mode = "whole"
    return config
