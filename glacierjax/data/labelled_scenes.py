"""Labelled scenes, decoded into one image file: grey values and labels of each, at the pixel spacing of a training."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Int, UInt8

from glacierjax.core.spacing import average_looks, looks_for, middle_looks
from glacierjax.core.zones import UNKNOWN_ID
from glacierjax.data.image_file import ImageFile
from glacierjax.datasets.caffe.scene import LabelledScene

PLANES = 2  # grey values, then labels


@dataclasses.dataclass(frozen=True)
class LabelledScenes:
    """Scenes by number: images 2 i and 2 i + 1 of `file` are the grey values and the labels of scene i."""

    names: tuple[str, ...]
    file: ImageFile

    def __len__(self) -> int:
        return len(self.names)

    def size(self, index: int) -> tuple[int, int]:
        """(rows, columns) of a scene."""
        height, width = self.file.planes[PLANES * index].shape
        return height, width

    def grey(self, index: int) -> UInt8[np.ndarray, "height width"]:
        """The grey values of a scene, of which only what is used is read."""
        return self.file.image(PLANES * index)

    def crop(
        self, index: int, top: int, left: int, height: int, width: int
    ) -> tuple[UInt8[np.ndarray, "{height} {width}"], UInt8[np.ndarray, "{height} {width}"]]:
        """Grey values and labels of a crop of the endlessly mirrored scene.

        Labels are class ids, `UNKNOWN_ID` where a data set says that a pixel is not labelled.
        """
        box = (top, left, height, width)
        return self.file.crop(PLANES * index, *box), self.file.crop(PLANES * index + 1, *box)

    def pixels(
        self, index: int, rows: Int[np.ndarray, "..."], columns: Int[np.ndarray, "..."]
    ) -> tuple[UInt8[np.ndarray, "height width"], UInt8[np.ndarray, "height width"]]:
        """Grey values and labels of the scene at rows and columns as `ImageFile.pixels` takes them."""
        return self.file.pixels(PLANES * index, rows, columns), self.file.pixels(PLANES * index + 1, rows, columns)


def planes_of(scenes: Iterable[LabelledScene], pixel_spacing_m: float) -> Iterator[UInt8[np.ndarray, "height width"]]:
    """Grey values and labels of each scene in turn, for `write_images`; `pixel_spacing_m` as in `looks_for`."""
    for scene in scenes:
        labels = scene.zones if scene.valid is None else np.where(scene.valid, scene.zones, UNKNOWN_ID)
        looks = looks_for(scene.id.pixel_spacing_m, pixel_spacing_m)
        yield average_looks(scene.image, looks)
        yield middle_looks(labels, looks).astype(np.uint8)
