"""OptSimMIM: predict the optical pixels of masked SAR patches (paper, section III-A)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax

from glacierjax.model.pretraining import OptSimMIMNetwork
from glacierjax.model.swin_v2 import PATCH_PX
from glacierjax.tasks.losses import masked_l1
from glacierjax.tasks.masking import random_mask


def patchify(images: jax.Array) -> jax.Array:
    """(B, H, W, bands) -> (B, H/4, W/4, 16 * bands), each patch in the order row, column, band."""
    batch, height, width, bands = images.shape
    x = images.reshape(batch, height // PATCH_PX, PATCH_PX, width // PATCH_PX, PATCH_PX, bands)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // PATCH_PX, width // PATCH_PX, -1)


@dataclasses.dataclass(frozen=True)
class OptSimMIM:
    """Batch: `sar` (B, H, W, 1) and `optical` (B, H, W, 14) in [0, 1], optional `mask` (B, H/4, W/4) bool, true = masked."""

    model: OptSimMIMNetwork = dataclasses.field(default_factory=OptSimMIMNetwork)
    mask_ratio: float = 0.3

    def init(self, rng: jax.Array, batch: Mapping[str, jax.Array]) -> dict[str, Any]:
        return dict(self.model.init(rng, batch["sar"][:1], self._mask(batch, rng)[:1])["params"])

    def loss(
        self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array, train: bool
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Mean absolute difference to the optical pixels of the masked patches."""
        mask_rng, dropout_rng = jax.random.split(rng)
        mask = self._mask(batch, mask_rng)
        rngs = {"dropout": dropout_rng} if train else None
        predicted: Any = self.model.apply({"params": params}, batch["sar"], mask, train, rngs=rngs)
        loss = masked_l1(predicted, patchify(batch["optical"]), mask)
        return loss, {"l1": loss}

    def _mask(self, batch: Mapping[str, jax.Array], rng: jax.Array) -> jax.Array:
        if "mask" in batch:
            return batch["mask"]
        size, height, width, _ = batch["sar"].shape
        return random_mask(rng, size, height // PATCH_PX, width // PATCH_PX, self.mask_ratio)
