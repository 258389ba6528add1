"""Memory and time of a training step of series: the paper's network, eight frames of 512 x 512 pixels, one sample.

    python benchmarks/series_step.py [conv gru ltae none] [--side_px=512]

Prints a row a variant: what the forward pass stores for the backward pass, as JAX reports it; the memory of the compiled step
by XLA's analysis; the time of the second of two steps. Needs 16 GiB and about four minutes a variant on a CPU core.
"""

import argparse
import dataclasses
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.core.choices import TEMPORAL
from glacierjax.core.settings import NetworkSettings, SeriesFineTuning
from glacierjax.model import SeriesTyrion, build
from glacierjax.tasks import SegmentationSeries
from glacierjax.training import parallel, start
from glacierjax.training.optim import make_optimizer
from glacierjax.training.step import TrainState, make_step

MIB = 2**20


def measure(network: NetworkSettings, frames: int, side_px: int) -> str:
    """The row of a network."""
    settings = SeriesFineTuning()
    task = SegmentationSeries(build(network, SeriesTyrion))
    rng = np.random.default_rng(0)
    shape = (1, frames, side_px, side_px)
    batch = {
        "image": rng.random((*shape, 1), np.float32),
        "zones": rng.integers(0, 4, shape).astype(np.int32),
        "days": np.arange(frames, dtype=np.int32)[None] * 30,
    }
    shapes = jax.eval_shape(task.init, jax.random.key(0), batch)
    # Random numbers instead of the network's own start, which takes long to compile.
    params = jax.tree.map(lambda leaf: rng.normal(0, 0.02, leaf.shape).astype(np.float32), shapes)

    def loss(params: dict) -> jax.Array:
        return task.loss(params, batch, jax.random.key(0), True)[0]

    stored: Any = jax.eval_shape(lambda params: jax.vjp(loss, params)[1], params)
    stored_mib = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(stored)) / MIB
    own_mib = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes)) / MIB
    optimizer = make_optimizer(settings.optimizer.name, settings.optimizer.weight_decay)
    spread = parallel.make_parallel("pmap")
    state = spread.replicate(TrainState(jnp.int32(0), params, optimizer.init(params)))
    sharded = spread.shard(batch, 1)
    arguments = (sharded, np.asarray(jax.random.key_data(jax.random.key(1))), np.float32(0.01))
    compiled = spread.compile(spread.parallelize(make_step(task, optimizer, lambda batch: batch)), state, *arguments)
    assert compiled is not None  # one process
    for _ in range(2):
        started = time.monotonic()
        state, metrics = compiled(state, *arguments)
        jax.block_until_ready(metrics)
    seconds = time.monotonic() - started
    memory = start.step_memory_mib(compiled)
    told = "unknown" if memory is None else f"{memory:,.0f} MiB"
    kind = f"{network.temporal}, {network.dtype}{', remat' if network.remat else ''}"
    return f"| {kind} | {stored_mib - own_mib:,.0f} MiB | {told} | {seconds:.0f} s |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", default=["none", "conv", "gru", "ltae"], choices=TEMPORAL)
    parser.add_argument("--frames", type=int, default=SeriesFineTuning().data.frames)
    parser.add_argument("--side_px", type=int, default=SeriesFineTuning().data.context_px)
    parser.add_argument("--remat", action="store_true")
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    for temporal in options.variants:
        network = dataclasses.replace(
            SeriesFineTuning().model.network(), temporal=temporal, remat=options.remat, dtype=options.dtype
        )
        print(measure(network, options.frames, options.side_px), flush=True)


if __name__ == "__main__":
    main()
