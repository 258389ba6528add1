"""The encoder: Swin Transformer V2 with residual post-norm (Liu et al. 2022), skip connections before each merging."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from glacierjax.core.settings import PATCH_PX
from glacierjax.model.attention import WindowAttention, published_linear_init
from glacierjax.model.convolution import conv
from glacierjax.model.layers import LayerNorm, Linear, gelu

NORM_EPSILON = 1e-5
# (maps of several images (B, H, W, C), name of the module) -> the same shape: what a block does between images.
Between = Callable[[Float[Array, "batch rows columns width"], str], Float[Array, "batch rows columns width"]]


class PatchEmbedding(nn.Module):
    """4 x 4 patches to tokens: (B, H, W, channels) -> (B, H/4, W/4, embed_dim)."""

    embed_dim: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch height width channels"]
    ) -> Float[Array, "batch rows columns embed_dim"]:
        x = conv(images.shape[-1], self.embed_dim, PATCH_PX, PATCH_PX, dtype=self.dtype, name="projection")(images)
        return LayerNorm(NORM_EPSILON, name="norm")(x)


class SwinBlock(nn.Module):
    """x + norm(attention(x)), then x + norm(mlp(x)), then `between` images: (B, H, W, C) -> (B, H, W, C)."""

    num_heads: int
    window_size: int
    shifted: bool
    mlp_ratio: int
    zero_init_norms: bool
    dtype: Any = jnp.float32
    linear_init: Any = published_linear_init

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch rows columns width"], between: Between | None = None
    ) -> Float[Array, "batch rows columns width"]:
        scale_init = nn.initializers.zeros if self.zero_init_norms else nn.initializers.ones
        attention = WindowAttention(
            self.num_heads, self.window_size, self.shifted, self.dtype, self.linear_init, name="attention"
        )
        x = x + LayerNorm(NORM_EPSILON, scale_init, name="norm1")(attention(x))
        linear = functools.partial(Linear, kernel_init=self.linear_init, dtype=self.dtype)
        y = linear(self.mlp_ratio * x.shape[-1], name="mlp_hidden")(x)
        y = linear(x.shape[-1], name="mlp_out")(gelu(y))
        x = x + LayerNorm(NORM_EPSILON, scale_init, name="norm2")(y)
        return x if between is None else between(x, "temporal")


class PatchMerging(nn.Module):
    """2 x 2 neighbours to one token of twice the width: (B, H, W, C) -> (B, H/2, W/2, 2C). Norm after the linear layer."""

    dtype: Any = jnp.float32
    linear_init: Any = published_linear_init

    @nn.compact
    def __call__(self, x: Float[Array, "batch rows columns width"]) -> Float[Array, "batch rows//2 columns//2 2*width"]:
        neighbours = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        x_merged = jnp.concatenate(neighbours, axis=-1)
        width = 2 * x.shape[-1]
        x_merged = Linear(width, False, self.dtype, kernel_init=self.linear_init, name="reduction")(x_merged)
        return LayerNorm(NORM_EPSILON, name="norm")(x_merged)


class SwinEncoder(nn.Module):
    """Images to one feature map per stage, each taken before its patch merging.

    `zero_init_norms`: both norms of every block start at zero, as Swin V2 intends; False is the official start at one.
    """

    embed_dim: int
    depths: Sequence[int]
    num_heads: Sequence[int]
    window_size: int
    mlp_ratio: int
    zero_init_norms: bool
    remat: bool = False
    dtype: Any = jnp.float32
    linear_init: Any = published_linear_init

    @nn.compact
    def __call__(
        self,
        images: Float[Array, "batch height width 3"],
        mask: Bool[Array, "batch height//4 width//4"] | None = None,
        mask_token: Float[Array, " embed_dim"] | None = None,
        between: Between | None = None,
    ) -> list[Float[Array, "batch _ _ _"]]:
        """Args: images (B, H, W, 3) in [0, 1]; mask (B, H/4, W/4) bool, true where a token is replaced by mask_token (C,);
        between: at the end of every block from the second stage on.

        Returns: stage i at (B, H / 2^(i+2), W / 2^(i+2), embed_dim * 2^i).
        """
        x = PatchEmbedding(self.embed_dim, self.dtype, name="patch_embedding")(images)
        if mask is not None:
            x = jnp.where(mask[..., None], jnp.asarray(mask_token, x.dtype)[None, None, None], x)
        block = nn.remat(SwinBlock, static_argnums=(2,)) if self.remat else SwinBlock
        skips = []
        for stage, (depth, heads) in enumerate(zip(self.depths, self.num_heads, strict=True)):
            for index in range(depth):
                x = block(
                    heads,
                    self.window_size,
                    index % 2 == 1,
                    self.mlp_ratio,
                    self.zero_init_norms,
                    self.dtype,
                    self.linear_init,
                    name=f"stage{stage}_block{index}",
                )(x, between if stage else None)
            skips.append(x)
            if stage + 1 < len(self.depths):
                x = PatchMerging(self.dtype, self.linear_init, name=f"stage{stage}_merging")(x)
        return skips
