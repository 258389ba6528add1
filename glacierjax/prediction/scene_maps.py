"""What networks say of each pixel of a scene: the most probable zone and how sure they are, filled strip by strip."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from glacierjax.core.zones import NUM_ZONES, Zone
from glacierjax.prediction.ensemble import Predictor

NewArray = Callable[[tuple[int, int], Any], np.ndarray]


class SceneMaps:
    """Maps (H, W) of a scene.

    - `zones`: uint8, the most probable ones;
    - `uncertainty`: 0 to 1, entropy of the probabilities;
    - `lean`: float16, -1 to 1, probability of glacier minus that of ocean;
    - `deviation`: 0 to 0.5, largest standard deviation of a zone's probability over an ensemble; None for one network.

    `precision`: type of uncertainty and deviation; `new_array`: shape and type -> an array of zeros.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        with_deviation: bool,
        precision: type[np.floating] = np.float32,
        new_array: NewArray = np.zeros,
    ):
        self.zones = new_array(shape, np.uint8)
        self.uncertainty = new_array(shape, precision)
        self.lean = new_array(shape, np.float16)
        self.deviation = new_array(shape, precision) if with_deviation else None

    def fill(
        self,
        block: tuple[slice, slice],
        chosen: Any,
        mean: Float[np.ndarray, "*pixels zone"],
        spread: Float[np.ndarray, "*pixels zone"],
    ) -> None:
        """Sets the `chosen` pixels (a mask, or ...: all) of a block from their mean probabilities and standard deviations."""
        self.zones[block][chosen] = mean.argmax(-1)
        self.uncertainty[block][chosen] = entropy(mean)
        self.lean[block][chosen] = mean[..., Zone.GLACIER] - mean[..., Zone.OCEAN_ICE_MELANGE]
        if self.deviation is not None:
            self.deviation[block][chosen] = spread.max(-1)

    def transform(self, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Replaces each map by what `change` makes of it."""
        self.zones, self.uncertainty, self.lean = change(self.zones), change(self.uncertainty), change(self.lean)
        if self.deviation is not None:
            self.deviation = change(self.deviation)


def maps_of(
    predictor: Predictor,
    shown: UInt8[np.ndarray, "height width *channel"],
    pixel_spacing_m: float,
    precision: type[np.floating] = np.float32,
) -> SceneMaps:
    """What the networks say of a scene, whose input is `shown`. Probabilities exist a strip at a time only."""
    height, width = shown.shape[:2]
    maps = SceneMaps((height, width), predictor.members > 1, precision)
    top = 0
    for mean, spread in predictor.strips(shown, pixel_spacing_m):
        maps.fill((slice(top, top + len(mean)), slice(None)), ..., mean, spread)
        top += len(mean)
    return maps


def entropy(probabilities: Float[np.ndarray, "*pixels zone"]) -> Float[np.ndarray, "*pixels"]:
    """Entropy of probabilities, as a share of the largest possible: 0 sure, 1 all equal."""
    logarithm = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return np.clip(-(probabilities * logarithm).sum(-1) / np.log(np.float32(NUM_ZONES)), 0, 1)
