"""Data parallelism: one per-device step on every device of this process (and, with `jax.distributed`, of the others)."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.training.step import AXIS


def accumulation_steps(batch_size: int, micro_batch_size: int) -> int:
    """Micro-batches that each device works through in one step. Raises `InputError` when the sizes do not divide."""
    devices = jax.device_count()
    if batch_size % (micro_batch_size * devices):
        raise InputError(
            f"--config.batch_size={batch_size} does not divide into micro-batches of --config.micro_batch_size="
            f"{micro_batch_size} on {devices} device(s); choose a multiple of {micro_batch_size * devices}"
        )
    return batch_size // (micro_batch_size * devices)


def parallelize(step: Callable) -> Callable:
    """The per-device step over all devices; the state's buffers are given up to the new state."""
    return jax.pmap(step, axis_name=AXIS, in_axes=(0, 0, None, None), donate_argnums=0)


def replicate(tree: Any) -> Any:
    """A copy of every leaf for each local device, stacked on a leading axis."""
    devices = jax.local_devices()
    # Under the step's own axis name: with another, the second step would be compiled anew.
    return jax.pmap(lambda _, x: x, AXIS, in_axes=(0, None), devices=devices)(jnp.zeros(len(devices)), tree)


def unreplicate(tree: Any) -> Any:
    """The first device's copy, as numpy arrays."""
    return jax.tree.map(lambda x: np.asarray(x.addressable_shards[0].data)[0], tree)


def shard(batch: dict[str, np.ndarray], micro_batch_size: int) -> dict[str, np.ndarray]:
    """(local batch, ...) -> (local devices, accumulation, micro-batch, ...)."""
    devices = jax.local_device_count()
    return {k: v.reshape(devices, -1, micro_batch_size, *v.shape[1:]) for k, v in batch.items()}
