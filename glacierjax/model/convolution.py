"""Convolutions that start as PyTorch's do, with gradients that are fast on CPUs, inside loops too."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from glacierjax.model.layers import largest_divisor

LAYOUT = ("NHWC", "HWIO", "NHWC")
GRADIENT_BLOCK_PX = 512  # 256 to 1024 are about as fast, 4096 is slower


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


Parameters = tuple[jax.Array, jax.Array]  # kernel and bias of a convolution


def conv_parameters(module: nn.Module, in_channels: int, channels: int, size: int) -> Parameters:
    """Kernel (size, size, in_channels, channels) and bias (channels,) of `conv`, as parameters of a module."""
    kernel = module.param("kernel", _kernel_init, (size, size, in_channels, channels))
    bias = module.param("bias", uniform_init(in_channels * size * size), (channels,))
    return jnp.asarray(kernel), jnp.asarray(bias)  # those of a checkpoint are numpy arrays


class ConvParameters(nn.Module):
    """The parameters of `conv` alone, for a convolution that is folded into another."""

    in_channels: int
    channels: int
    size: int

    @nn.compact
    def __call__(self) -> Parameters:
        return conv_parameters(self, self.in_channels, self.channels, self.size)


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
    rows, columns = kernel.shape[:2]
    return convolve(x, kernel, (rows // 2, columns // 2) if padding == "SAME" else (0, 0))


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
    On CPUs the gradients are therefore written out, as convolutions in `LAYOUT` and products of matrices.
    """
    return _convolve(x, kernel, zeros)


def _forward(x: jax.Array, kernel: jax.Array, zeros: tuple[int, int]) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _convolve(x, kernel, zeros), (x, kernel)


def _image_gradient(kernel: jax.Array, gradient: jax.Array, zeros: tuple[int, int]) -> jax.Array:
    """A convolution with the mirrored kernel; or, where it makes no map larger, one product of matrices and a shifted sum."""
    rows, columns, inputs, outputs = kernel.shape
    if kernel.size > outputs**2:
        # The barrier keeps the compiler from folding the transposition into the convolution's layout again.
        mirrored = jax.lax.optimization_barrier(kernel[::-1, ::-1].transpose(0, 1, 3, 2))
        return _convolve(gradient, mirrored, (rows - 1 - zeros[0], columns - 1 - zeros[1]))
    products = gradient @ kernel.transpose(3, 0, 1, 2).reshape(outputs, -1)
    products = products.reshape(*gradient.shape[:3], rows, columns, inputs)

    def shifted(row: int, column: int) -> jax.Array:
        down, right = row - zeros[0], column - zeros[1]
        around = (0, 0, 0), (down, rows - 1 - row - zeros[0], 0), (right, columns - 1 - column - zeros[1], 0), (0, 0, 0)
        return jax.lax.pad(products[:, :, :, row, column], jnp.zeros((), products.dtype), around)

    return sum(
        (shifted(row, column) for row in range(rows) for column in range(columns)), jnp.zeros((), products.dtype)
    )


def _kernel_gradient(x: jax.Array, kernel: jax.Array, gradient: jax.Array, zeros: tuple[int, int]) -> jax.Array:
    """The kernel's gradient as products of matrices: the kernel's views of a few rows of x, times the gradient there.

    The rows are so few that their views stay in the processor's cache. XLA's convolution for this gradient, with images as
    channels, reaches a quarter of the speed.
    """
    rows, columns, inputs, outputs = kernel.shape
    batch, height, width, _ = gradient.shape
    blocks = -(-height // max(1, GRADIENT_BLOCK_PX // width))
    block_rows = -(-height // blocks)
    missing = blocks * block_rows - height
    x = jnp.pad(x, ((0, 0), (zeros[0], zeros[0] + missing), (zeros[1], zeros[1]), (0, 0)))
    gradient = jnp.pad(gradient, ((0, 0), (0, missing), (0, 0), (0, 0)))
    # Small images are taken together.
    images = largest_divisor(batch, max(1, GRADIENT_BLOCK_PX // (height * width)))

    def add(total: jax.Array, number: jax.Array) -> tuple[jax.Array, None]:
        corner = number // blocks * images, number % blocks * block_rows, 0, 0
        seen = jax.lax.dynamic_slice(x, corner, (images, block_rows + rows - 1, *x.shape[2:]))
        views = [
            seen[:, row : row + block_rows, column : column + width] for row in range(rows) for column in range(columns)
        ]
        here = jax.lax.dynamic_slice(gradient, corner, (images, block_rows, width, outputs)).reshape(-1, outputs)
        matrix = jnp.concatenate(views, -1).reshape(-1, rows * columns * inputs)
        return total + jnp.dot(matrix.T, here, preferred_element_type=jnp.float32), None

    zero = jnp.zeros((rows * columns * inputs, outputs), jnp.float32)
    total, _ = jax.lax.scan(add, zero, jnp.arange(batch // images * blocks))
    return total.reshape(kernel.shape).astype(kernel.dtype)


def _backward(
    zeros: tuple[int, int], inputs: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def derived(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.vjp(lambda x, kernel: _convolve(x, kernel, zeros), x, kernel)[1](gradient)

    def written(x: jax.Array, kernel: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
        return _image_gradient(kernel, gradient, zeros), _kernel_gradient(x, kernel, gradient, zeros)

    return jax.lax.platform_dependent(*inputs, gradient, cpu=written, default=derived)


convolve.defvjp(_forward, _backward)
