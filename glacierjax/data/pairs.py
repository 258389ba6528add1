"""Training samples of the pretraining: the same random crop of SAR and optical image (paper, section III).

A worker only cuts out the crop, as uint8; resizing and mirroring belong to the accelerator
(`glacierjax.tasks.resampling`), which gets the crop, where in it the square lies, and whether it is flipped up-down.
"""

import dataclasses

import numpy as np

from glacierjax.core import grid
from glacierjax.core.choices import OFFICIAL
from glacierjax.core.settings import PairAugmentSettings, PairDataSettings
from glacierjax.data.samples import Sample, SampleSource
from glacierjax.data.scene_pairs import ScenePairs


def draw_pair(
    pairs: ScenePairs, index: int, rng: np.random.Generator, data: PairDataSettings, augment: PairAugmentSettings
) -> Sample:
    """One training sample of scene `index`.

    Returns: "sar" (side, side, 1) and, if there are optical images, "optical" (side, side, 14), uint8; "square" (3,) int32:
    top, left and side of the square that is to be resized to (side, side); "up_down" () bool.
    """
    crop = data.context_px
    start = []
    for size in pairs.size(index):
        pad = grid.whole_padding(size, crop) if data.padding == OFFICIAL else grid.fit_padding(size, crop)
        start.append(int(rng.integers(0, max(1, pad.before + size + pad.after - crop))) - pad.before)
    side = int(crop * rng.uniform(*augment.scale_range))
    square = [int(rng.integers(0, max(1, crop - side))) for _ in range(2)]
    up_down = rng.random() < augment.up_down_probability
    return {
        **pairs.crop(index, start[0], start[1], crop, crop),
        "square": np.array([*square, side], np.int32),
        "up_down": np.array(up_down),
    }


@dataclasses.dataclass(frozen=True)
class PairSource(SampleSource[ScenePairs, PairDataSettings, PairAugmentSettings]):
    """Samples of the pretraining (`draw_pair`)."""

    def draw(self, scene: int, rng: np.random.Generator) -> Sample:
        return draw_pair(self.scenes, scene, rng, self.data, self.augment)


@dataclasses.dataclass(frozen=True)
class Tiles:
    """Validation: all tiles of all scenes at half a tile's stride, by number; mirrored beyond the borders."""

    pairs: ScenePairs
    tile_px: int

    def places(self) -> list[tuple[int, int, int]]:
        """(scene, top, left) of every tile, in scene coordinates."""
        stride = self.tile_px // 2
        found = []
        for index in range(len(self.pairs)):
            padding = [grid.whole_padding(size, stride) for size in self.pairs.size(index)]
            rows, columns = (
                [o - pad.before for o in grid.origins(pad.before + size + pad.after, self.tile_px, stride)]
                for size, pad in zip(self.pairs.size(index), padding, strict=True)
            )
            found += [(index, row, column) for row in rows for column in columns]
        return found

    def read(self, place: tuple[int, int, int]) -> Sample:
        """A tile like a sample of `draw_pair` whose square is the whole of it."""
        index, top, left = place
        return {
            **self.pairs.crop(index, top, left, self.tile_px, self.tile_px),
            "square": np.array([0, 0, self.tile_px], np.int32),
            "up_down": np.array(False),
        }
