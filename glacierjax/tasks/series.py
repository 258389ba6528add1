"""Fine-tuning task of series: zones of every frame of a sample (Dreier et al. 2026, arXiv 2512.11560)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from glacierjax.model import SeriesTyrion
from glacierjax.tasks.losses import segmentation_loss

Batch = Mapping[str, jax.Array]


@dataclasses.dataclass(frozen=True)
class SegmentationSeries:
    """Batch: `image` (N, T, H, W, 1) in [0, 1], `zones` (N, T, H, W) int, `days` (N, T) int, optional `valid` as `zones`.

    `days` count from 1995-01-01 (`glacierjax.datasets.series.day_positions`); `valid` is true where a pixel counts.
    """

    model: SeriesTyrion = dataclasses.field(default_factory=SeriesTyrion)

    def init(self, rng: jax.Array, batch: Batch) -> dict[str, Any]:
        return dict(self.model.init(rng, batch["image"][:1], batch["days"][:1])["params"])

    def loss(
        self, params: dict, batch: Batch, rng: jax.Array, train: bool
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """The mean over the samples of each one's loss and of its terms; `rng` is for dropout and used only if `train`.

        Sums of the Dice loss run over the frames of one sample, as published. So the loss does not depend on how samples
        are put into micro-batches.
        """
        rngs = {"dropout": rng} if train else None
        logits: Any = self.model.apply({"params": params}, batch["image"], batch["days"], train, rngs=rngs)
        valid = batch.get("valid", jnp.ones(batch["zones"].shape, bool))
        return jax.tree.map(jnp.mean, jax.vmap(segmentation_loss)(logits, batch["zones"], valid))
