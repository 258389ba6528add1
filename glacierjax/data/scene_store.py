"""Decoded scenes in one memory-mapped file, shared by all worker processes.

Cutting a crop then costs the crop, not the decoding of a whole PNG; the operating system keeps what is used in memory and
may drop the rest, so memory stays bounded however large the data set is.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glacierjax.core.files import write_beside
from glacierjax.core.grid import mirror_indices
from glacierjax.core.progress import track
from glacierjax.core.spacing import average_looks, looks_for, middle_looks
from glacierjax.core.zones import UNKNOWN_ID
from glacierjax.datasets.caffe.scene import LabelledScene

PLANES = 2  # grey values, then labels


@dataclasses.dataclass(frozen=True)
class SceneStore:
    """Scenes by number; opens its file lazily, so that it travels to worker processes as a path."""

    path: Path
    names: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.names)

    def crop(self, index: int, top: int, left: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Grey values and labels (height, width) uint8 of a window of the endlessly mirrored scene.

        Labels are class ids, `UNKNOWN_ID` where a data set says that a pixel is not labelled.
        """
        rows, columns = self.sizes[index]
        start = sum(PLANES * r * c for r, c in self.sizes[:index])
        planes = np.memmap(self.path, np.uint8, "r", start, (PLANES, rows, columns))
        row = mirror_indices(top, top + height, rows)
        column = mirror_indices(left, left + width, columns)
        # Read the rows as a slice: fancy indexing over a memory map would touch it pixel by pixel.
        low, high = int(row.min()), int(row.max()) + 1
        block = np.asarray(planes[:, low:high])
        cut = block[:, (row - low)[:, None], column]
        return cut[0], cut[1]


def build_store(
    scenes: Sequence[LabelledScene], names: Sequence[str], path: Path, pixel_spacing_m: float = 0
) -> SceneStore:
    """Decodes scenes into the file `path`, replacing what was there; `pixel_spacing_m` as in `core.looks.looks_for`."""
    sizes = []
    with write_beside(path) as temporary, temporary.open("wb") as file:
        for scene in track(scenes, len(names), "decoding scenes"):
            labels = scene.zones if scene.valid is None else np.where(scene.valid, scene.zones, UNKNOWN_ID)
            looks = looks_for(scene.id.pixel_spacing_m, pixel_spacing_m)
            image = average_looks(scene.image, looks)
            file.write(np.ascontiguousarray(image, np.uint8).tobytes())
            file.write(np.ascontiguousarray(middle_looks(labels, looks), np.uint8).tobytes())
            sizes.append(image.shape)
    return SceneStore(path, tuple(names), tuple(sizes))
