"""Three training steps of four micro-batches over the devices of this process; prints losses as JSON (test_parallel.py)."""

import json
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.core.zones import NUM_ZONES
from glacierjax.tasks import Segmentation
from glacierjax.training import parallel
from glacierjax.training.optim import make_optimizer
from glacierjax.training.step import create_state, make_step

MICRO_BATCH, BATCH, SIDE_PX = 2, 8, 16


class SmallNetwork(nn.Module):
    """What matters here: parameters, dropout and the shape of zone logits. It compiles in a second."""

    @nn.compact
    def __call__(self, images: jax.Array, train: bool = False) -> jax.Array:
        x = nn.gelu(nn.Conv(8, (3, 3))(images))
        x = nn.Dropout(0.3, deterministic=not train)(x)
        return nn.Conv(NUM_ZONES, (1, 1))(x)


def main() -> None:
    traces = 0

    def prepare(batch):
        nonlocal traces
        traces += 1
        return batch

    network: Any = SmallNetwork()
    task = Segmentation(network)
    optimizer = make_optimizer("sgd", 1e-4)
    generator = np.random.default_rng(0)
    batches = [
        {
            "image": generator.random((BATCH, SIDE_PX, SIDE_PX, 1), np.float32),
            "zones": generator.integers(0, NUM_ZONES, (BATCH, SIDE_PX, SIDE_PX)),
        }
        for _ in range(3)
    ]
    example = {key: value[:MICRO_BATCH] for key, value in batches[0].items()}
    state = parallel.replicate(create_state(task, optimizer, jax.random.key(0), example))
    update = parallel.parallelize(make_step(task, optimizer, prepare))
    losses = []
    for batch in batches:
        sharded = parallel.shard(batch, MICRO_BATCH)
        state, metrics = update(state, sharded, jax.random.key(1), jnp.float32(0.05))
        losses.append(float(metrics["loss"].addressable_shards[0].data[0]))
        if len(losses) == 1:
            traces_of_first = traces
    params = jax.tree.leaves(parallel.unreplicate(state).params)
    print(json.dumps({
        "devices": jax.device_count(),
        "accumulation": parallel.accumulation_steps(BATCH, MICRO_BATCH),
        "losses": losses,
        "parameter_sum": float(sum(np.abs(leaf).sum(dtype=np.float64) for leaf in params)),
        "compilations": traces / traces_of_first,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
