"""Convolutions that start as PyTorch's do, with gradients that CPUs compute fast inside loops too."""

import math
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LAYOUT = ("NHWC", "HWIO", "NHWC")


def conv(in_channels: int, channels: int, size: int, stride: int = 1, **fields: Any) -> nn.Conv:
    """A convolution with kernel and bias uniform in +- 1 / sqrt(fan in); without stride it keeps the size of the image.

    The biases matter: without them a LayerNorm behind the patch embedding would hide how bright a patch is.
    """
    if stride == 1:
        fields["conv_general_dilated"] = lambda x, kernel, *_, **__: same_size_conv(x, kernel)
    return nn.Conv(
        channels, (size, size), stride, "VALID" if stride > 1 else "SAME",
        kernel_init=_kernel_init, bias_init=_bias_init(in_channels * size * size), **fields,
    )  # fmt: skip


class ConvParameters(nn.Module):
    """The parameters of `conv` alone, kernel (K, K, C, D) and bias (D,), for `folded.doubled`."""

    in_channels: int
    channels: int
    size: int

    @nn.compact
    def __call__(self) -> tuple[Float[Array, "size size inputs outputs"], Float[Array, " outputs"]]:
        kernel = self.param("kernel", _kernel_init, (self.size, self.size, self.in_channels, self.channels))
        return kernel, self.param("bias", _bias_init(self.in_channels * self.size**2), (self.channels,))


_kernel_init = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")


def _bias_init(fan_in: int) -> Any:
    bound = 1 / math.sqrt(fan_in)

    def init(key: jax.Array, shape: Sequence[int], dtype: Any = jnp.float32) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


def _convolve(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=LAYOUT)


@jax.custom_vjp
def same_size_conv(
    x: Float[Array, "batch height width inputs"], kernel: Float[Array, "size size inputs outputs"]
) -> Float[Array, "batch height width outputs"]:
    """(B, H, W, C) and an odd kernel (K, K, C, D) -> (B, H, W, D), zeros around the image.

    Inside a loop, as over accumulated micro-batches, XLA's CPU compiler has fast code only for convolutions in the layout
    `LAYOUT`. The gradients that JAX derives use other layouts and are tens of times slower (docs/reference/benchmarks.md).
    On CPUs the gradients are therefore written as convolutions in `LAYOUT`.
    """
    return _convolve(x, kernel)


def _forward(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _convolve(x, kernel), (x, kernel)


def _backward(inputs: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.lax.platform_dependent(*inputs, gradient, cpu=_cpu_gradients, default=_derived_gradients)


def _derived_gradients(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.vjp(_convolve, x, kernel)[1](gradient)


def _cpu_gradients(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    half = kernel.shape[0] // 2
    # The barriers keep the compiler from folding the transpositions into the convolutions' layout again.
    mirrored = jax.lax.optimization_barrier(kernel[::-1, ::-1].transpose(0, 1, 3, 2))
    to_x = _convolve(gradient, mirrored)
    # Channels as images and images as channels: (C, H, W, B) with the "kernel" (H, W, B, D) gives (C, K, K, D).
    images, kernels = jax.lax.optimization_barrier((x.transpose(3, 1, 2, 0), gradient.transpose(1, 2, 0, 3)))
    to_kernel = jax.lax.conv_general_dilated(images, kernels, (1, 1), [(half, half)] * 2, dimension_numbers=LAYOUT)
    return to_x, to_kernel.transpose(1, 2, 0, 3)


same_size_conv.defvjp(_forward, _backward)
