"""The record that data readers hand to training and evaluation."""

import dataclasses

import numpy as np

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.scene_names import SceneId


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledScene:
    """One whole scene with its labels, all of one size (H, W).

    `image` uint8 grey values; `zones` uint8 class ids (`glacierjax.core.zones.Zone`); `front` bool, true on the drawn
    calving front; `box` where a front may lie (None: anywhere); `valid` bool, true where the labels mean something
    (None: everywhere).
    """

    id: SceneId
    image: np.ndarray
    zones: np.ndarray
    front: np.ndarray
    box: BoundingBox | None = None
    valid: np.ndarray | None = None
