"""Trains a plain U-Net with the project's data pipeline and loss, and scores it on the test split: the peer of `make real`.

    python experiments/real_imagery/unet.py --config=configs/finetune_caffe.py --config.data.dir=DATA --workdir=RUN [--config.a.b=value ...]

The config's fields for the network have no meaning here; all others are those of a fine-tuning.
"""

import sys
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from absl import app, flags
from ml_collections import config_flags

from glacierjax.core.zones import NUM_ZONES
from glacierjax.data.crops import CropSource
from glacierjax.data.pipeline import batches
from glacierjax.data.sources import open_split
from glacierjax.evaluation.network import most_probable
from glacierjax.evaluation.run import score_part
from glacierjax.evaluation.write import write_evaluation
from glacierjax.inference.predictor import Predictor, make_network
from glacierjax.model.convolution import conv
from glacierjax.runs.configs import cache_folder, settle, to_plain
from glacierjax.runs.finetune import crop_options, prepare, shared_store
from glacierjax.runs.order import sample_order
from glacierjax.tasks import Segmentation
from glacierjax.training.loop import Experiment, train

CONFIG = config_flags.DEFINE_config_file("config", None)
WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.")
CHANNELS = 20
LEVELS = 5
GROUPS = 4


class Twice(nn.Module):
    """Convolution, group norm and ReLU, twice: (B, H, W, C) -> (B, H, W, channels)."""

    channels: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for _ in range(2):
            x = conv(x.shape[-1], self.channels, 3)(x)
            x = nn.relu(nn.GroupNorm(GROUPS)(x))
        return x


class UNet(nn.Module):
    """Ronneberger et al. 2015 with padding: images (B, H, W, 1) in [0, 1] -> logits (B, H, W, NUM_ZONES)."""

    size_multiple: int = 2 ** (LEVELS - 1)

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        x, passed = images, []
        for level in range(LEVELS):
            x = Twice(CHANNELS * 2**level)(x)
            if level < LEVELS - 1:
                passed.append(x)
                x = nn.max_pool(x, (2, 2), (2, 2))
        for same_size in reversed(passed):
            x = nn.ConvTranspose(same_size.shape[-1], (2, 2), (2, 2))(x)
            x = Twice(same_size.shape[-1])(jax.numpy.concatenate([same_size, x], -1))
        return conv(CHANNELS, NUM_ZONES, 1)(x)


def main(_: Any) -> None:
    config: Any = CONFIG.value
    workdir = Path(WORKDIR.value)
    settle(config, workdir, True)
    scenes = open_split(config.data.dir, config.data.train_split, config.data.name)
    store = shared_store(scenes, cache_folder(config, workdir) / "train.bin", config.data.pixel_spacing_m)
    source = CropSource(store=store, options=crop_options(config), **sample_order(config))
    model: Any = UNet()
    network = make_network(model)
    parameters: dict[str, Any] = {}

    def keep(params: dict) -> dict[str, float | None]:
        parameters.update(params)
        return {"iou": None}

    train(
        config,
        workdir,
        Experiment(
            task=Segmentation(model),
            batches=lambda step: batches(source, step, config.data.workers),
            scenes_of=source.scenes_of_step,
            prepare=prepare,
            evaluate=keep,
            rank_by=(),
            record={"task": "unet", "model": {}, "config": to_plain(config)},
            initial_params=lambda fresh: fresh,
            facts={},
            pictures=dict,
        ),
    )
    print(f"{sum(np.size(leaf) for leaf in jax.tree.leaves(parameters)):,} parameters")
    predictor = Predictor([lambda images: network(parameters, images)], (0,), "whole", config.data.context_px, model.size_multiple, {}, [])
    report = workdir / "report"
    test = open_split(config.data.dir, "test", config.data.name)
    write_evaluation(report, score_part(test, most_probable(predictor), report, "U-Net", str(workdir)))


if __name__ == "__main__":
    sys.exit(app.run(main))
