"""A training step on one device: gradients of its micro-batches, their mean over all devices, and the update."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from glacierjax.core.choices import ALL
from glacierjax.training.optim import of_trained

AXIS = "batch"  # name of the device axis
Batch = Mapping[str, jax.Array]  # a micro-batch by name, on a device
Scalar = Float[Array, ""]


@runtime_checkable
class Task(Protocol):
    """What training needs of a task (`glacierjax.tasks`)."""

    def init(self, rng: jax.Array, batch: Batch) -> dict: ...

    def loss(self, params: dict, batch: Batch, rng: jax.Array, train: bool) -> tuple[Scalar, dict[str, Scalar]]: ...


class TrainState(NamedTuple):
    """The state of a training on the device.

    `step` counts optimiser updates; `average` is the running mean of the parameters, which is then validated and saved
    instead of the parameters (None: no running mean).
    """

    step: Int[Array, ""]
    params: dict
    optimizer: optax.OptState
    average: dict | None = None

    @property
    def kept(self) -> dict:
        """The parameters to validate and save."""
        return self.params if self.average is None else self.average


# (state, batch, key, learning rate) -> (state, metrics), on one device
Step = Callable[[TrainState, Batch, jax.Array, Scalar], tuple[TrainState, dict[str, Scalar]]]


def create_state(
    task: Task,
    optimizer: optax.GradientTransformation,
    rng: jax.Array,
    batch: Batch,
    initial: Callable[[dict], dict] | None = None,
) -> TrainState:
    """A fresh state without running mean; `batch` is any micro-batch with the right shapes.

    `initial` gets the shapes of all parameters and may give arrays instead of them. What is still a shape then is drawn at
    random, and nothing is compiled for the rest.
    """
    init = jax.jit(task.init)
    shapes = init.eval_shape(rng, batch)
    leaves, tree = jax.tree.flatten(shapes if initial is None else initial(shapes))
    drawn = [i for i, leaf in enumerate(leaves) if isinstance(leaf, jax.ShapeDtypeStruct)]
    if drawn:
        draw = jax.jit(lambda rng, batch: [jax.tree.leaves(init(rng, batch))[i] for i in drawn])
        for i, leaf in zip(drawn, draw(rng, batch), strict=True):
            leaves[i] = leaf
    params = jax.tree.unflatten(tree, leaves)
    return TrainState(jnp.int32(0), params, optimizer.init(params))


def updated_average(average: dict, params: dict, step: Int[Array, ""], decay: float) -> dict:
    """The running mean after one step: decay * average + (1 - decay) * params, with a smaller decay in the first steps."""
    weight = 1 - jnp.minimum(decay, (1 + step) / (10 + step))
    return jax.tree.map(lambda new, old: weight * new + (1 - weight) * old, params, average)


def make_step(
    task: Task,
    optimizer: optax.GradientTransformation,
    prepare: Callable[[Batch], Batch],
    average_decay: float = 0.0,
    skip_nonfinite: bool = False,
    trained: str = ALL,
) -> Step:
    """The per-device step: (state, batch, key, learning_rate) -> (state, metrics), inside an axis named `AXIS`.

    `batch` leaves are (accumulation, micro-batch, ...); `prepare` converts a micro-batch as read into the batch of the task.
    The random key of a micro-batch depends on the step and on its global number, so the result does not depend on how
    micro-batches are distributed over devices and accumulation. `average_decay` is used only if the state has an average.
    With `skip_nonfinite`, a step whose loss or gradient is not finite changes only the step count. `trained`: as of the
    optimiser (`make_optimizer`).
    """

    def gradient(params: dict, batch: Batch, key: jax.Array) -> tuple[dict, dict[str, Scalar]]:
        (loss, terms), grads = jax.value_and_grad(task.loss, has_aux=True)(params, prepare(batch), key, True)
        return of_trained(grads, trained), {"loss": loss, **terms}

    def step(
        state: TrainState, batch: Batch, key: jax.Array, learning_rate: Float[Array, ""]
    ) -> tuple[TrainState, dict[str, Scalar]]:
        accumulation = jax.tree.leaves(batch)[0].shape[0]
        first = jax.lax.axis_index(AXIS) * accumulation
        key = jax.random.fold_in(key, state.step)

        def one(number: int | Int[Array, ""]) -> tuple[dict, dict[str, Scalar]]:
            micro_batch = jax.tree.map(lambda x: x[number], batch)
            return gradient(state.params, micro_batch, jax.random.fold_in(key, first + number))

        if accumulation == 1:
            total = one(0)
        else:  # starts from zeros, not from one(0), so that the gradient is compiled only once

            def add(number: Int[Array, ""], total: tuple) -> tuple:
                return jax.tree.map(jnp.add, total, one(number))

            zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(one, 0))
            total = jax.lax.fori_loop(0, accumulation, add, zeros)
        grads, metrics = jax.lax.pmean(jax.tree.map(lambda x: x / accumulation, total), AXIS)

        direction, optimizer_state = optimizer.update(grads, state.optimizer, state.params)
        params = jax.tree.map(lambda p, d: p - learning_rate * d, state.params, direction)
        metrics["gradient_norm"] = optax.tree.norm(grads)
        average = None if state.average is None else updated_average(state.average, params, state.step, average_decay)
        new = TrainState(state.step + 1, params, optimizer_state, average)
        if skip_nonfinite:
            finite = jnp.isfinite(metrics["loss"]) & jnp.isfinite(metrics["gradient_norm"])
            new = jax.tree.map(lambda after, before: jnp.where(finite, after, before), new, state)
            new = new._replace(step=state.step + 1)
        return new, metrics

    return step
