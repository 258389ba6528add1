"""CaFFe's published layout `data_raw/{sar_images,zones,fronts}/SPLIT/*.png`, in a folder or a zip file.

Source: Gourmelon et al. 2022, doi 10.5194/essd-14-4287-2022, archive `data_raw.zip` of doi 10.1594/PANGAEA.940950.

Beside what is published, a data set may have `rock/SPLIT/NAME_rock.png` (rock that never moves: 255), `summer/SPLIT/
NAME_summer.png` (grey of a scene without sea ice on the same grid), and `labels.json`, which says what class NA means in it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from glacierjax.core.boxes import match_box_files, read_box
from glacierjax.core.choices import ROCK, SUMMER
from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.core.json_values import parse_json
from glacierjax.core.scene_names import SceneId, parse_name
from glacierjax.core.zones import FRONT_GREY, ids_from_grey
from glacierjax.datasets.caffe.meta_data import MetaData, find_meta_data
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.members import Members, find_prefix, open_members

IMAGES, ZONES, FRONTS, BOXES = "sar_images", "zones", "fronts", "bounding_boxes"
LABEL_SUFFIX = {IMAGES: "", ZONES: "_zones", FRONTS: "_front"}
PRIOR_SUFFIX = {ROCK: "_rock", SUMMER: "_summer"}
STATEMENT = "labels.json"
NA_MEANS, NOT_LABELLED, A_ZONE = "na_means", "not labelled", "a zone"  # its field, and what that can say


class SceneArchive(Protocol):
    """The interface of the readers of CaFFe's two distributions."""

    def splits(self) -> list[str]: ...

    @property
    def na_means(self) -> str | None: ...

    def labelled(self, split: str) -> bool: ...

    def names(self, split: str) -> list[str]: ...

    def read(self, split: str, name: str) -> LabelledScene: ...

    def read_image(self, split: str, name: str) -> tuple[SceneId, UInt8[np.ndarray, "height width"]]: ...

    def read_zones(self, split: str, name: str) -> UInt8[np.ndarray, "height width"]: ...

    def read_front(self, split: str, name: str) -> Bool[np.ndarray, "height width"]: ...


