"""Networks of the two pretraining techniques (paper, sections III-A and III-B): the shared backbone with other heads."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32

from glacierjax.datasets.ssl4sar.optical import BANDS
from glacierjax.model.attention import published_linear_init
from glacierjax.model.convolution import ConvParameters
from glacierjax.model.swin_v2 import PATCH_PX, PatchEmbedding
from glacierjax.model.tyrion import Backbone

OPTICAL_BANDS = len(BANDS)


class OptSimMIMNetwork(Backbone):
    """SAR (B, H, W, 1) and mask (B, H/4, W/4) -> optical patches of every token (B, H/4, W/4, 16 * bands)."""

    bands: int = OPTICAL_BANDS

    def setup(self) -> None:
        super().setup()
        self.to_image = ConvParameters(self.decoder_width, 3, 1)
        self.second_embedding = PatchEmbedding(self.embed_dim)
        self.reconstruction = nn.Dense(PATCH_PX * PATCH_PX * self.bands, kernel_init=published_linear_init)
        # The token of a masked patch: zero, and not trained (it is kept so that official checkpoints fit).
        self.mask_token = self.param("mask_token", nn.initializers.zeros, (self.embed_dim,))

    def __call__(
        self,
        sar: Float[Array, "batch height width channels"],
        mask: Bool[Array, "batch height//4 width//4"],
        train: bool = False,
    ) -> Float32[Array, "batch height//4 width//4 patch_values"]:
        image = self.outputs(sar, self.to_image(), train, mask, jax.lax.stop_gradient(jnp.asarray(self.mask_token)))
        return self.reconstruction(self.second_embedding(image))


class OptTranslatorNetwork(Backbone):
    """SAR (B, H, W, 1) in [0, 1] -> optical bands (B, H, W, bands)."""

    bands: int = OPTICAL_BANDS

    def setup(self) -> None:
        super().setup()
        self.to_bands = ConvParameters(self.decoder_width, self.bands, 1)

    def __call__(
        self, sar: Float[Array, "batch height width channels"], train: bool = False
    ) -> Float32[Array, "batch height width bands"]:
        return self.outputs(sar, self.to_bands(), train)
