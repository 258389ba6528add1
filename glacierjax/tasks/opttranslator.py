"""OptTranslator: translate a SAR crop into the 14 optical bands (paper, section III-B)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

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
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Mean absolute difference to the optical crop."""
        rngs = {"dropout": rng} if train else None
        predicted: Any = self.model.apply({"params": params}, batch["sar"], train, rngs=rngs)
        loss = masked_l1(predicted, self.target(batch), jnp.ones(batch["sar"].shape[:3], bool))
        return loss, {"l1": loss}

    def target(self, batch: Mapping[str, jax.Array]) -> jax.Array:
        """What is to be predicted: (B, H, W, 14)."""
        return batch["optical"]

    def reconstruct(self, params: dict, batch: Mapping[str, jax.Array], rng: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The prediction (B, H, W, 14) and a mask (B, H, W) bool: all of it is predicted."""
        predicted: Any = self.model.apply({"params": params}, batch["sar"])
        return predicted, jnp.zeros(batch["sar"].shape[:3], bool)
