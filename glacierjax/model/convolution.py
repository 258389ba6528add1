"""Convolutions that start as PyTorch's do, with gradients that CPUs compute fast inside loops too."""

import functools
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

    The biases matter: without them a LayerNorm behind the patch embedding would hide how bright a patch is. `padding`
    "REFLECT" mirrors the image at its border, without the edge pixel; the default is zeros.
    """
    if stride == 1:
        fields["conv_general_dilated"] = convolve_for_flax
    fields.setdefault("padding", "VALID" if stride > 1 else "SAME")
    return nn.Conv(
        channels,
        (size, size),
        stride,
        kernel_init=_kernel_init,
        bias_init=uniform_init(in_channels * size * size),
        **fields,
    )


class ConvParameters(nn.Module):
    """The parameters of `conv` alone, kernel (K, K, C, D) and bias (D,), for `folded.doubled`."""

    in_channels: int
    channels: int
    size: int

    @nn.compact
    def __call__(self) -> tuple[Float[Array, "size size inputs outputs"], Float[Array, " outputs"]]:
        kernel = self.param("kernel", _kernel_init, (self.size, self.size, self.in_channels, self.channels))
        bias = self.param("bias", uniform_init(self.in_channels * self.size**2), (self.channels,))
        return jnp.asarray(kernel), jnp.asarray(bias)  # those of a checkpoint are numpy arrays


def _kernel_init(key: jax.Array, shape: Sequence[int], dtype: Any = jnp.float32) -> jax.Array:
    """Uniform in +- 1 / sqrt(fan in) for a kernel (K, L, C, D): Flax's `variance_scaling(1 / 3, "fan_in", "uniform")`.

    The numbers are the same, but drawn as one row: for four axes XLA takes three to five times as long to compile.
    """
    fan_in = math.prod(shape[:-1])
    row = jax.random.uniform(key, (math.prod(shape),), dtype, -1)
    return (row * jnp.sqrt(3 * jnp.array(1 / 3 / fan_in, dtype))).reshape(shape)


def uniform_init(fan_in: int) -> Any:
    """Uniform in +- 1 / sqrt(fan in)."""
    bound = 1 / math.sqrt(fan_in)

    def init(key: jax.Array, shape: Sequence[int], dtype: Any = jnp.float32) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound)

    return init


def convolve_for_flax(x: jax.Array, kernel: jax.Array, strides: Any, padding: str, **_: Any) -> jax.Array:
    """`convolve` in the place of `jax.lax.conv_general_dilated`, as layers of Flax call it, without stride."""
    return convolve(x, kernel, _half(kernel) if padding == "SAME" else (0, 0))


def same_size_conv(
    x: Float[Array, "batch height width inputs"], kernel: Float[Array, "rows columns inputs outputs"]
) -> Float[Array, "batch height width outputs"]:
    """An odd kernel (K, L, C, D), with zeros around the image."""
    return convolve(x, kernel, _half(kernel))


def _half(kernel: jax.Array) -> tuple[int, int]:
    return kernel.shape[0] // 2, kernel.shape[1] // 2


def _convolve(x: jax.Array, kernel: jax.Array, zeros: tuple[int, int]) -> jax.Array:
    padding = [(size, size) for size in zeros]
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=LAYOUT)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve(
    x: Float[Array, "batch height width inputs"],
    kernel: Float[Array, "rows columns inputs outputs"],
    zeros: tuple[int, int],
) -> Float[Array, "batch _ _ outputs"]:
    """Convolution without stride of an image with rows and columns of `zeros` on each side.

    Inside a loop, as over accumulated micro-batches, XLA's CPU compiler has fast code only for convolutions in the layout
    `LAYOUT`. The gradients that JAX derives use other layouts and are tens of times slower (docs/reference/benchmarks.md).
    On CPUs the gradients are therefore written as convolutions in `LAYOUT`.
    """
    return _convolve(x, kernel, zeros)


def _forward(x: jax.Array, kernel: jax.Array, zeros: tuple[int, int]) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _convolve(x, kernel, zeros), (x, kernel)


def _backward(
    zeros: tuple[int, int], inputs: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def derived(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.vjp(lambda x, kernel: _convolve(x, kernel, zeros), x, kernel)[1](gradient)

    def written(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
        # The barriers keep the compiler from folding the transpositions into the convolutions' layout again.
        mirrored = jax.lax.optimization_barrier(kernel[::-1, ::-1].transpose(0, 1, 3, 2))
        rows, columns = (size - 1 - added for size, added in zip(kernel.shape[:2], zeros, strict=True))
        to_x = _convolve(gradient, mirrored, (rows, columns))
        # Channels as images and images as channels: (C, H, W, B) with the "kernel" (H, W, B, D) gives (C, K, L, D).
        images, kernels = jax.lax.optimization_barrier((x.transpose(3, 1, 2, 0), gradient.transpose(1, 2, 0, 3)))
        return to_x, _convolve(images, kernels, zeros).transpose(1, 2, 0, 3)

    return jax.lax.platform_dependent(*inputs, gradient, cpu=written, default=derived)


convolve.defvjp(_forward, _backward)
