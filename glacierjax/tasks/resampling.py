"""Bicubic resizing of crops on the accelerator, as in OpenCV, by two matrix products.

The host sends whole crops as uint8. The matrices select a square of each crop, resize it to the full size and flip it if
wanted. This is 1 to 2 % of the arithmetic of a training step and relieves the host of its slowest work.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, Int, Shaped, UInt8

from glacierjax.datasets.ssl4sar.optical import UINT8_MAX

_A = -0.75  # the free parameter of the cubic kernel, as in OpenCV
_TAPS = 4


def cubic_weights(
    start: Int[Array, ""], side: Int[Array, ""], size: int, backwards: Bool[Array, ""]
) -> Float32[Array, "{size} {size}"]:
    """(size, size) float32: row i has the weights of the source pixels for output pixel i.

    The pixels start ... start + side - 1 are resized to `size` output pixels, with half-pixel centres and the border pixel
    repeated. `backwards` reverses the output.
    """
    # The position (i + 1/2) side / size - 1/2 as a fraction of whole numbers, which is exact.
    low, rest = jnp.divmod((2 * jnp.arange(size) + 1) * side - size, 2 * size)
    t = rest / (2 * size)
    near = ((_A + 2) * t - (_A + 3)) * t * t + 1
    u = 1 - t
    other = ((_A + 2) * u - (_A + 3)) * u * u + 1
    far = ((_A * (t + 1) - 5 * _A) * (t + 1) + 8 * _A) * (t + 1) - 4 * _A
    taps = jnp.stack([far, near, other, 1 - far - near - other], axis=-1)
    source = low[:, None] + jnp.arange(_TAPS)[None] - 1
    source = start + jnp.clip(source, 0, side - 1)
    weights = jnp.sum(taps[..., None] * (source[..., None] == jnp.arange(size)[None, None]), axis=1)
    return jnp.where(backwards, weights[::-1], weights)


def resize_squares(
    images: UInt8[Array, "batch size size channels"], squares: Int[Array, "batch 3"], up_down: Bool[Array, " batch"]
) -> Float32[Array, "batch size size channels"]:
    """A square of each image, resized to the size of the image, rounded half to even and clipped to 0 ... 255.

    Args: images (B, C, C, K) uint8; squares (B, 3) int: top, left, side; up_down (B,) bool: reverse the rows.
    Returns (B, C, C, K) float32, whole numbers.
    """
    size = images.shape[1]
    weights = jax.vmap(cubic_weights, (0, 0, None, 0))
    rows = weights(squares[:, 0], squares[:, 2], size, up_down)
    columns = weights(squares[:, 1], squares[:, 2], size, jnp.zeros_like(up_down))
    # Full precision: the default precision of accelerators would cause errors of a grey level and more.
    exact = jax.lax.Precision.HIGHEST
    x = jnp.einsum("bij,bjwk->biwk", rows, images.astype(jnp.float32), precision=exact)
    x = jnp.einsum("bij,bwjk->bwik", columns, x, precision=exact)
    return jnp.clip(jnp.round(x), 0, UINT8_MAX)


def prepare_pairs(batch: Mapping[str, Shaped[Array | np.ndarray, "..."]]) -> dict[str, Float32[Array, "..."]]:
    """Converts a micro-batch of `glacierjax.data.pairs` for the pretraining tasks: `sar` and `optical` in [0, 1]."""
    return {
        key: resize_squares(*(jnp.asarray(batch[name]) for name in (key, "square", "up_down"))) / UINT8_MAX
        for key in ("sar", "optical")
        if key in batch
    }
