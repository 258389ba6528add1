"""SAR scenes and optical images in two memory-mapped files, shared by all samples and worker processes.

A crop costs its own bytes; the operating system keeps in memory what is used, once for all processes, and may drop it
again, so a worker's own memory does not grow with the data set. Optical images lie pixel by pixel (H, W, 14): the
rows of a crop are then read in one piece.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_beside
from glacierjax.core.glaciers import glacier_key
from glacierjax.core.grid import mirror_indices
from glacierjax.core.progress import track
from glacierjax.datasets.ssl4sar.optical import BANDS


class Plane(NamedTuple):
    """Where an image lies in its file."""

    offset: int
    shape: tuple[int, ...]


class ImageFile(NamedTuple):
    """uint8 images one after the other; opens its file for each crop, so that it travels to workers as a path."""

    path: Path
    planes: tuple[Plane, ...]

    def crop(self, index: int, top: int, left: int, height: int, width: int) -> np.ndarray:
        """A window (height, width, ...) uint8 of the endlessly mirrored image."""
        offset, shape = self.planes[index]
        image = np.memmap(self.path, np.uint8, "r", offset, shape)
        if top >= 0 and left >= 0 and top + height <= shape[0] and left + width <= shape[1]:
            return np.array(image[top : top + height, left : left + width])
        row = mirror_indices(top, top + height, shape[0])
        column = mirror_indices(left, left + width, shape[1])
        # The rows and columns that are touched, as one slice: fancy indexing over the file would read pixel by pixel.
        low, first = int(row.min()), int(column.min())
        block = np.array(image[low : int(row.max()) + 1, first : int(column.max()) + 1])
        pixels = block.view(f"V{shape[2]}")[..., 0] if len(shape) == 3 else block
        cut = pixels[(row - low)[:, None], column - first]
        return cut.view(np.uint8).reshape(height, width, *shape[2:])


@dataclasses.dataclass(frozen=True)
class PairStore:
    """SAR scenes by number, each with the number of its optical image; `optical` None: SAR alone."""

    names: tuple[str, ...]
    sar: ImageFile
    optical: ImageFile | None
    optical_of: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.names)

    def size(self, index: int) -> tuple[int, int]:
        """(rows, columns) of a scene."""
        height, width = self.sar.planes[index].shape
        return height, width

    def crop(self, index: int, top: int, left: int, height: int, width: int) -> dict[str, np.ndarray]:
        """The same window of both sensors: "sar" (height, width, 1) and "optical" (height, width, 14) uint8."""
        window = (top, left, height, width)
        crops = {"sar": self.sar.crop(index, *window)[..., None]}
        if self.optical is not None:
            crops["optical"] = self.optical.crop(self.optical_of[index], *window)
        return crops


def write_images(images: Iterable[np.ndarray], path: Path, total: int, label: str) -> ImageFile:
    """Writes uint8 images into the file `path`, replacing what was there; one image is in memory at a time."""
    planes = []
    offset = 0
    with write_beside(path) as temporary, temporary.open("wb") as file:
        for image in track(images, total, label):
            file.write(np.ascontiguousarray(image, np.uint8).tobytes())
            planes.append(Plane(offset, image.shape))
            offset += image.size
    return ImageFile(path, tuple(planes))


def pair_up(
    ids: Sequence[tuple[str, str]], sar: ImageFile, optical: ImageFile | None, optical_glaciers: Sequence[str]
) -> PairStore:
    """Puts scenes, given as (name, glacier), and optical images together.

    Raises `InputError` for a scene without optical image, or with one of another size.
    """
    names = tuple(name for name, _ in ids)
    if optical is None:
        return PairStore(names, sar, None, ())
    number = {glacier_key(glacier): i for i, glacier in enumerate(optical_glaciers)}
    optical_of = []
    for (name, glacier), plane in zip(ids, sar.planes, strict=True):
        if glacier_key(glacier) not in number:
            raise InputError(
                f"{name}: no optical image of the glacier {glacier} in the data set; there are: "
                f"{', '.join(sorted(optical_glaciers))}; build tfds_builders/ssl4sar again from the whole archive"
            )
        found = number[glacier_key(glacier)]
        shape = optical.planes[found].shape
        if shape != (*plane.shape, len(BANDS)):
            raise InputError(
                f"{name}: {plane.shape[1]} x {plane.shape[0]} pixels, its optical image has {shape[1]} x {shape[0]} and "
                f"{shape[2]} bands; build tfds_builders/ssl4sar again (--resample brings georeferenced images together)"
            )
        optical_of.append(found)
    return PairStore(names, sar, optical, tuple(optical_of))
