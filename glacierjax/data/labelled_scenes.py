"""Labelled scenes, decoded into one image file: grey, labels and priors of each, at the pixel spacing of a training."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Int, UInt8

from glacierjax.core.channels import GREY_ONLY, priors_of
from glacierjax.core.spacing import average_looks, looks_for, middle_looks
from glacierjax.core.zones import UNKNOWN_ID
from glacierjax.data.image_file import ImageFile
from glacierjax.datasets.caffe.scene import LabelledScene

PLANES = 2  # grey values, then labels; what else the input channels show comes behind


@dataclasses.dataclass(frozen=True)
class LabelledScenes:
    """Scenes by number. `file` holds for each its grey values, its labels, and the priors that are among `channels`."""

    names: tuple[str, ...]
    file: ImageFile
    channels: tuple[str, ...] = GREY_ONLY

    def __len__(self) -> int:
        return len(self.names)

    def size(self, index: int) -> tuple[int, int]:
        """(rows, columns) of a scene."""
        height, width = self.file.planes[self._first(index)].shape
        return height, width

    def grey(self, index: int) -> UInt8[np.ndarray, "height width"]:
        """The grey values of a scene, of which only what is used is read."""
        return self.file.image(self._first(index))

    def labels(self, index: int) -> UInt8[np.ndarray, "height width"]:
        """The labels of a scene, as `grey`."""
        return self.file.image(self._first(index) + 1)

    def crop(
        self, index: int, top: int, left: int, height: int, width: int
    ) -> tuple[UInt8[np.ndarray, "{height} {width}"], UInt8[np.ndarray, "{height} {width}"]]:
        """Grey values and labels of a crop of the endlessly mirrored scene.

        Labels are class ids, `UNKNOWN_ID` where a data set says that a pixel is not labelled.
        """
        first, box = self._first(index), (top, left, height, width)
        return self.file.crop(first, *box), self.file.crop(first + 1, *box)

    def priors(
        self, index: int, top: int, left: int, height: int, width: int
    ) -> dict[str, UInt8[np.ndarray, "{height} {width}"]]:
        """The priors of the same crop by name; 0 where nothing is known."""
        first, box = self._first(index) + PLANES, (top, left, height, width)
        return {name: self.file.crop(first + i, *box) for i, name in enumerate(priors_of(self.channels))}

    def pixels(
        self, index: int, rows: Int[np.ndarray, " height"], columns: Int[np.ndarray, " width"]
    ) -> tuple[UInt8[np.ndarray, "height width"], UInt8[np.ndarray, "height width"]]:
        """Grey values and labels at these rows and columns of the scene."""
        first = self._first(index)
        return self.file.pixels(first, rows, columns), self.file.pixels(first + 1, rows, columns)

    def _first(self, index: int) -> int:
        """Number of a scene's first image in the file."""
        return planes_per_scene(self.channels) * index


def planes_per_scene(channels: Sequence[str] = GREY_ONLY) -> int:
    """How many images `planes_of` gives for each scene."""
    return PLANES + len(priors_of(channels))


def planes_of(
    scenes: Iterable[LabelledScene], pixel_spacing_m: float, channels: Sequence[str] = GREY_ONLY
) -> Iterator[UInt8[np.ndarray, "height width"]]:
    """Grey values, labels and priors of each scene in turn, for `write_images`; `pixel_spacing_m` as in `looks_for`."""
    for scene in scenes:
        labels = scene.zones if scene.valid is None else np.where(scene.valid, scene.zones, UNKNOWN_ID)
        looks = looks_for(scene.id.pixel_spacing_m, pixel_spacing_m)
        yield average_looks(scene.image, looks)
        yield middle_looks(labels, looks).astype(np.uint8)
        for name in priors_of(channels):
            plane = scene.priors[name]
            yield average_looks(np.zeros_like(scene.image) if plane is None else plane, looks)
