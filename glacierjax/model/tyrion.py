"""Tyrion (Gourmelon et al. 2025, doi 10.1109/TGRS.2025.3580945): Swin V2 encoder, residual decoder, zone logits."""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32

from glacierjax.core.zones import NUM_ZONES
from glacierjax.model.attention import published_linear_init
from glacierjax.model.convolution import ConvParameters, Parameters
from glacierjax.model.decoder import Decoder
from glacierjax.model.swin_v2 import Between, SwinEncoder


class Backbone(nn.Module):
    """Encoder and decoder, shared by fine-tuning and both pretraining techniques."""

    embed_dim: int = 96
    depths: Sequence[int] = (2, 2, 6, 2)
    num_heads: Sequence[int] = (3, 6, 12, 24)
    window_size: int = 16
    mlp_ratio: int = 4
    num_groups: int = 32
    dropout: float = 0.1
    zero_init_norms: bool = True
    # Linear layers start with the standard deviation 1 / sqrt(fan in) instead of the published 0.02: narrow networks that
    # are trained from scratch learn much faster.
    lecun_init: bool = False
    remat: bool = False
    dtype: Any = jnp.float32
    # The decoder of series: a third of the width, see `Decoder`.
    narrow_decoder: bool = False

    def setup(self) -> None:
        self.encoder = SwinEncoder(
            self.embed_dim,
            self.depths,
            self.num_heads,
            self.window_size,
            self.mlp_ratio,
            self.zero_init_norms,
            self.remat,
            self.dtype,
            self.linear_init,
        )
        self.decoder = Decoder(
            self.decoder_width, self.narrow_decoder, self.num_groups, self.dropout, self.remat, self.dtype
        )

    @property
    def linear_init(self) -> Any:
        return nn.initializers.lecun_normal() if self.lecun_init else published_linear_init

    @property
    def decoder_width(self) -> int:
        """Channels at the decoder's end; a third is rounded up to whole groups of the norms [32 of 96]."""
        return self.num_groups * -(-self.embed_dim // (3 * self.num_groups)) if self.narrow_decoder else self.embed_dim

    @property
    def size_multiple(self) -> int:
        return 2 ** (len(self.depths) + 1)

    def outputs(
        self,
        images: Float[Array, "batch height width channels"],
        head: Parameters,
        train: bool = False,
        mask: Bool[Array, "batch height//4 width//4"] | None = None,
        mask_token: Float[Array, " embed_dim"] | None = None,
        between: tuple[Between | None, Between | None] = (None, None),
    ) -> Float32[Array, "batch height width outputs"]:
        """Images (B, H, W, 1 or 3) in [0, 1] -> (B, H, W, D) float32, after the 1 x 1 convolution `head`.

        Args: head: kernel (1, 1, decoder_width, D) and bias (D,); mask, mask_token: as in `SwinEncoder`; between: what
        encoder and decoder exchange between images.

        Raises ValueError when H or W is no multiple of `size_multiple`, or the number of channels is neither 1 nor 3.
        """
        multiple = self.size_multiple
        if (
            images.ndim != 4
            or images.shape[-1] not in (1, 3)
            or images.shape[1] % multiple
            or images.shape[2] % multiple
        ):
            raise ValueError(
                f"images of shape {images.shape}: expected (batch, height, width, 1 or 3) with height and width "
                f"multiples of {multiple}; pad the image first"
            )
        if images.shape[-1] == 1:
            images = jnp.repeat(images, 3, axis=-1)
        skips = self.encoder(images.astype(self.dtype), mask, mask_token, between[0])
        return self.decoder(skips, head, train, between[1])


class Tyrion(Backbone):
    """The segmentation network: images (B, H, W, 1 or 3) float in [0, 1] -> logits (B, H, W, num_classes) float32."""

    num_classes: int = NUM_ZONES

    def setup(self) -> None:
        super().setup()
        self.head = ConvParameters(self.decoder_width, self.num_classes, 1)

    def __call__(
        self, images: Float[Array, "batch height width channels"], train: bool = False
    ) -> Float32[Array, "batch height width classes"]:
        return self.outputs(images, self.head(), train)
