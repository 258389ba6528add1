"""Norms, linear layers and GELU: Flax's parameters and numbers, computed in fewer passes over the maps, gradients above all."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Map = Float[Array, "*axes channels"]
Vector = Float[Array, " channels"]


def largest_divisor(number: int, most: int) -> int:
    """The largest divisor of `number` that is at most `most`, both at least 1: how many of equal parts are taken at once."""
    return next(n for n in range(min(most, number), 0, -1) if number % n == 0)


def _last(vector: jax.Array, x: jax.Array) -> jax.Array:
    """A vector of channels with as many axes as x."""
    return vector.reshape((1,) * (x.ndim - 1) + vector.shape)


def gelu(x: Map) -> Map:
    """x times the normal distribution function of x (Hendrycks and Gimpel 2016, arXiv 1606.08415), without approximation.

    By `erf`; `jax.nn.gelu` takes `erfc`, which CPUs compute six times as slowly. The barrier makes the constants vectors of
    the program, which XLA does not write out as maps, as it does with constants on CPUs.
    """
    vectors = jax.lax.optimization_barrier([jnp.full(x.shape[-1], value, x.dtype) for value in (1, np.sqrt(0.5))])
    one, root_half = (_last(vector, x) for vector in vectors)
    scaled = x * root_half
    return scaled * (one + jax.lax.erf(scaled)) * root_half


def summed(x: Map) -> Float[Array, " channels"]:
    """Sums over all axes but the last, float32."""

    def product(x: jax.Array) -> jax.Array:  # CPUs add rows faster this way
        rows = x.reshape(-1, x.shape[-1])
        return jnp.dot(jnp.ones((1, len(rows)), rows.dtype), rows, preferred_element_type=jnp.float32)[0]

    def plain(x: jax.Array) -> jax.Array:
        return x.sum(tuple(range(x.ndim - 1)), dtype=jnp.float32)

    return jax.lax.platform_dependent(x, cpu=product, default=plain)


@jax.custom_vjp
def with_bias(x: Map, bias: Vector) -> Map:
    """x + bias."""
    return x + _last(bias, x)


with_bias.defvjp(lambda x, bias: (with_bias(x, bias), None), lambda _, g: (g, summed(g).astype(g.dtype)))


@jax.custom_vjp
def multiplied(x: Map, kernel: Float[Array, "channels outputs"]) -> Float[Array, "*axes outputs"]:
    """x @ kernel."""
    return jax.lax.dot_general(x, kernel, (((x.ndim - 1,), (0,)), ((), ())))


def _multiplied_backward(inputs: tuple[jax.Array, jax.Array], g: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, kernel = inputs
    rows, g_rows = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1])  # as matrices, which CPUs multiply faster
    return jnp.dot(g_rows, kernel.T).reshape(x.shape), jnp.dot(rows.T, g_rows)


multiplied.defvjp(lambda x, kernel: (multiplied(x, kernel), (x, kernel)), _multiplied_backward)


class Linear(nn.Module):
    """`nn.Dense`: (..., C) -> (..., features) in `dtype`."""

    features: int
    use_bias: bool = True
    dtype: Any = jnp.float32
    kernel_init: Any = nn.initializers.lecun_normal()
    bias_init: Any = nn.initializers.zeros

    @nn.compact
    def __call__(self, x: Map) -> Float[Array, "*axes features"]:
        kernel = jnp.asarray(self.param("kernel", self.kernel_init, (x.shape[-1], self.features)), self.dtype)
        y = multiplied(x.astype(self.dtype), kernel)
        if not self.use_bias:
            return y
        return with_bias(y, jnp.asarray(self.param("bias", self.bias_init, (self.features,)), self.dtype))


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def layer_normalised(x: Map, scale: Vector, bias: Vector, epsilon: float) -> Map:
    """Each vector with mean 0 and variance 1 over its channels, times `scale`, plus `bias`. Computed in float32."""
    return _layer_forward(x, scale, bias, epsilon)[0]


def _layer_forward(x: jax.Array, scale: jax.Array, bias: jax.Array, epsilon: float) -> tuple[jax.Array, tuple]:
    exact = x.astype(jnp.float32)
    mean = exact.mean(-1, keepdims=True)
    centred = exact - mean
    factor = jax.lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + epsilon)
    return (centred * factor * _last(scale, x) + _last(bias, x)).astype(x.dtype), (x, scale, mean, factor)


def _layer_backward(_: float, inputs: tuple, g: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    x, scale, mean, factor = inputs
    g = g.astype(jnp.float32)
    unit = (x.astype(jnp.float32) - mean) * factor
    to_unit = g * _last(scale, x)
    along = (to_unit * unit).mean(-1, keepdims=True)
    to_x = (to_unit - to_unit.mean(-1, keepdims=True) - unit * along) * factor
    return to_x.astype(x.dtype), summed(g * unit), summed(g)


layer_normalised.defvjp(_layer_forward, _layer_backward)


class LayerNorm(nn.Module):
    """`nn.LayerNorm` over the last axis, with the variance from squared differences: any shape, in the type of x."""

    epsilon: float
    scale_init: Any = nn.initializers.ones

    @nn.compact
    def __call__(self, x: Map) -> Map:
        scale, bias = _scale_and_bias(self, x.shape[-1], self.scale_init)
        return layer_normalised(x, scale, bias, self.epsilon)


def _scale_and_bias(module: nn.Module, channels: int, scale_init: Any) -> tuple[jax.Array, jax.Array]:
    scale = module.param("scale", scale_init, (channels,))
    return jnp.asarray(scale), jnp.asarray(module.param("bias", nn.initializers.zeros, (channels,)))


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def group_normalised_swish(x: Map, scale: Vector, bias: Vector, groups: int, epsilon: float) -> Map:
    """Group norm and swish: y * sigmoid(y), where each image of y has mean 0 and variance 1 in each group of channels, times
    `scale`, plus `bias`. The first axis counts images. Computed in float32, the variance from squared differences.
    """
    return _group_forward(x, scale, bias, groups, epsilon)[0]


def _group_forward(
    x: jax.Array, scale: jax.Array, bias: jax.Array, groups: int, epsilon: float
) -> tuple[jax.Array, tuple]:
    exact = x.astype(jnp.float32)
    mean = _of_groups(exact, groups)
    factor = jax.lax.rsqrt(_of_groups(jnp.square(exact - mean), groups) + epsilon)
    y = (exact - mean) * (factor * _last(scale, x)) + _last(bias, x)
    return nn.swish(y).astype(x.dtype), (x, scale, bias, mean, factor)


def _of_groups(x: jax.Array, groups: int) -> jax.Array:
    """The mean over pixels and the channels of a group: (B, ..., C) -> (B, 1, ..., C). Pixels first: groups are narrow."""
    of_channels = x.mean(tuple(range(1, x.ndim - 1)), keepdims=True)
    means = of_channels.reshape(x.shape[0], groups, -1).mean(-1)
    return means.repeat(x.shape[-1] // groups, axis=-1).reshape(of_channels.shape)


def _group_backward(groups: int, _: float, inputs: tuple, g: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    x, scale, bias, mean, factor = inputs
    unit = (x.astype(jnp.float32) - mean) * factor
    y = unit * _last(scale, x) + _last(bias, x)
    sigmoid = jax.nn.sigmoid(y)
    to_y = g.astype(jnp.float32) * (sigmoid * (1 + y * (1 - sigmoid)))
    to_unit = to_y * _last(scale, x)
    along = _of_groups(to_unit * unit, groups)
    to_x = (to_unit - _of_groups(to_unit, groups) - unit * along) * factor
    return to_x.astype(x.dtype), summed(to_y * unit), summed(to_y)


group_normalised_swish.defvjp(_group_forward, _group_backward)


class GroupNormSwish(nn.Module):
    """`nn.swish` of `nn.GroupNorm`: (B, ..., C) -> the same shape and type."""

    groups: int
    epsilon: float

    @nn.compact
    def __call__(self, x: Map) -> Map:
        scale, bias = _scale_and_bias(self, x.shape[-1], nn.initializers.ones)
        return group_normalised_swish(x, scale, bias, self.groups, self.epsilon)
