"""The network's end as one convolution: doubling, then 3 x 3, then 1 x 1, without a map of full size in between.

All three steps are linear, so their kernels multiply to one kernel. Doubling repeats each row, so three neighbouring rows of the
doubled map show only two rows of the small map. One 3 x 3 convolution of the small map therefore gives all four kinds of output
pixels. In the published network this spares a quarter of the arithmetic and the largest map, 96 channels at full size.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from glacierjax.model.convolution import same_size_conv

# For even and odd rows of the doubled map: the neighbour (-1, 0, 1) in the map before that each of three taps sees.
_SEEN = ((-1, 0, 0), (0, 0, 1))
_TAPS = np.array([[[float(seen == row) for seen in kind] for row in (-1, 0, 1)] for kind in _SEEN], np.float32)
Parameters = tuple[jax.Array, jax.Array]  # kernel and bias of a convolution


def doubled(
    x: Float[Array, "batch height width channels"], up: Parameters, head: Parameters
) -> Float32[Array, "batch 2*height 2*width outputs"]:
    """The 1 x 1 convolution of the 3 x 3 convolution of the doubled map x: (B, H, W, C) -> (B, 2H, 2W, D) float32.

    Kernels `up` (3, 3, C, E) and `head` (1, 1, E, D), biases (E,) and (D,). All in float32, whatever x is.
    """
    batch, height, width, channels = x.shape
    kernel, bias = _product(up, head)
    y = same_size_conv(x.astype(jnp.float32), kernel.reshape(3, 3, channels, -1))
    y = y.reshape(batch, height, width, 2, 2, -1).transpose(0, 1, 3, 2, 4, 5)
    return y.reshape(batch, 2 * height, 2 * width, -1) + bias[None, None, None]


def _product(up: Parameters, head: Parameters) -> Parameters:
    """Kernel (3, 3, C, 2, 2, D), the last 2 x 2 for even and odd rows and columns, and bias (D,)."""
    exact = jax.lax.Precision.HIGHEST  # else TPUs would round the kernels to bfloat16
    to_head = head[0][0, 0]
    kernel = jnp.einsum("tuce,ed->tucd", up[0], to_head, precision=exact)
    kernel = jnp.einsum("aot,bpu,tucd->opcabd", _TAPS, _TAPS, kernel, precision=exact)
    return kernel, jnp.dot(up[1], to_head, precision=exact) + head[1]
