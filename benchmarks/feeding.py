"""Measures how many crops a second a training is fed whose network is a stand-in: part of `make bench`.

    python benchmarks/feeding.py [--steps=60] [--workers 4 8 14]

The published augmentation and crops of 512 px, scenes of 1500 x 1400 pixels, the real training loop with its log and
checkpoints; the stand-in only averages the crop, so that the data are all that there is to wait for.
"""

import argparse
import dataclasses
import logging
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from speed import SHAPE, wavy_scene

from glacierjax.core.settings import FineTuning, LabelledDataSettings
from glacierjax.data.crops import CropSource
from glacierjax.data.image_file import write_images
from glacierjax.data.labelled_scenes import PLANES, LabelledScenes, planes_of
from glacierjax.data.pipeline import batches
from glacierjax.recipes.finetune import prepare
from glacierjax.recipes.order import sample_order
from glacierjax.training.loop import Experiment, train

SCENES, BATCH = 8, 32
WORKERS = (1, 2)
MANY = 16  # of a machine with an accelerator, by arithmetic
ALONE = 60  # crops that one process draws


class AverageGrey:
    """A task that costs nothing: one number is fitted to the mean grey of the crops."""

    def init(self, rng: jax.Array, batch: Mapping[str, jax.Array]) -> dict:
        return {"grey": jnp.zeros(1)}

    def loss(self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array, train: bool) -> tuple[jax.Array, dict]:
        error = jnp.mean((batch["image"].mean() - params["grey"]) ** 2)
        return error, {"error": error}


def scenes_in(folder: Path) -> LabelledScenes:
    """Invented scenes as a training reads them."""
    generator = np.random.default_rng(0)
    names = tuple(f"COL_2012-11-{number + 1:02d}_TDX_7_1_092" for number in range(SCENES))
    scenes = (wavy_scene(name, SHAPE, generator) for name in names)
    return LabelledScenes(names, write_images(planes_of(scenes, 0), folder / "train.bin", PLANES * SCENES, "scenes"))


def settings_for(workers: int, steps: int) -> FineTuning:
    data = dataclasses.replace(LabelledDataSettings(), samples_per_epoch=steps * BATCH, workers=workers)
    return dataclasses.replace(FineTuning(), batch_size=BATCH, micro_batch_size=BATCH, num_epochs=1, data=data)


def source_of(scenes: LabelledScenes, settings: FineTuning) -> CropSource:
    return CropSource(scenes, settings.data, settings.augment, **sample_order(settings))


def fed_per_second(scenes: LabelledScenes, workers: int, steps: int, workdir: Path) -> float:
    """Crops a second of a training of `steps` steps."""
    settings = settings_for(workers, steps)
    source = source_of(scenes, settings)
    experiment = Experiment(
        task=AverageGrey(),
        batches=lambda step: batches(source, step, workers),
        scenes_of=source.scenes_of_step,
        prepare=prepare,
        evaluate=lambda params: {"iou": 0.0, "mde_m": 0.0},
        rank_by=settings.keep,
        record={},
        initial_params=lambda fresh: fresh,
    )
    return float(train(settings, workdir, experiment)["images_per_second"])


def drawn_per_second_of_a_core(scenes: LabelledScenes) -> float:
    """Crops that a core cuts and augments in a second of its own time."""
    source = source_of(scenes, settings_for(0, ALONE))
    source[0]
    started = time.process_time()
    for number in range(ALONE):
        source[number]
    return ALONE / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help=f"steps of {BATCH} crops")
    parser.add_argument("--workers", type=int, nargs="*", default=WORKERS, help="numbers of worker processes")
    options = parser.parse_args()
    steps = options.steps
    logging.getLogger("glacierjax").setLevel(logging.WARNING)
    print(f"{os.cpu_count()} cores, scenes of {SHAPE[0]} x {SHAPE[1]}, crops of {LabelledDataSettings.context_px} px\n")
    print("| crops a second | |\n| --- | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        scenes = scenes_in(Path(folder))
        alone = drawn_per_second_of_a_core(scenes)
        print(f"| cut and augmented in a second of a core | {alone:.0f} |", flush=True)
        for workers in options.workers:
            fed = fed_per_second(scenes, workers, steps, Path(folder) / str(workers))
            print(
                f"| fed to a training whose network is a stand-in, worker processes: {workers} | {fed:.0f} |",
                flush=True,
            )
        print(f"| {MANY} worker processes with a core each, by arithmetic | {MANY * alone:.0f} |")


if __name__ == "__main__":
    main()
