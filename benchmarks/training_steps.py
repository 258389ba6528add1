"""The real training steps with example inputs, which `tpu.py` compiles, `gpu.py` times and `profile_cpu.py` takes apart."""

import dataclasses
from typing import NamedTuple

import jax
import numpy as np

from glacierjax.core.choices import SEGMENTATION
from glacierjax.core.settings import FineTuning, ModelSettings, Pretraining
from glacierjax.core.zones import NUM_ZONES
from glacierjax.data.samples import Sample
from glacierjax.datasets.ssl4sar.optical import BANDS
from glacierjax.model import Tyrion, build
from glacierjax.recipes.finetune import prepare
from glacierjax.recipes.pretrain import pretraining_task
from glacierjax.tasks import Segmentation
from glacierjax.tasks.resampling import prepare_pairs
from glacierjax.training.optim import make_optimizer
from glacierjax.training.step import Step, Task, TrainState, make_step

TASKS = (SEGMENTATION, "optsimmim", "opttranslator")


class TrainingStep(NamedTuple):
    """A step on one device, its task, and a local batch as the pipeline reads it (accumulation, micro-batch, ...)."""

    task: Task
    run: Step
    batch: Sample
    state: TrainState  # shapes alone

    def random_state(self) -> TrainState:
        """Parameters drawn at random: they make no difference to the speed, and the real start takes long to compile."""
        rng = np.random.default_rng(0)

        def draw(leaf: jax.ShapeDtypeStruct) -> np.ndarray:
            return rng.normal(0, 0.02, leaf.shape).astype(leaf.dtype)

        return jax.tree.map(draw, self.state)


def training_step(
    task_name: str, model: ModelSettings, side_px: int, micro_batch: int, accumulation: int = 1
) -> TrainingStep:
    """The step of the published recipe of a task, with another network, size of crops and of micro-batches."""
    if task_name == SEGMENTATION:
        settings, convert = FineTuning(model=model), prepare
        task = Segmentation(build(model.network(), Tyrion))
    else:
        settings, convert = Pretraining(task=task_name, model=model), prepare_pairs
        task = pretraining_task(settings)
    optimizer = make_optimizer(settings.optimizer.name, settings.optimizer.weight_decay)
    crops = random_crops(task_name, side_px, micro_batch * accumulation)
    batch = {name: values.reshape(accumulation, micro_batch, *values.shape[1:]) for name, values in crops.items()}

    def fresh() -> TrainState:
        params = task.init(jax.random.key(0), convert({name: values[0] for name, values in batch.items()}))
        return TrainState(jax.numpy.int32(0), params, optimizer.init(params))

    return TrainingStep(task, make_step(task, optimizer, convert), batch, jax.eval_shape(fresh))


def random_crops(task_name: str, side_px: int, number: int) -> Sample:
    """Noise in the form that the pipeline of a task reads."""
    rng = np.random.default_rng(0)

    def noise(*shape: int, high: int = 256) -> np.ndarray:
        return rng.integers(0, high, (number, *shape), np.uint8)

    side = side_px, side_px
    if task_name == SEGMENTATION:
        return {"image": noise(*side, 1), "labels": noise(*side, high=NUM_ZONES)}
    return {
        "sar": noise(*side, 1),
        "optical": noise(*side, len(BANDS)),
        "square": np.tile(np.array([0, 0, side_px], np.int32), (number, 1)),
        "up_down": np.zeros(number, bool),
    }


def with_preset(preset: str, dtype: str, remat: bool = False) -> ModelSettings:
    """The published recipe's model, or a smaller one, with this type of activations."""
    return dataclasses.replace(ModelSettings(), preset=preset, dtype=dtype, remat=remat)
