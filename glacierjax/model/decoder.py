"""The decoder: residual convolution blocks that double the size and take in the encoder's skip connections."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from glacierjax.model.convolution import Parameters
from glacierjax.model.convolution import conv as make_conv
from glacierjax.model.folded import Doubling
from glacierjax.model.layers import GroupNormSwish
from glacierjax.model.swin_v2 import Between

NORM_EPSILON = 1e-6


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, each after GroupNorm and swish, plus the input (1 x 1 convolution where the width changes).

    `padding` of both: "SAME" (zeros) or "REFLECT".
    """

    channels: int
    num_groups: int
    dropout: float
    dtype: Any = jnp.float32
    padding: str = "SAME"

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        def conv(y: jax.Array, size: int, name: str) -> jax.Array:
            padding = self.padding if size > 1 else "SAME"
            return make_conv(y.shape[-1], self.channels, size, padding=padding, dtype=self.dtype, name=name)(y)

        y = GroupNormSwish(self.num_groups, NORM_EPSILON, name="norm1")(x)
        y = GroupNormSwish(self.num_groups, NORM_EPSILON, name="norm2")(conv(y, 3, "conv1"))
        y = nn.Dropout(self.dropout, deterministic=not train)(y)
        y = conv(y, 3, "conv2")
        return y + (x if x.shape[-1] == self.channels else conv(x, 1, "shortcut"))


class Decoder(nn.Module):
    """Feature maps of the encoder's stages to (B, 4H0, 4W0, D) float32, where (H0, W0, C0) is the first stage.

    Block 0 keeps the last stage's size; block 1 + i takes the skip of stage n - 1 - i and doubles; the last block doubles
    once more without a skip. A head's 1 x 1 convolution, kernel (1, 1, width, D) and bias (D,), is folded into that doubling.

    Two kinds: single images have the width C0 (Gourmelon et al. 2025). The `narrow` one of series (Dreier et al. 2026) has
    another width, reflection around its blocks' convolutions, and no skip of the last stage. `between` frames it exchanges
    after all blocks but the last two.
    """

    width: int
    narrow: bool
    num_groups: int
    dropout: float
    remat: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, skips: Sequence[jax.Array], head: Parameters, train: bool, between: Between | None = None
    ) -> jax.Array:
        stages = len(skips)
        block = nn.remat(ResidualBlock, static_argnums=(2,)) if self.remat else ResidualBlock
        padding = "REFLECT" if self.narrow else "SAME"

        def residual(x: jax.Array, index: int) -> jax.Array:
            channels = self.width * 2 ** max(stages - 1 - index, 0)
            fields = (channels, self.num_groups, self.dropout, self.dtype, padding)
            x = block(*fields, name=f"block{index}")(x, train)
            return x if between is None or index >= stages else between(x, f"temporal{index}")

        x = residual(skips[-1], 0)
        for index, stage in enumerate(reversed(range(stages)), start=1):
            if not (self.narrow and index == 1):
                x = jnp.concatenate([x, skips[stage]], axis=-1)
            x = residual(x, index)
            x = Doubling(self.dtype, name=f"up{index}")(x)
        last = stages + 1
        return Doubling(name=f"up{last}")(residual(x, last), head)
