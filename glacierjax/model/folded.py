"""Doubling the size of a map: upsampling by two and 3 x 3 convolution as one, and the 1 x 1 convolution behind it too.

These layers are linear, so their kernels multiply to one kernel. Upsampling repeats each row, so three neighbouring rows of the
upsampled map contain only two different rows of the small map. One 2 x 2 convolution of the small map therefore gives all four
kinds of output pixels (even and odd rows and columns), for four ninths of the arithmetic. In the published network, whose head
is folded in at the end, this also saves the largest feature map, 96 channels at full size.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from glacierjax.model.convolution import LAYOUT, Parameters, conv_parameters, convolve

# For even and odd rows of the upsampled map: which of the two rows (0, 1) of the small map each of three taps reads.
_SEEN = ((0, 1, 1), (0, 0, 1))
_TAPS = np.array([[[float(seen == row) for seen in kind] for row in (0, 1)] for kind in _SEEN], np.float32)


def doubled(
    x: Float[Array, "batch height width channels"],
    up: Parameters,
    head: Parameters | None = None,
    dtype: Any = jnp.float32,
) -> Float[Array, "batch 2*height 2*width outputs"]:
    """Upsampling of x by two, then a 3 x 3, then perhaps a 1 x 1 convolution: (B, H, W, C) -> (B, 2H, 2W, D).

    Kernels `up` (3, 3, C, E) and `head` (1, 1, E, D), biases (E,) and (D,). Computed in `dtype`, the kernels' product in
    float32.
    """
    kernel, bias = _product(up, head)
    y = jax.lax.platform_dependent(x.astype(dtype), kernel.astype(dtype), tpu=_dilated, default=_interleaved)
    return y + bias.astype(dtype)[None, None, None]


def _interleaved(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """The four kinds of output pixels as one convolution, then side by side."""
    batch, height, width, channels = x.shape
    y: Any = convolve(x, kernel.reshape(2, 2, channels, -1), (1, 1))
    # Entry (i, j) of an odd row or column sees the rows i and i + 1 of the small map, of an even one i - 1 and i.
    y = y.reshape(batch, height + 1, width + 1, 2, 2, -1)
    kinds = [y[:, a : a + height, b : b + width, a, b] for a in (0, 1) for b in (0, 1)]
    y = jnp.stack(kinds, axis=3).reshape(batch, height, width, 2, 2, -1).swapaxes(2, 3)
    return y.reshape(batch, 2 * height, 2 * width, -1)


def _dilated(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """One convolution of the small map with zeros between its pixels. TPUs skip those, and interleave slowly."""
    kernel = kernel.transpose(0, 3, 1, 4, 2, 5).reshape(4, 4, x.shape[-1], -1)
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), ((2, 2), (2, 2)), (2, 2), dimension_numbers=LAYOUT)


class Doubling(nn.Module):
    """`doubled` as a layer with the parameters of its 3 x 3 convolution: (B, H, W, C) -> (B, 2H, 2W, C or D)."""

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch height width channels"], head: Parameters | None = None
    ) -> Float[Array, "batch 2*height 2*width outputs"]:
        channels = x.shape[-1]
        return doubled(x, conv_parameters(self, channels, channels, 3), head, self.dtype)


def _product(up: Parameters, head: Parameters | None) -> Parameters:
    """Kernel (2, 2, C, 2, 2, D), with its last axes 2 x 2 for even and odd rows and columns, and bias (D,)."""
    exact = jax.lax.Precision.HIGHEST  # otherwise TPUs would round the kernels to bfloat16
    kernel, bias = up
    if head is not None:
        to_head = head[0][0, 0]
        kernel = jnp.einsum("tuce,ed->tucd", kernel, to_head, precision=exact)
        bias = jnp.dot(bias, to_head, precision=exact) + head[1]
    return jnp.einsum("aot,bpu,tucd->opcabd", _TAPS, _TAPS, kernel, precision=exact), bias
