"""OptTranslator: translate a SAR crop into the 14 optical bands (paper, section III-B)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from glacierjax.model.pretraining import OptTranslatorNetwork
from glacierjax.tasks.losses import masked_l1


@dataclasses.dataclass(frozen=True)
class OptTranslator:
    """Batch: `sar` (B, H, W, 1) and `optical` (B, H, W, 14), both in [0, 1]."""

    model: OptTranslatorNetwork = dataclasses.field(default_factory=OptTranslatorNetwork)

    def init(self, rng: jax.Array, batch: Mapping[str, jax.Array]) -> dict[str, Any]:
        return dict(self.model.init(rng, batch["sar"][:1])["params"])

    def loss(
        self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array, train: bool
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Mean absolute difference to the optical crop."""
        loss, _ = self._predict(params, batch, rng, train)
        return loss, {"l1": loss}

    def target(self, batch: Mapping[str, jax.Array]) -> Float[Array, "batch height width bands"]:
        """The target of the prediction: (B, H, W, 14)."""
        return batch["optical"]

    def reconstruct(
        self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array
    ) -> tuple[Float[Array, ""], Float[Array, "batch height width bands"], Bool[Array, "batch height width"]]:
        """Loss without dropout, the prediction (B, H, W, 14), and a mask (B, H, W) bool that is false everywhere."""
        loss, predicted = self._predict(params, batch, rng, False)
        return loss, predicted, jnp.zeros(predicted.shape[:3], bool)

    def _predict(
        self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array, train: bool
    ) -> tuple[jax.Array, jax.Array]:
        rngs = {"dropout": rng} if train else None
        predicted: Any = self.model.apply({"params": params}, batch["sar"], train, rngs=rngs)
        everywhere = jnp.ones(predicted.shape[:3], bool)
        return masked_l1(predicted, self.target(batch), everywhere), predicted
