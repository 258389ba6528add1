"""Real imagery in CaFFe's layout, ocean above the ice, from nothing, on two CPU cores (`make real`).

`make real` trains two of these, which differ in their seed, and scores them as one ensemble.

    python -m glacierjax.train --config=configs/demo_real.py --config.data.dir=DATA --workdir=RUN
"""

from typing import Any

from glacierjax.recipes.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/demo.py")
    # As the figure in README.md was measured.
    config.micro_batch_size = 4
    config.num_epochs = 10
    config.data.samples_per_epoch = 800
    config.optimizer.learning_rate = 2e-3
    config.model.dropout = 0.1

    config.augment.zoom_probability = 0.9
    config.augment.zoom_range = (0.5, 1.7)
    config.augment.speckle_probability = 0.1
    config.augment.up_down_probability = 0.0

    config.validation.mode = "whole"
    return config
