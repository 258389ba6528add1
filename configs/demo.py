"""The demo: the small network on the simulated archive, minutes on two CPU cores (`make demo`).

python -m glacierjax.train --config=configs/demo.py --config.data.dir=DATA --workdir=RUN
"""

from typing import Any

from ml_collections import ConfigDict

from glacierjax.runs.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/finetune_caffe.py")
    config.model.preset = "small"
    config.batch_size = config.micro_batch_size = 8
    config.num_epochs = 6
    config.data.samples_per_epoch = 400
    config.data.context_px = 256
    config.data.padding = "fit"
    config.data.workers = 0
    config.data.keep_validation_in_memory = True
    config.augment.zoom_range = (0.7, 1.3)
    config.optimizer = ConfigDict({"name": "adamw", "learning_rate": 2e-3, "weight_decay": 0.01, "average_decay": 0.99})
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.5
    return config
