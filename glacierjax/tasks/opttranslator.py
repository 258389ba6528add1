"""OptTranslator: translate a SAR crop into the 14 optical bands (paper, section III-B)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from glacierjax.model.pretraining import OptTranslatorNetwork


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
        loss = jnp.mean(jnp.abs(predicted - batch["optical"]))
        return loss, {"l1": loss}
