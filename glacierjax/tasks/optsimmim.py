"""OptSimMIM: predict the optical pixels of masked SAR patches (paper, section III-A)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
from jaxtyping import Array, Bool, Float

from glacierjax.model.pretraining import OptSimMIMNetwork
from glacierjax.model.swin_v2 import PATCH_PX
from glacierjax.tasks.losses import masked_l1
from glacierjax.tasks.masking import random_unit_mask


def patchify(
    images: Float[Array, "batch height width bands"],
) -> Float[Array, "batch height//4 width//4 16*bands"]:
    """(B, H, W, bands) -> (B, H/4, W/4, 16 * bands), each patch in the order row, column, band."""
    batch, height, width, bands = images.shape
    x = images.reshape(batch, height // PATCH_PX, PATCH_PX, width // PATCH_PX, PATCH_PX, bands)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // PATCH_PX, width // PATCH_PX, -1)


def unpatchify(
    patches: Float[Array, "batch rows columns values"],
) -> Float[Array, "batch 4*rows 4*columns values//16"]:
    """(B, H/4, W/4, 16 * bands) -> (B, H, W, bands); the inverse of `patchify`."""
    batch, rows, columns, values = patches.shape
    x = patches.reshape(batch, rows, columns, PATCH_PX, PATCH_PX, values // PATCH_PX**2)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, rows * PATCH_PX, columns * PATCH_PX, -1)


@dataclasses.dataclass(frozen=True)
class OptSimMIM:
    """Batch: `sar` (B, H, W, 1) and `optical` (B, H, W, 14) in [0, 1], optional `mask` (B, H/4, W/4) bool, true = masked.

    `mask_ratio` of the patches are masked, in squares of `mask_unit_px` pixels (4: single patches, as published).
    """

    model: OptSimMIMNetwork = dataclasses.field(default_factory=OptSimMIMNetwork)
    mask_ratio: float = 0.3
    mask_unit_px: int = PATCH_PX

    def init(self, rng: jax.Array, batch: Mapping[str, jax.Array]) -> dict[str, Any]:
        return dict(self.model.init(rng, batch["sar"][:1], self._mask(batch, rng)[:1])["params"])

    def loss(
        self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array, train: bool
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Mean absolute difference to the target in the masked patches."""
        loss, _, _ = self._predict(params, batch, rng, train)
        return loss, {"l1": loss}

    def target(self, batch: Mapping[str, jax.Array]) -> Float[Array, "batch height width bands"]:
        """The target of the prediction: (B, H, W, bands)."""
        return batch["optical"]

    def reconstruct(
        self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array
    ) -> tuple[Float[Array, ""], Float[Array, "batch height width bands"], Bool[Array, "batch height width"]]:
        """Loss without dropout, the prediction (B, H, W, bands), and the mask (B, H, W) bool."""
        loss, predicted, mask = self._predict(params, batch, rng, False)
        return loss, unpatchify(predicted), mask.repeat(PATCH_PX, axis=1).repeat(PATCH_PX, axis=2)

    def _predict(
        self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array, train: bool
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Loss, predicted patches (B, H/4, W/4, 16 * bands), mask (B, H/4, W/4)."""
        mask_rng, dropout_rng = jax.random.split(rng)
        mask = self._mask(batch, mask_rng)
        rngs = {"dropout": dropout_rng} if train else None
        predicted: Any = self.model.apply({"params": params}, batch["sar"], mask, train, rngs=rngs)
        return masked_l1(predicted, patchify(self.target(batch)), mask), predicted, mask

    def _mask(self, batch: Mapping[str, jax.Array], rng: jax.Array) -> jax.Array:
        if "mask" in batch:
            return batch["mask"]
        size, height, width, _ = batch["sar"].shape
        unit = self.mask_unit_px // PATCH_PX
        return random_unit_mask(rng, size, height // PATCH_PX, width // PATCH_PX, self.mask_ratio, unit)


@dataclasses.dataclass(frozen=True)
class SimMIM(OptSimMIM):
    """The baseline without a second sensor (Xie et al. 2022, doi 10.1109/CVPR52688.2022.00943): predict the SAR pixels.

    The network needs `bands=1`; the batch needs no `optical`.
    """

    model: OptSimMIMNetwork = dataclasses.field(default_factory=lambda: OptSimMIMNetwork(bands=1))

    def target(self, batch: Mapping[str, jax.Array]) -> Float[Array, "batch height width bands"]:
        return batch["sar"]
