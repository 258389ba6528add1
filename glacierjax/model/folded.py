"""The last layers as one convolution: upsampling by two, 3 x 3 and 1 x 1 convolution, without a full-size feature map between.

All three layers are linear, so their kernels multiply to one kernel. Upsampling repeats each row, so three neighbouring rows of
the upsampled map contain only two different rows of the small map. One 3 x 3 convolution of the small map therefore gives all
four kinds of output pixels (even and odd rows and columns). In the published network this saves a quarter of the arithmetic and
the largest feature map, 96 channels at full size.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from glacierjax.model.convolution import same_size_conv

# For even and odd rows of the upsampled map: the neighbour (-1, 0, 1) in the small map that each of three taps reads.
_SEEN = ((-1, 0, 0), (0, 0, 1))
_TAPS = np.array([[[float(seen == row) for seen in kind] for row in (-1, 0, 1)] for kind in _SEEN], np.float32)
Parameters = tuple[jax.Array, jax.Array]  # kernel and bias of a convolution


def doubled(
    x: Float[Array, "batch height width channels"], up: Parameters, head: Parameters
) -> Float32[Array, "batch 2*height 2*width outputs"]:
    """Upsampling of x by two, then a 3 x 3, then a 1 x 1 convolution: (B, H, W, C) -> (B, 2H, 2W, D) float32.

    Kernels `up` (3, 3, C, E) and `head` (1, 1, E, D), biases (E,) and (D,). Computed in float32 for every type of x.
    """
    batch, height, width, channels = x.shape
    kernel, bias = _product(up, head)
    y = same_size_conv(x.astype(jnp.float32), kernel.reshape(3, 3, channels, -1))
    y = y.reshape(batch, height, width, 2, 2, -1).transpose(0, 1, 3, 2, 4, 5)
    return y.reshape(batch, 2 * height, 2 * width, -1) + bias[None, None, None]


def _product(up: Parameters, head: Parameters) -> Parameters:
    """Kernel (3, 3, C, 2, 2, D), with axes 2 x 2 for even and odd rows and columns, and bias (D,)."""
    exact = jax.lax.Precision.HIGHEST  # otherwise TPUs would round the kernels to bfloat16
    to_head = head[0][0, 0]
    kernel = jnp.einsum("tuce,ed->tucd", up[0], to_head, precision=exact)
    kernel = jnp.einsum("aot,bpu,tucd->opcabd", _TAPS, _TAPS, kernel, precision=exact)
    return kernel, jnp.dot(up[1], to_head, precision=exact) + head[1]
