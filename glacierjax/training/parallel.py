"""Data parallelism: runs the per-device step on every device of this process and, with `jax.distributed`, of all processes.

Two implementations compute the same numbers: `jax.pmap`, and `jax.jit` with `jax.shard_map`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from glacierjax.core.errors import InputError
from glacierjax.data.samples import Sample
from glacierjax.training.step import AXIS, Batch, Step, TrainState

ONE_FOR_ALL, ONE_EACH = PartitionSpec(), PartitionSpec(AXIS)


Tree = TypeVar("Tree")  # any tree of arrays
Metrics = dict[str, jax.Array]
Sharded = Mapping[str, jax.Array | np.ndarray]  # a batch spread over the devices


@runtime_checkable
class SpreadStep(Protocol):
    """A step over all devices, to be called or compiled (what `jax.jit` and `jax.pmap` return)."""

    def __call__(self, *arguments: Any) -> tuple[TrainState, Metrics]: ...

    def lower(self, *arguments: Any) -> jax.stages.Lowered: ...


@runtime_checkable
class Parallel(Protocol):
    """How state, batches and step are placed on the devices."""

    def parallelize(self, step: Step) -> SpreadStep:
        """The step of `make_step` on all devices: (replicated state, sharded batch, key data, learning rate) -> (state, metrics).

        The buffers of the old state are donated to the new one. The key is passed as `jax.random.key_data` and the learning
        rate as float32, both NumPy arrays, so that each of several processes can pass its own copy.
        """
        ...

    def compile(self, step: SpreadStep, *arguments: object) -> jax.stages.Compiled | None:
        """The result of `parallelize`, compiled for these arguments; None if it can only be compiled by calling it."""
        ...

    def replicate(self, tree: Tree) -> Tree:
        """A copy of every leaf on each device."""
        ...

    def shard(self, batch: Sample, micro_batch_size: int) -> Sharded:
        """The local part of a batch on its devices: (local batch, ...) -> (devices, accumulation, micro-batch, ...)."""
        ...

    def fetch(self, tree: Tree) -> Tree:
        """One copy of a replicated tree or of the metrics, as NumPy arrays."""
        ...


def micro_batch(batch_size: int, micro_batch_size: int) -> int:
    """`micro_batch_size`, or the share of each device if it is 0; then nothing is accumulated."""
    return micro_batch_size or max(1, batch_size // jax.device_count())


def accumulation_steps(batch_size: int, micro_batch_size: int) -> int:
    """Number of micro-batches per device and step. Raises `InputError` when the sizes do not divide."""
    devices = jax.device_count()
    if batch_size % (micro_batch_size * devices):
        raise InputError(
            f"`config.batch_size`={batch_size} does not divide into micro-batches of `config.micro_batch_size`="
            f"{micro_batch_size} on {devices} device(s); choose a multiple of {micro_batch_size * devices}"
        )
    return batch_size // (micro_batch_size * devices)


def split_micro_batches(batch: Sample, micro_batch_size: int) -> Sample:
    """(local batch, ...) -> (local devices, accumulation, micro-batch, ...)."""
    devices = jax.local_device_count()
    return {k: v.reshape(devices, -1, micro_batch_size, *v.shape[1:]) for k, v in batch.items()}


class Pmap:
    """`jax.pmap`: every array has a leading device axis. `devices` other than those that are there: to compile for them."""

    def __init__(self, devices: Sequence[Any] | None = None) -> None:
        self._devices = devices

    def parallelize(self, step: Step) -> SpreadStep:
        def run(
            state: TrainState, batch: Batch, key_data: jax.Array, learning_rate: jax.Array
        ) -> tuple[TrainState, Metrics]:
            return step(state, batch, jax.random.wrap_key_data(key_data), learning_rate)

        return jax.pmap(run, AXIS, in_axes=(0, 0, None, None), donate_argnums=0, devices=self._devices)

    def compile(self, step: SpreadStep, *arguments: object) -> jax.stages.Compiled | None:
        # With several processes, each passes `pmap` the part of its own devices; a compiled `pmap` expects all parts.
        return step.lower(*arguments).compile() if jax.process_count() == 1 else None

    def replicate(self, tree: Tree) -> Tree:
        devices = jax.local_devices()
        # The axis name must be the step's: with another one, the second step would be compiled again.
        return jax.pmap(lambda _, x: x, AXIS, in_axes=(0, None), devices=devices)(jnp.zeros(len(devices)), tree)

    def shard(self, batch: Sample, micro_batch_size: int) -> Sharded:
        return split_micro_batches(batch, micro_batch_size)

    def fetch(self, tree: Tree) -> Tree:
        return jax.tree.map(lambda x: np.asarray(x.addressable_shards[0].data)[0], tree)


class ShardMap:
    """`jax.jit` and `jax.shard_map`: arrays span all devices; the state is replicated on each of them. `devices` as in `Pmap`."""

    def __init__(self, devices: Sequence[Any] | None = None) -> None:
        # Sorted by process, so that each process's part of a batch is on its own devices.
        devices = sorted(devices or jax.devices(), key=lambda device: (device.process_index, device.id))
        self._mesh = Mesh(np.array(devices), (AXIS,))

    def parallelize(self, step: Step) -> SpreadStep:
        def run(
            state: TrainState, batch: Batch, key_data: jax.Array, learning_rate: jax.Array
        ) -> tuple[TrainState, Metrics]:
            own = jax.tree.map(lambda x: x[0], batch)
            return step(state, own, jax.random.wrap_key_data(key_data), learning_rate)

        mapped = jax.shard_map(
            run,
            mesh=self._mesh,
            in_specs=(ONE_FOR_ALL, ONE_EACH, ONE_FOR_ALL, ONE_FOR_ALL),
            out_specs=(ONE_FOR_ALL, ONE_FOR_ALL),
            # With the check, JAX sums the gradients of replicated parameters over the devices before the step's own
            # `pmean`. They would be n times too large, without an error.
            check_vma=False,
        )
        return jax.jit(mapped, donate_argnums=0)

    def compile(self, step: SpreadStep, *arguments: object) -> jax.stages.Compiled | None:
        return step.lower(*arguments).compile()

    def replicate(self, tree: Tree) -> Tree:
        # Copied on the device, because the step donates these buffers; the caller's arrays must stay valid.
        copied = jax.jit(lambda x: jax.tree.map(jnp.copy, x), out_shardings=NamedSharding(self._mesh, ONE_FOR_ALL))
        return copied(jax.device_get(tree))

    def shard(self, batch: Sample, micro_batch_size: int) -> Sharded:
        sharding = NamedSharding(self._mesh, ONE_EACH)
        pieces = split_micro_batches(batch, micro_batch_size)
        return {k: jax.make_array_from_process_local_data(sharding, v) for k, v in pieces.items()}

    def fetch(self, tree: Tree) -> Tree:
        return jax.tree.map(lambda x: np.asarray(x.addressable_shards[0].data), tree)


BACKENDS: dict[str, type[Pmap] | type[ShardMap]] = {"pmap": Pmap, "shard_map": ShardMap}


def make_parallel(name: str) -> Parallel:
    """The implementation that `--config.parallel` names, one of `core.choices.PARALLEL`."""
    return BACKENDS[name]()
