"""Random masks of patch tokens for masked image modelling."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool


def num_masked(tokens: int, ratio: float) -> int:
    """Number of masked tokens; 4915 of 16384 at ratio 0.3, as in lightly 1.5.18 and later."""
    return tokens - (int((tokens - 1) * (1 - ratio)) + 1)


def random_mask(
    rng: jax.Array, batch: int, height: int, width: int, ratio: float
) -> Bool[Array, "{batch} {height} {width}"]:
    """(B, height, width) bool, true = masked. The same number in each image, drawn uniformly; token 0 is never masked."""
    tokens = height * width
    scores = jax.random.uniform(rng, (batch, tokens)).at[:, 0].set(-1.0)
    order = jnp.argsort(scores, axis=-1)
    masked = order[:, tokens - num_masked(tokens, ratio) :]
    mask = jnp.zeros((batch, tokens), bool).at[jnp.arange(batch)[:, None], masked].set(True)
    return mask.reshape(batch, height, width)


def random_unit_mask(
    rng: jax.Array, batch: int, height: int, width: int, ratio: float, unit: int
) -> Bool[Array, "{batch} {height} {width}"]:
    """As `random_mask`, but masks whole squares of `unit` x `unit` tokens; squares at the last rows or columns may be cut off."""
    units = random_mask(rng, batch, -(-height // unit), -(-width // unit), ratio)
    return units.repeat(unit, axis=1).repeat(unit, axis=2)[:, :height, :width]
