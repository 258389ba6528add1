"""Trains a plain U-Net with the project's data pipeline and loss, and scores it on the test split: the peer of `make real`.

    python experiments/real_imagery/unet.py --config=configs/demo_real.py --config.data.dir=DATA --workdir=RUN

The config's fields for the network have no meaning here; all others are those of a fine-tuning.
"""

import dataclasses
import sys
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from ml_collections import config_flags

from glacierjax.core import cli
from glacierjax.core.files import user_path
from glacierjax.core.settings import FineTuning
from glacierjax.core.zones import NUM_ZONES
from glacierjax.data.crops import CropSource
from glacierjax.data.labelled_scenes import PLANES, LabelledScenes, planes_of
from glacierjax.data.pipeline import batches
from glacierjax.datasets.caffe.prepared import open_split
from glacierjax.evaluation.network import most_probable
from glacierjax.evaluation.run import score_part
from glacierjax.evaluation.write import write_evaluation
from glacierjax.model.convolution import conv
from glacierjax.prediction.ensemble import Predictor, make_network
from glacierjax.recipes.configs import checked_arguments, settings_of
from glacierjax.recipes.finetune import prepare, shared_file
from glacierjax.recipes.order import sample_order
from glacierjax.recipes.workdir import cache_folder, write_or_check_config
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
            x = Twice(same_size.shape[-1])(jnp.concatenate([same_size, x], -1))
        return conv(CHANNELS, NUM_ZONES, 1)(x)


def main() -> None:
    settings, workdir = settings_of(CONFIG.value), user_path(WORKDIR.value)
    assert isinstance(settings, FineTuning)
    write_or_check_config(settings, workdir)
    data = settings.data
    scenes = open_split(data.dir, data.train_split, data.name)
    planes = planes_of(scenes, data.pixel_spacing_m)
    file = shared_file(planes, cache_folder(settings, workdir) / "train.bin", PLANES * len(scenes), "decoding scenes")
    source = CropSource(LabelledScenes(tuple(scenes.names), file), data, settings.augment, **sample_order(settings))
    model: Any = UNet()
    trained: dict[str, Any] = {}

    def keep(params: dict) -> dict[str, float | None]:
        trained.update(params)
        return {"iou": None}

    experiment = Experiment(
        task=Segmentation(model),
        batches=lambda step: batches(source, step, data.workers),
        scenes_of=source.scenes_of_step,
        prepare=prepare,
        evaluate=keep,
        rank_by=(),
        record={"task": "unet"},
        initial_params=lambda fresh: fresh,
    )
    train(dataclasses.replace(settings, keep=()), workdir, experiment)
    print(f"{sum(np.size(leaf) for leaf in jax.tree.leaves(trained)):,} parameters")
    network = make_network(model)
    predictor = Predictor(
        [lambda images: network(trained, images)], (0,), "whole", data.context_px, model.size_multiple, None, []
    )
    report = workdir / "report"
    test = open_split(data.dir, "test", data.name)
    write_evaluation(report, score_part(test, most_probable(predictor), report, "U-Net", str(workdir)))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__, checked_arguments))
