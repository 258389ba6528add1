"""The built data set SSL4SAR: SAR scenes without labels, and one optical image of each glacier."""

import os
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.files import read_grey_png
from glacierjax.datasets.records import RecordSplit, open_records

SAR_NAME, OPTICAL_NAME = "ssl4sar/sar", "ssl4sar/optical"


class UnlabelledSplit(RecordSplit):
    """SAR scenes by number; a scene is decoded when it is asked for."""

    UNDECODED: ClassVar = ("image",)

    def ids(self) -> list[tuple[str, str]]:
        """(name, glacier) of every scene, without decoding any image."""
        records = (self.record(i, whole=False) for i in range(len(self)))
        return [(record["name"].decode(), record["glacier"].decode()) for record in records]

    def images(self) -> Iterator[UInt8[np.ndarray, "height width"]]:
        """The grey values (H, W) uint8 of one scene after the other."""
        return (read_grey_png(self.record(i)["image"], self.where(i)) for i in range(len(self)))


class OpticalSplit(RecordSplit):
    """Optical images by number."""

    def glaciers(self) -> list[str]:
        """The glacier of every image."""
        return [self.record(i)["glacier"].decode() for i in range(len(self))]

    def images(self) -> Iterator[UInt8[np.ndarray, "height width 14"]]:
        """The bands (H, W, 14) uint8 of one image after the other."""
        return (self.record(i)["bands"] for i in range(len(self)))


def open_unlabelled(data_dir: str | os.PathLike, split: str, name: str = SAR_NAME) -> UnlabelledSplit:
    """Opens a split of the SAR scenes; errors as `glacierjax.datasets.caffe.prepared.open_split`."""
    return open_records(UnlabelledSplit, data_dir, split, name)


def open_optical(data_dir: str | os.PathLike, name: str = OPTICAL_NAME) -> OpticalSplit:
    """Opens the optical images; errors as `glacierjax.datasets.caffe.prepared.open_split`."""
    return open_records(OpticalSplit, data_dir, "train", name)
