"""The demo: the small network on the simulated archive, minutes on two CPU cores (`make demo`).

    python -m glacierjax.train --config=configs/demo.py --config.data.dir=DATA \\
        --config.init.checkpoint=PRETRAINED --workdir=RUN

Departs from the published recipe where so few steps would not bear it: AdamW, block norms that start at one, and neither
mix-up, speckle, dropout nor quarter turns. A radar looks along the rows of these scenes: a crop that is turned over is one
that could be, one that is turned by 90 degrees is not.
"""

from typing import Any

from ml_collections import ConfigDict

from glacierjax.recipes.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/finetune_caffe.py")
    config.batch_size, config.micro_batch_size = 8, 2  # small micro-batches are quicker on a CPU: its caches hold them
    config.num_epochs = 5

    config.model.preset = "small"
    config.model.zero_init_norms = False
    config.model.dropout = 0.0

    config.data.samples_per_epoch = 900
    config.data.context_px = 192
    config.data.padding = "fit"
    config.data.workers = 0
    config.data.keep_validation_in_memory = True

    config.augment.zoom_range = (0.8, 1.5)
    config.augment.mix_probability = 0.0
    config.augment.speckle_probability = 0.0
    config.augment.rotation_probability = 0.0
    # Strong, as in configs/demo_real.py, for how bright ice and sea are changes from scene to scene. No effect was measured.
    config.augment.brightness_probability = 0.6
    config.augment.brightness_range = (0.5, 1.7)
    config.augment.gamma_probability = 0.6
    config.augment.gamma_range = (0.4, 2.2)

    config.optimizer = ConfigDict({"name": "adamw", "learning_rate": 1e-3, "weight_decay": 0.05, "average_decay": 0.99})
    config.schedule.name = "cosine"
    config.schedule.warmup_epochs = 0.5
    return config
