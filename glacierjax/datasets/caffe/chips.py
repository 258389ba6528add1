"""CaFFe as torchgeo distributes it: padded chips in `caffe.zip`, put together to whole scenes again.

Source: Hugging Face data set torchgeo/caffe. Chips are called `NAME[_zones|_front]__BOTTOM_RIGHT_INDEX_ROW_COL.png`:
BOTTOM and RIGHT are the rows and columns of zeros added to the scene, ROW and COL the chip's origin in it. Chips of
val and test overlap, those of train do not. There are no bounding boxes.
"""

import os
import re
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, UInt8

from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.core.scene_names import SceneId, parse_name
from glacierjax.core.zones import ids_from_grey
from glacierjax.datasets.caffe.archive import FRONTS, IMAGES, LABEL_SUFFIX, ZONES, check_same_size, front_from_grey
from glacierjax.datasets.caffe.meta_data import MetaData, find_meta_data
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.members import Members, find_prefix, open_members

_CHIP_NAME = re.compile(r"(?P<name>.+?)__(?P<bottom>\d+)_(?P<right>\d+)_\d+_(?P<row>\d+)_(?P<col>\d+)\.png")
CHIP_GRAMMAR = "NAME__BOTTOM_RIGHT_INDEX_ROW_COL.png"


class _Chip(NamedTuple):
    member: str
    bottom: int
    right: int
    row: int
    col: int


class CaffeChips:
    """Scenes of one `caffe.zip` (or its unpacked folder), with the interface of `CaffeArchive`."""

    def __init__(self, members: Members, meta_data: MetaData | None = None):
        self._members, self._meta_data = members, meta_data
        prefix = find_prefix(members, IMAGES)
        if prefix is None:
            raise InputError(f"{members.root}: no folder {IMAGES}; expected torchgeo's caffe.zip")
        self._chips: dict[tuple[str, str], dict[str, list[_Chip]]] = {}  # (kind, split) -> scene name -> chips
        for member in members.names:
            parts = member.removeprefix(prefix).split("/")
            if not member.startswith(prefix) or len(parts) != 3 or parts[0] not in LABEL_SUFFIX:
                continue
            kind, split, file = parts
            match = _CHIP_NAME.fullmatch(file)
            if match is None:
                raise InputError(f"{members.where(member)}: not a chip's name; expected {CHIP_GRAMMAR}")
            chip = _Chip(member, *(int(match[key]) for key in ("bottom", "right", "row", "col")))
            name = match["name"].removesuffix(LABEL_SUFFIX[kind])
            self._chips.setdefault((kind, split), {}).setdefault(name, []).append(chip)
        if not self.splits():
            raise InputError(f"{members.root}: no chips in {IMAGES}/SPLIT/; expected torchgeo's caffe.zip")

    @property
    def na_means(self) -> str | None:
        """Nothing is said about class NA: it is CaFFe's."""
        return None

    def splits(self) -> list[str]:
        """Splits that have images, sorted: test, train, val."""
        return sorted(split for kind, split in self._chips if kind == IMAGES)

    def labelled(self, split: str) -> bool:
        """Whether the split has labels at all."""
        return (ZONES, split) in self._chips

    def names(self, split: str) -> list[str]:
        """Scene names of a split, sorted."""
        if (IMAGES, split) not in self._chips:
            raise InputError(f"{self._members.root}: no split {split!r}; there are: {', '.join(self.splits())}")
        return sorted({name for kind in LABEL_SUFFIX for name in self._chips.get((kind, split), ())})

    def read(self, split: str, name: str) -> LabelledScene:
        """One whole scene with its labels, without box."""
        scene, image = self.read_image(split, name)
        zones, front = self.read_zones(split, name), self.read_front(split, name)
        for kind, label in ((ZONES, zones), (FRONTS, front)):
            check_same_size(label, image, self._where(kind, split, name))
        bounds = self._meta_data.bounds(scene, image.shape) if self._meta_data else None
        return LabelledScene(scene, image, zones, front, bounds=bounds)

    def read_image(self, split: str, name: str) -> tuple[SceneId, UInt8[np.ndarray, "height width"]]:
        """What the name says, and the grey values (H, W) uint8."""
        return parse_name(name, self._where(IMAGES, split, name)), self._assemble(IMAGES, split, name)

    def read_zones(self, split: str, name: str) -> UInt8[np.ndarray, "height width"]:
        """Class ids (H, W) uint8."""
        return ids_from_grey(self._assemble(ZONES, split, name), self._where(ZONES, split, name))

    def read_front(self, split: str, name: str) -> Bool[np.ndarray, "height width"]:
        """The drawn calving front (H, W) bool."""
        return front_from_grey(self._assemble(FRONTS, split, name), self._where(FRONTS, split, name))

    def _assemble(self, kind: str, split: str, name: str) -> UInt8[np.ndarray, "height width"]:
        where = self._where(kind, split, name)
        chips = self._chips.get((kind, split), {}).get(name)
        if not chips:
            raise InputError(f"{where}: the scene has no chip; copy or download caffe.zip again")
        if len({(chip.bottom, chip.right) for chip in chips}) > 1:
            raise InputError(f"{where}: the chips of the scene disagree on its padding; download caffe.zip again")
        tiles = [read_grey_png(self._members.read(c.member), self._members.where(c.member)) for c in chips]
        rows = max(chip.row + tile.shape[0] for chip, tile in zip(chips, tiles, strict=True))
        cols = max(chip.col + tile.shape[1] for chip, tile in zip(chips, tiles, strict=True))
        canvas = np.zeros((rows, cols), np.uint8)
        covered = np.zeros((rows, cols), bool)
        for chip, tile in zip(chips, tiles, strict=True):
            area = np.s_[chip.row : chip.row + tile.shape[0], chip.col : chip.col + tile.shape[1]]
            if (canvas[area] != tile)[covered[area]].any():
                raise InputError(f"{self._members.where(chip.member)}: differs from the chip that it overlaps")
            canvas[area], covered[area] = tile, True
        height, width = rows - chips[0].bottom, cols - chips[0].right
        if height < 1 or width < 1:
            raise InputError(f"{where}: the padding in the chip names is larger than the scene")
        if not covered[:height, :width].all():
            raise InputError(f"{where}: chips are missing; copy or download caffe.zip again")
        return canvas[:height, :width].copy()

    def _where(self, kind: str, split: str, name: str) -> str:
        return f"{self._members.root}:{kind}/{split}/{name}{LABEL_SUFFIX[kind]}__*.png"


def open_chips(path: str | os.PathLike) -> CaffeChips:
    """Opens `caffe.zip` or the folder that it unpacks to, with the `meta_data.csv` beside it. Raises `InputError` if it is
    neither."""
    members = open_members(path, "torchgeo's caffe.zip")
    return CaffeChips(members, find_meta_data(members.root))
