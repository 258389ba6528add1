"""Multilooking: means over squares of pixels before the network, which trade resolution for less speckle and less work."""

import jax
import jax.numpy as jnp


def average_looks(x: jax.Array, looks: int) -> jax.Array:
    """Means over looks x looks pixels: (B, H, W, C) -> (B, H / looks, W / looks, C)."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // looks, looks, width // looks, looks, channels).mean((2, 4))


def enlarge(x: jax.Array, looks: int) -> jax.Array:
    """Bilinear interpolation to looks times the size, each mean in the middle of its square; level beyond the border.

    (B, H, W, C) -> (B, looks * H, looks * W, C).
    """
    for axis in (1, 2):
        x = _enlarge_axis(x, looks, axis)
    return x


def _enlarge_axis(x: jax.Array, looks: int, axis: int) -> jax.Array:
    size = x.shape[axis]
    padded = jnp.concatenate([_part(x, 0, 1, axis), x, _part(x, size - 1, size, axis)], axis)
    phases = []
    for phase in range(looks):
        place = (phase + 0.5) / looks + 0.5  # of the output pixel, counted from the mean before
        first = int(place)
        before, after = (_part(padded, start, start + size, axis) for start in (first, first + 1))
        phases.append(before * (first + 1 - place) + after * (place - first))
    shape = (*x.shape[:axis], looks * size, *x.shape[axis + 1 :])
    return jnp.stack(phases, axis + 1).reshape(shape)


def _part(x: jax.Array, start: int, end: int, axis: int) -> jax.Array:
    return jax.lax.slice_in_dim(x, start, end, axis=axis)