class CaffeArchive:
    """Scenes of one `data_raw`. Files are read on demand; each error is an `InputError` that names the file.

    Splits may be missing. A split without a single zone image is unlabelled: its images can be read
    (`read_image`), its labels not. In a labelled split every scene needs zones and front.
    """

    def __init__(self, members: Members, meta_data: MetaData | None = None):
        self._members, self._meta_data = members, meta_data
        prefix = find_prefix(members, IMAGES)
        if prefix is None:
            raise InputError(f"{members.root}: no folder {IMAGES}; expected CaFFe's data_raw (folder or zip file)")
        self._prefix = prefix
        self._files: dict[tuple[str, str], dict[str, str]] = {}  # (kind, split) -> scene name -> member
        boxes = []
        for member in members.names:
            if not member.startswith(prefix):
                continue
            kind, *below = member.removeprefix(prefix).split("/")
            suffix = (LABEL_SUFFIX | PRIOR_SUFFIX).get(kind)
            if kind == BOXES and len(below) == 1 and member.endswith(".txt"):
                boxes.append(Path(member))
            elif suffix is not None and len(below) == 2 and member.lower().endswith(".png"):
                split, file = below
                name = Path(file).stem.removesuffix(suffix)
                self._files.setdefault((kind, split), {})[name] = member
        if not self.splits():
            raise InputError(f"{self._where(IMAGES)}: no PNG in train/ or test/; expected {IMAGES}/SPLIT/NAME.png")
        everything = [name for split in self.splits() for name in self.names(split)]
        twice = sorted(name for name in set(everything) if everything.count(name) > 1)
        if twice:
            raise InputError(f"{self._where(IMAGES)}: {twice[0]} lies in more than one split; keep one")
        self._boxes = {name: file.as_posix() for name, file in match_box_files(everything, boxes).items()}

    def splits(self) -> list[str]:
        """Splits that have images, sorted."""
        return sorted(split for kind, split in self._files if kind == IMAGES)

    @property
    def na_means(self) -> str | None:
        """What the data set says that class NA means, `NOT_LABELLED` or `A_ZONE`; None if it says nothing."""
        member = f"{self._prefix}{STATEMENT}"
        if member not in self._members.names:
            return None
        where = self._members.where(member)
        try:
            meaning = parse_json(self._members.read(member))[NA_MEANS]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{where}: no JSON with {NA_MEANS} in it ({error}); write the data set again") from None
        if meaning not in (NOT_LABELLED, A_ZONE):
            raise InputError(f"{where}: {NA_MEANS} is {meaning!r}; expected {NOT_LABELLED!r} or {A_ZONE!r}")
        return meaning

    def labelled(self, split: str) -> bool:
        """Whether the split has labels at all: at least one zone image."""
        return (ZONES, split) in self._files

    def names(self, split: str) -> list[str]:
        """Scene names of a split, sorted: all that have an image, and in a labelled split all that have a label."""
        if (IMAGES, split) not in self._files:
            raise InputError(f"{self._where(IMAGES)}: no split {split!r}; there are: {', '.join(self.splits())}")
        return sorted({name for kind in LABEL_SUFFIX for name in self._files.get((kind, split), ())})

    def read(self, split: str, name: str) -> LabelledScene:
        """One scene with its labels; `valid` is None (`glacierjax.datasets.caffe.na_rule` decides on that)."""
        scene, image = self.read_image(split, name)
        if not self.labelled(split):
            raise InputError(f"{self._where(ZONES, split)}: the split {split!r} has no labels; read its images only")
        zones, front = self.read_zones(split, name), self.read_front(split, name)
        for kind, label in ((ZONES, zones), (FRONTS, front)):
            check_same_size(label, image, self._members.where(self._files[kind, split][name]))
        box = None
        if name in self._boxes:
            where = self._members.where(self._boxes[name])
            try:
                box = read_box(self._members.read(self._boxes[name]).decode(), where)
            except UnicodeDecodeError:
                raise InputError(f"{where}: not a text file; expected a header line and four corners") from None
        rock, summer = (self._read_prior(kind, split, name, image) for kind in (ROCK, SUMMER))
        bounds = self._meta_data.bounds(scene, image.shape) if self._meta_data else None
        rock = None if rock is None else rock > 0
        return LabelledScene(scene, image, zones, front, box, None, rock, summer, bounds)

    def read_image(self, split: str, name: str) -> tuple[SceneId, UInt8[np.ndarray, "height width"]]:
        """What the name says, and the grey values (H, W) uint8."""
        where = self._where(IMAGES, split, f"{name}.png")
        scene = parse_name(name, where)
        return scene, self._read_grey(IMAGES, split, name)

    def read_zones(self, split: str, name: str) -> UInt8[np.ndarray, "height width"]:
        """Class ids (H, W) uint8."""
        grey = self._read_grey(ZONES, split, name)
        return ids_from_grey(grey, self._members.where(self._files[ZONES, split][name]))

    def read_front(self, split: str, name: str) -> Bool[np.ndarray, "height width"]:
        """The drawn calving front (H, W) bool."""
        grey = self._read_grey(FRONTS, split, name)
        return front_from_grey(grey, self._members.where(self._files[FRONTS, split][name]))

    def _read_prior(
        self, kind: str, split: str, name: str, image: UInt8[np.ndarray, "height width"]
    ) -> UInt8[np.ndarray, "height width"] | None:
        """A prior as large as the image; None if the data set has none for the scene."""
        if name not in self._files.get((kind, split), {}):
            return None
        plane = self._read_grey(kind, split, name)
        check_same_size(plane, image, self._members.where(self._files[kind, split][name]))
        return plane

    def _read_grey(self, kind: str, split: str, name: str) -> UInt8[np.ndarray, "height width"]:
        member = self._files.get((kind, split), {}).get(name)
        if member is None:
            where = self._where(kind, split, f"{name}{LABEL_SUFFIX[kind]}.png")
            what = "image to the labels" if kind == IMAGES else "label to the image"
            raise InputError(f"{where}: missing, the {what} {name}; add it or take the scene out")
        return read_grey_png(self._members.read(member), self._members.where(member))

    def _where(self, *parts: str) -> str:
        return self._members.where(self._prefix + "/".join(parts))


def open_archive(path: str | os.PathLike) -> CaffeArchive:
    """Opens `data_raw` (the folder, one that contains it) or `data_raw.zip`, with the `meta_data.csv` beside it, if any.

    Raises `InputError` if it is neither.
    """
    members = open_members(path, "CaFFe's data_raw (folder or zip file)")
    return CaffeArchive(members, find_meta_data(members.root))


def front_from_grey(grey: UInt8[np.ndarray, "height width"], where: str) -> Bool[np.ndarray, "height width"]:
    """Front mask (H, W) bool of grey values 0 / 255. Raises `InputError` naming `where` for any other value."""
    front = grey == FRONT_GREY
    if (grey[~front] != 0).any():
        unknown = int(grey[~front].max())
        raise InputError(f"{where}: unknown grey value {unknown} in a front image; expected 0 and {FRONT_GREY}")
    return front


def check_same_size(label: Shaped[np.ndarray, "_ _"], image: UInt8[np.ndarray, "height width"], where: str) -> None:
    """Raises `InputError` naming `where` (the label's file) unless the label is as large as its image."""
    if label.shape != image.shape:
        raise InputError(f"{where}: {_size(label.shape)} pixels, but its image has {_size(image.shape)}")


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]} x {shape[0]}"
