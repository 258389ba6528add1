"""Two baselines that any network should beat, computed from the training scenes in one pass.

- `majority`: every pixel gets the most frequent class of the training scenes at that place (all scenes on one grid).
- `threshold`: pixels darker (or brighter) than a grey value are ocean, all others glacier; value and side are those with
  the best ocean IoU on the training scenes.
"""

import dataclasses
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from glacierjax.core.errors import InputError
from glacierjax.core.zones import NUM_ZONES, Zone
from glacierjax.datasets.caffe.scene import LabelledScene

GRID_PX = 256  # side of the common grid of the majority map
GREY_LEVELS = 256


class Baseline(Protocol):
    """image uint8 (H, W) -> class ids uint8 (H, W); `rule` describes the baseline in words."""

    @property
    def rule(self) -> str: ...

    def __call__(self, image: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]: ...


@dataclasses.dataclass(frozen=True, eq=False)
class MajorityMap:
    """Predicts the same map for every scene: `grid` (GRID_PX, GRID_PX) uint8 class ids, stretched to the scene."""

    grid: np.ndarray

    @property
    def rule(self) -> str:
        return "the most frequent class of the training scenes at that place"

    def __call__(self, image: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
        return _stretch(self.grid, image.shape)


@dataclasses.dataclass(frozen=True)
class GreyThreshold:
    """Grey values below `level` (0..256) are ocean if `dark_ocean`, else those from `level` on; the rest is glacier."""

    level: int
    dark_ocean: bool

    @property
    def rule(self) -> str:
        side = "below" if self.dark_ocean else "from"
        return f"grey values {side} {self.level} are ocean, the rest glacier (best ocean IoU on the training scenes)"

    def __call__(self, image: UInt8[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
        ocean = (image < self.level) == self.dark_ocean
        return np.where(ocean, np.uint8(Zone.OCEAN_ICE_MELANGE), np.uint8(Zone.GLACIER))


def fit_baselines(scenes: Iterable[LabelledScene]) -> dict[str, Baseline]:
    """{"majority": ..., "threshold": ...} from the valid pixels of the training scenes. Raises `InputError` if there are none."""
    votes = np.zeros((NUM_ZONES, GRID_PX, GRID_PX), np.int64)
    ocean_counts = np.zeros(GREY_LEVELS, np.int64)  # pixels by grey value
    other_counts = np.zeros(GREY_LEVELS, np.int64)
    for scene in scenes:
        valid = np.ones(scene.zones.shape, bool) if scene.valid is None else scene.valid
        zones_on_grid, valid_on_grid = (_stretch(array, (GRID_PX, GRID_PX)) for array in (scene.zones, valid))
        for zone in Zone:
            votes[zone] += (zones_on_grid == zone) & valid_on_grid
        ocean = scene.zones == Zone.OCEAN_ICE_MELANGE
        ocean_counts += np.bincount(scene.image[ocean & valid], minlength=GREY_LEVELS)
        other_counts += np.bincount(scene.image[~ocean & valid], minlength=GREY_LEVELS)
    if not votes.any():
        raise InputError("the train split has no labelled scenes to compute baselines from; leave out `baselines`")
    return {
        "majority": MajorityMap(votes.argmax(0).astype(np.uint8)),
        "threshold": best_threshold(ocean_counts, other_counts),
    }


def best_threshold(ocean_counts: Int[np.ndarray, " level"], other_counts: Int[np.ndarray, " level"]) -> GreyThreshold:
    """The threshold and side with the best ocean IoU, from the numbers (256,) of ocean and other pixels by grey value."""
    ocean_below = np.concatenate([[0], np.cumsum(ocean_counts)])  # [level]: ocean pixels darker than that level
    other_below = np.concatenate([[0], np.cumsum(other_counts)])
    all_ocean, all_other = ocean_below[-1], other_below[-1]
    dark_iou = ocean_below / np.maximum(all_ocean + other_below, 1)
    bright_iou = (all_ocean - ocean_below) / np.maximum(all_ocean + all_other - other_below, 1)
    dark_ocean = bool(dark_iou.max() >= bright_iou.max())
    return GreyThreshold(int((dark_iou if dark_ocean else bright_iou).argmax()), dark_ocean)


def _stretch(array: Shaped[np.ndarray, "height width"], shape: tuple[int, ...]) -> Shaped[np.ndarray, "rows columns"]:
    """The array (H, W) resized to `shape` by nearest neighbour: each new pixel takes the value at its centre."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(shape, array.shape, strict=True)
    )
    return array[np.ix_(rows, columns)]
