"""The decoder: residual convolution blocks that double the size and take in the encoder's skip connections."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from glacierjax.model.convolution import ConvParameters
from glacierjax.model.convolution import conv as make_conv
from glacierjax.model.folded import Parameters, doubled

NORM_EPSILON = 1e-6


def upsample_nearest(x: jax.Array) -> jax.Array:
    """Each pixel four times: (B, H, W, C) -> (B, 2H, 2W, C)."""
    return x.repeat(2, axis=1).repeat(2, axis=2)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, each after GroupNorm and swish, plus the input (1 x 1 convolution where the width changes)."""

    channels: int
    num_groups: int
    dropout: float
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        def activate(y: jax.Array, name: str) -> jax.Array:
            norm = nn.GroupNorm(
                self.num_groups, epsilon=NORM_EPSILON, dtype=self.dtype, use_fast_variance=False, name=name
            )
            return nn.swish(norm(y))

        def conv(y: jax.Array, size: int, name: str) -> jax.Array:
            return make_conv(y.shape[-1], self.channels, size, dtype=self.dtype, name=name)(y)

        y = conv(activate(x, "norm1"), 3, "conv1")
        y = nn.Dropout(self.dropout, deterministic=not train)(activate(y, "norm2"))
        y = conv(y, 3, "conv2")
        return y + (x if x.shape[-1] == self.channels else conv(x, 1, "shortcut"))


class Decoder(nn.Module):
    """Feature maps of the encoder's stages to (B, 4H0, 4W0, D) float32, where (H0, W0, C0) is the first stage.

    Block 0 keeps the last stage's size; block 1 + i takes the skip of stage n - 1 - i and doubles; the last block doubles
    once more without a skip. A head's 1 x 1 convolution, kernel (1, 1, C0, D) and bias (D,), is folded into that doubling.
    """

    num_groups: int
    dropout: float
    remat: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, skips: Sequence[jax.Array], head: Parameters, train: bool) -> jax.Array:
        widths = [skip.shape[-1] for skip in skips]
        block = nn.remat(ResidualBlock, static_argnums=(2,)) if self.remat else ResidualBlock

        def residual(x: jax.Array, index: int, channels: int) -> jax.Array:
            return block(channels, self.num_groups, self.dropout, self.dtype, name=f"block{index}")(x, train)

        def double(x: jax.Array, index: int) -> jax.Array:
            x = upsample_nearest(x)
            return make_conv(x.shape[-1], x.shape[-1], 3, dtype=self.dtype, name=f"up{index}")(x)

        x = residual(skips[-1], 0, widths[-1])
        for index, stage in enumerate(reversed(range(len(skips))), start=1):
            x = residual(jnp.concatenate([x, skips[stage]], axis=-1), index, widths[max(stage - 1, 0)])
            x = double(x, index)
        last = len(skips) + 1
        up = ConvParameters(widths[0], widths[0], 3, name=f"up{last}")
        return doubled(residual(x, last, widths[0]), up(), head)
