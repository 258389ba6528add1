"""The fine-tuning of `make demo`: a very small network that sees all sensors at about one pixel spacing, on two CPU cores.

    python -m glacierjax.train --config=configs/demo_mini.py --config.data.dir=DATA \\
        --config.init.checkpoint=PRETRAINED --workdir=RUN

Against `configs/demo.py`: the preset `mini`; scenes averaged to about 40 m, so that a crop shows more ground and flow lines are
as wide from one sensor as from another; Muon, which learnt as much as AdamW from a quarter of the crops; more zoom, and quarter
turns, for five training glaciers face only five ways. docs/reference/benchmarks.md has the runs that led here.
"""

from typing import Any

from glacierjax.recipes.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/demo.py")
    config.batch_size, config.micro_batch_size = 8, 8
    config.model.preset = "mini"
    config.data.pixel_spacing_m = 40.0
    config.data.context_px = 96
    config.data.samples_per_epoch = 4000
    config.augment.zoom_probability = 0.7
    config.augment.zoom_range = (0.6, 1.7)
    config.augment.rotation_probability = 0.5
    config.augment.brightness_probability = config.augment.gamma_probability = 0.5
    config.augment.brightness_range = (0.7, 1.4)
    config.augment.gamma_range = (0.7, 1.5)
    config.optimizer.name = "muon"
    config.optimizer.learning_rate = 5e-3
    config.schedule.warmup_epochs = 0.1
    return config
