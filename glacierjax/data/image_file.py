"""Decoded images in one memory-mapped file, from which training samples are cut.

A crop then costs its own bytes, not the decoding of a whole image. The operating system keeps in memory what is used,
once for all processes, and may drop it again, so a worker's own memory does not grow with the data set.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from glacierjax.core.files import write_beside
from glacierjax.core.grid import mirror_slices
from glacierjax.core.progress import track


class Plane(NamedTuple):
    """Where an image lies in its file: its first byte, and its shape (rows, columns) or (rows, columns, bands)."""

    offset: int
    shape: tuple[int, ...]


class ImageFile(NamedTuple):
    """uint8 images one after the other; opens its file for each crop, so that it travels to workers as a path."""

    path: Path
    planes: tuple[Plane, ...]

    def crop(
        self, index: int, top: int, left: int, height: int, width: int
    ) -> UInt8[np.ndarray, "{height} {width} *bands"]:
        """A crop of image `index`, which is mirrored endlessly beyond its borders."""
        image = self.image(index)
        rows = mirror_slices(top, top + height, image.shape[0])
        columns = mirror_slices(left, left + width, image.shape[1])
        return np.concatenate([np.concatenate([image[row, column] for column in columns], 1) for row in rows])

    def image(self, index: int) -> UInt8[np.ndarray, "height width *bands"]:
        """Image `index`, of which only what is used is read."""
        offset, shape = self.planes[index]
        return np.memmap(self.path, np.uint8, "r", offset, shape)

    def pixels(
        self, index: int, row: Int[np.ndarray, " height"], column: Int[np.ndarray, " width"]
    ) -> UInt8[np.ndarray, "height width *bands"]:
        """The pixels of image `index` at these rows and columns."""
        image = self.image(index)
        shape = image.shape
        # The rows and columns that are touched, as one slice: fancy indexing over the file would read pixel by pixel.
        low, first = int(row.min()), int(column.min())
        block = np.array(image[low : int(row.max()) + 1, first : int(column.max()) + 1])
        pixels = block.view(f"V{shape[2]}")[..., 0] if len(shape) == 3 else block
        cut = pixels[(row - low)[:, None], column - first]
        return cut.view(np.uint8).reshape(len(row), len(column), *shape[2:])


def write_images(
    images: Iterable[UInt8[np.ndarray, "height width *bands"]], path: Path, total: int, label: str
) -> ImageFile:
    """Writes images into the file `path`, replacing what was there; one image is in memory at a time.

    `total` and `label` are for the progress that is shown.
    """
    planes = []
    offset = 0
    with write_beside(path) as temporary, temporary.open("wb") as file:
        for image in track(images, total, label):
            file.write(np.ascontiguousarray(image, np.uint8).tobytes())
            planes.append(Plane(offset, image.shape))
            offset += image.size
    return ImageFile(path, tuple(planes))
