"""Unlabelled SAR scenes, each with the optical image of its glacier, in two image files.

Optical images lie pixel by pixel (rows, columns, 14 bands): the rows of a crop are then read in one piece.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.errors import InputError
from glacierjax.core.glaciers import glacier_key
from glacierjax.data.image_file import ImageFile
from glacierjax.datasets.ssl4sar.optical import BANDS


@dataclasses.dataclass(frozen=True)
class ScenePairs:
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

    def crop(
        self, index: int, top: int, left: int, height: int, width: int
    ) -> dict[str, UInt8[np.ndarray, "{height} {width} bands"]]:
        """The same crop of both sensors: "sar" (height, width, 1) and "optical" (height, width, 14)."""
        box = (top, left, height, width)
        crops = {"sar": self.sar.crop(index, *box)[..., None]}
        if self.optical is not None:
            crops["optical"] = self.optical.crop(self.optical_of[index], *box)
        return crops


def pair_up(
    ids: Sequence[tuple[str, str]], sar: ImageFile, optical: ImageFile | None, optical_glaciers: Sequence[str]
) -> ScenePairs:
    """Puts scenes, given as (name, glacier), and optical images together.

    Raises `InputError` for a scene without optical image, or with one of another size.
    """
    names = tuple(name for name, _ in ids)
    if optical is None:
        return ScenePairs(names, sar, None, ())
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
    return ScenePairs(names, sar, optical, tuple(optical_of))
