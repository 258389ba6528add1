"""Training samples of the pretraining: the same random window of SAR and optical image (paper, section III).

A worker only cuts out the window, as uint8; resizing and mirroring belong to the accelerator
(`glacierjax.tasks.resampling`), which gets the window, where in it the square lies, and whether it is turned over.
"""

import dataclasses

import numpy as np

from glacierjax.core import grid
from glacierjax.core.errors import InputError
from glacierjax.data.pair_store import PairStore
from glacierjax.data.samples import SampleSource

PADDINGS = ("published", "fit")


@dataclasses.dataclass(frozen=True)
class PairOptions:
    """Side of a crop in pixels, range of the square inside it as a share of that, probability of turning it over.

    `padding`: "published" pads a scene by `grid.whole_padding`; "fit" only to the crop's size. Raises `InputError` for
    another choice.
    """

    crop_px: int = 512
    padding: str = "published"
    scale_range: tuple[float, float] = (0.7, 1.0)
    up_down_probability: float = 0.5

    def __post_init__(self) -> None:
        if self.padding not in PADDINGS:
            raise InputError(f"--config.data.padding={self.padding}: choose {' or '.join(PADDINGS)}")


def draw_pair(store: PairStore, index: int, rng: np.random.Generator, options: PairOptions) -> dict[str, np.ndarray]:
    """One training sample of scene `index`.

    Returns: "sar" (C, C, 1) and, if the store has them, "optical" (C, C, 14), both uint8; "square" (3,) int32: top, left
    and side of the square that is to be resized to (C, C); "up_down" () bool.
    """
    crop = options.crop_px
    start = []
    for size in store.size(index):
        pad = grid.whole_padding(size, crop) if options.padding == "published" else grid.fit_padding(size, crop)
        start.append(int(rng.integers(0, max(1, pad.before + size + pad.after - crop))) - pad.before)
    side = int(crop * rng.uniform(*options.scale_range))
    square = [int(rng.integers(0, max(1, crop - side))) for _ in range(2)]
    up_down = rng.random() < options.up_down_probability
    return {
        **store.crop(index, start[0], start[1], crop, crop),
        "square": np.array([*square, side], np.int32),
        "up_down": np.array(up_down),
    }


@dataclasses.dataclass(frozen=True)
class PairSource(SampleSource[PairStore, PairOptions]):
    """Samples of the pretraining (`draw_pair`)."""

    def draw(self, scene: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return draw_pair(self.store, scene, rng, self.options)


@dataclasses.dataclass(frozen=True)
class Tiles:
    """Validation: all tiles of all scenes at half a tile's stride, by number; mirrored beyond the borders."""

    store: PairStore
    tile_px: int

    def places(self) -> list[tuple[int, int, int]]:
        """(scene, top, left) of every tile, in scene coordinates."""
        stride = self.tile_px // 2
        found = []
        for index in range(len(self.store)):
            padding = [grid.whole_padding(size, stride) for size in self.store.size(index)]
            rows, columns = (
                [o - pad.before for o in grid.origins(pad.before + size + pad.after, self.tile_px, stride)]
                for size, pad in zip(self.store.size(index), padding, strict=True)
            )
            found += [(index, row, column) for row in rows for column in columns]
        return found

    def read(self, place: tuple[int, int, int]) -> dict[str, np.ndarray]:
        """A tile like a sample of `draw_pair` whose square is the whole of it."""
        index, top, left = place
        return {
            **self.store.crop(index, top, left, self.tile_px, self.tile_px),
            "square": np.array([0, 0, self.tile_px], np.int32),
            "up_down": np.array(False),
        }
