"""The fine-tuning of `make demo`: a very small network that sees 20,000 crops in five minutes on two CPU cores.

    python -m glacierjax.train --config=configs/demo_mini.py --config.data.dir=DATA \\
        --config.init.checkpoint=PRETRAINED --workdir=RUN

Against `configs/demo.py`: the preset `mini`, which trains about four times as many crops a second; more zoom, and quarter turns,
for five training glaciers face only five ways. docs/benchmarks.md has the runs that led here.
"""

from typing import Any

from glacierjax.runs.configs import load_config


def get_config() -> Any:
    config: Any = load_config("configs/demo.py")
    # What a step costs beside its crops is then shared by more of them.
    config.batch_size, config.micro_batch_size = 16, 8
    config.model.preset = "mini"
    config.data.samples_per_epoch = 4000
    config.augment.zoom_probability = 0.7
    config.augment.zoom_range = (0.6, 1.7)
    config.augment.rotation_probability = 0.5
    config.optimizer.learning_rate = 2e-3
    config.schedule.warmup_epochs = 0.1
    return config
