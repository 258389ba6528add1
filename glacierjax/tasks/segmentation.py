"""Fine-tuning task: zones of a scene (paper, section III; method of CaFFe)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
from jaxtyping import Array, Float

from glacierjax.model import Tyrion
from glacierjax.tasks.losses import segmentation_loss

Batch = Mapping[str, jax.Array]


@dataclasses.dataclass(frozen=True)
class Segmentation:
    """Batch: `image` (B, H, W, 1) in [0, 1], `zones` (B, H, W) int, optional `valid` (B, H, W) bool."""

    model: Tyrion = dataclasses.field(default_factory=Tyrion)

    def init(self, rng: jax.Array, batch: Batch) -> dict[str, Any]:
        return dict(self.model.init(rng, batch["image"][:1])["params"])

    def loss(
        self, params: dict, batch: Batch, rng: jax.Array, train: bool
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """The scalar loss of a micro-batch and its terms; `rng` is for dropout and used only if `train`."""
        rngs = {"dropout": rng} if train else None
        logits: Any = self.model.apply({"params": params}, batch["image"], train, rngs=rngs)
        return segmentation_loss(logits, batch["zones"], batch.get("valid"))
