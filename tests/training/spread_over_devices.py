"""Training steps of four micro-batches on the devices of this process; prints the results as JSON (test_parallel.py).

Arguments: the number of devices, a key of `NETWORKS`, and the ways (`parallel.BACKENDS`).
"""

import json
import sys
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from glacierjax.core.zones import NUM_ZONES
from glacierjax.model import SeriesTyrion, Tyrion, preset
from glacierjax.tasks import Segmentation, SegmentationSeries
from glacierjax.training import parallel
from glacierjax.training.optim import make_optimizer
from glacierjax.training.step import TrainState, make_step

MICRO_BATCH, BATCH, STEPS = 2, 8, 5
LEARNING_RATE = 0.05


class Convolutions(nn.Module):
    """A small network with parameters, dropout and the shape of zone logits. It compiles in a second."""

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        x = nn.gelu(nn.Conv(8, (3, 3))(images))
        x = nn.Dropout(0.3, deterministic=not train)(x)
        return nn.Conv(NUM_ZONES, (1, 1))(x)


class OverTime(nn.Module):
    """The same for series: what the frames have in common is added to each. No frame is alone."""

    @nn.compact
    def __call__(self, images: jax.Array, days: jax.Array, train: bool = False) -> jax.Array:
        x = nn.gelu(nn.Conv(8, (3, 3))(images))
        x = x + nn.Dense(8)(x.mean(1, keepdims=True) * days.mean() / 9000)
        x = nn.Dropout(0.3, deterministic=not train)(x)
        return nn.Conv(NUM_ZONES, (1, 1))(x)


# Networks and the sides of their images in pixels. "two_stages": every part of Tyrion, in a third of the time to compile.
NETWORKS = {
    "convolutions": (Convolutions, 16),
    "two_stages": (lambda: Tyrion(8, (2, 1), (1, 2), window_size=4, mlp_ratio=2, num_groups=4), 32),
    "tiny": (lambda: Tyrion(**preset("tiny")), 64),
    "over_time": (OverTime, 16),
    "tiny_series": (lambda: SeriesTyrion(**{**preset("tiny"), "narrow_decoder": True}, temporal="gru"), 64),
}
FRAMES = 3


def start(task: Segmentation | SegmentationSeries, optimizer: optax.GradientTransformation, batch: dict) -> TrainState:
    """A state with random parameters by shape: the network's own start takes half a minute to compile."""
    shapes = jax.eval_shape(task.init, jax.random.key(0), batch)
    generator = np.random.default_rng(1)
    params = jax.tree.map(lambda leaf: generator.normal(0, 0.1, leaf.shape).astype(np.float32), shapes)
    return TrainState(jnp.int32(0), params, optimizer.init(params))


def train(network: str, way: str) -> dict:
    """Losses of each step, a sum over the parameters afterwards, and how often the step was compiled."""
    make, side_px = NETWORKS[network]
    traces = 0

    def prepare(batch):
        nonlocal traces
        traces += 1
        return batch

    model: Any = make()
    is_series = "series" in network or network == "over_time"
    task = SegmentationSeries(model) if is_series else Segmentation(model)
    shape = (BATCH, FRAMES, side_px, side_px) if is_series else (BATCH, side_px, side_px)
    optimizer = make_optimizer("sgd", 1e-4)
    generator = np.random.default_rng(0)
    batches = [
        {
            "image": generator.random((*shape, 1), np.float32),
            "zones": generator.integers(0, NUM_ZONES, shape),
            **({"days": generator.integers(0, 9000, shape[:2])} if is_series else {}),
        }
        for _ in range(STEPS)
    ]
    example = {key: value[:MICRO_BATCH] for key, value in batches[0].items()}
    spread = parallel.make_parallel(way)
    state = spread.replicate(start(task, optimizer, example))
    update = spread.parallelize(make_step(task, optimizer, prepare))
    key = np.asarray(jax.random.key_data(jax.random.key(1)))
    losses = []
    for batch in batches:
        sharded = spread.shard(batch, MICRO_BATCH)
        state, metrics = update(state, sharded, key, jnp.float32(LEARNING_RATE))
        losses.append(float(spread.fetch(metrics)["loss"]))
        if len(losses) == 1:
            traces_of_first = traces
    params = jax.tree.leaves(spread.fetch(state).params)
    return {
        "devices": jax.device_count(),
        "accumulation": parallel.accumulation_steps(BATCH, MICRO_BATCH),
        "losses": losses,
        "parameter_sum": float(sum(np.abs(leaf).sum(dtype=np.float64) for leaf in params)),
        "compilations": traces / traces_of_first,
    }


def main(devices: str, network: str, *ways: str) -> None:
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", int(devices))
    print(json.dumps({way: train(network, way) for way in ways}))


if __name__ == "__main__":
    main(*sys.argv[1:])
