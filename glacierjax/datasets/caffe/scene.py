"""A labelled scene, as data readers give it to training and evaluation."""

import dataclasses

import numpy as np
from jaxtyping import Bool, UInt8

from glacierjax.core.boxes import BoundingBox, MapBounds
from glacierjax.core.channels import rock_plane
from glacierjax.core.choices import ROCK, SUMMER
from glacierjax.core.scene_names import SceneId


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledScene:
    """One whole scene with its labels, all of one size (H, W).

    `image` uint8 grey values; `zones` uint8 class ids (`glacierjax.core.zones.Zone`); `front` bool, true on the drawn
    calving front; `box` where a front may lie (None: anywhere); `valid` bool, true where the labels mean something
    (None: everywhere). Priors, which are known without labels: `rock` bool, true on rock that never moves; `summer` uint8
    grey values of a scene of the same ground without sea ice, 0 where it shows nothing (both None: not known).
    `bounds` where it lies on the map (None: not known).
    """

    id: SceneId
    image: UInt8[np.ndarray, "height width"]
    zones: UInt8[np.ndarray, "height width"]
    front: Bool[np.ndarray, "height width"]
    box: BoundingBox | None = None
    valid: Bool[np.ndarray, "height width"] | None = None
    rock: Bool[np.ndarray, "height width"] | None = None
    summer: UInt8[np.ndarray, "height width"] | None = None
    bounds: MapBounds | None = None

    @property
    def priors(self) -> dict[str, UInt8[np.ndarray, "height width"] | None]:
        """The priors as channels, by name (`glacierjax.core.channels`)."""
        return {ROCK: rock_plane(self.rock), SUMMER: self.summer}
