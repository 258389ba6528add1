"""SSL4SAR's published layout: unlabelled SAR scenes of many glaciers, and one optical image for each glacier.

    unlabeled_data_raw_train/SENSOR_GLACIER_....png     unlabeled_data_raw_val/SENSOR_GLACIER_....png
    data_optical/GLACIER_....tif

as folders or in zip or tar archives (Gourmelon et al. 2025, Zenodo record 14748506). Files are read one by one.
"""

import contextlib
import datetime
import functools
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.errors import InputError
from glacierjax.core.files import is_hidden, read_grey_png, require_folder
from glacierjax.core.glaciers import canonical_glacier, glacier_key
from glacierjax.core.scene_names import first_date
from glacierjax.datasets.members import ARCHIVE_SUFFIXES, FolderMembers, Members, archive_stem, open_archive_file
from glacierjax.datasets.ssl4sar.optical import Grid, OpticalImage, read_grey_geotiff, read_grid, read_optical

log = logging.getLogger(__name__)

SAR_FOLDERS = {"train": "unlabeled_data_raw_train", "val": "unlabeled_data_raw_val"}  # split -> folder
OPTICAL_FOLDER = "data_optical"
SAR_NAME_GRAMMAR = "SENSOR_GLACIER_....png"
OPTICAL_NAME_GRAMMAR = "GLACIER_....tif"
_SUFFIXES = {"sar": (".png", ".tif", ".tiff"), "optical": (".tif", ".tiff")}


class SarName(NamedTuple):
    """The parsed name of an unlabelled SAR scene; `date` is None if the name has none."""

    name: str
    sensor: str
    glacier: str
    date: datetime.date | None


class SarScene(NamedTuple):
    """One unlabelled scene: grey values (H, W) uint8 and their grid."""

    id: SarName
    image: UInt8[np.ndarray, "height width"]
    grid: Grid


class _Member(NamedTuple):
    container: Members
    name: str

    @property
    def where(self) -> str:
        return self.container.where(self.name)

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    def read(self) -> bytes:
        return self.container.read(self.name)


def parse_sar_name(name: str, where: str) -> SarName:
    """Parses a scene name without suffix. Raises `InputError` naming `where`."""
    fields = name.split("_")
    if len(fields) < 2 or not fields[0] or not fields[1]:
        raise InputError(f"{where}: the scene name {name!r} does not follow {SAR_NAME_GRAMMAR}")
    return SarName(name, fields[0], canonical_glacier(fields[1]), first_date(name))


class Ssl4SarArchive:
    """The scenes and optical images of SSL4SAR in a folder, unpacked or packed. Errors are `InputError`s that name the file.

    A folder `unlabeled_data_raw_train` is preferred to archives with the same content. Scenes come in the order of
    their names (folder, zip) or of the archive (tar), so that a compressed archive is walked once for each split.
    """

    def __init__(self, root: Path):
        self.root = root
        containers = _containers(root)
        self._sar = {split: _find(containers, folder, "sar") for split, folder in SAR_FOLDERS.items()}
        names = [member.stem for members in self._sar.values() for member in members]
        if twice := sorted(name for name, count in Counter(names).items() if count > 1):
            raise InputError(f"{root}: two files of the scene {twice[0]}; keep one of them")
        self._optical: dict[str, _Member] = {}  # by glacier key, in the containers' order
        for member in _find(containers, OPTICAL_FOLDER, "optical"):
            key = glacier_key(member.stem.split("_")[0])
            if key in self._optical:
                first = self._optical[key].where
                raise InputError(f"{member.where}: a second optical image of the glacier of {first}; keep one")
            self._optical[key] = member

    def splits(self) -> list[str]:
        """Splits that have SAR scenes."""
        return [split for split, members in self._sar.items() if members]

    def count(self, split: str) -> int:
        return len(self._sar[split])

    def scenes(self, split: str) -> Iterator[SarScene | InputError]:
        """The scenes of a split one after the other; for a scene that cannot be read, the error instead."""
        for member in self._sar[split]:
            try:
                yield _read_sar(member)
            except InputError as error:
                yield error

    def glaciers(self) -> list[str]:
        """Glaciers with an optical image, by their canonical names, sorted."""
        return sorted(canonical_glacier(member.stem.split("_")[0]) for member in self._optical.values())

    @functools.cached_property
    def optical_grids(self) -> dict[str, tuple[str, Grid]]:
        """(file, grid) of each optical image by `glacier_key`."""
        return {key: (m.where, read_grid(m.read(), m.where)) for key, m in self._optical.items()}

    def check_optical(self, glacier: str, where: str) -> None:
        """Raises `InputError` naming `where` (the scene that needs it) unless the glacier has an optical image."""
        if glacier_key(glacier) not in self._optical:
            raise InputError(
                f"{where}: no optical image of the glacier {glacier} in {OPTICAL_FOLDER}; there are: "
                f"{', '.join(self.glaciers())}; add {OPTICAL_NAME_GRAMMAR} or take its scenes out"
            )

    def optical_images(self, onto: dict[str, Grid] | None = None) -> Iterator[tuple[str, str, OpticalImage]]:
        """(file name without suffix, canonical glacier, image) of each glacier, one image in memory at a time.

        `onto`: grids by `glacier_key`, to which the images are resampled.
        """
        for key, member in self._optical.items():
            image = read_optical(member.read(), member.where, None if onto is None else onto.get(key))
            yield member.stem, canonical_glacier(member.stem.split("_")[0]), image

    def sar_grids(self) -> dict[str, Grid]:
        """The grid of the first SAR scene of each glacier that can be read, by `glacier_key`; `scenes` tells of the others."""
        grids: dict[str, Grid] = {}
        for members in self._sar.values():
            for member in members:
                with contextlib.suppress(InputError):
                    key = glacier_key(parse_sar_name(member.stem, member.where).glacier)
                    if key not in grids:
                        grids[key] = _read_sar(member).grid
        return grids


def _read_sar(member: _Member) -> SarScene:
    name = parse_sar_name(member.stem, member.where)
    data = member.read()
    if member.name.lower().endswith(_SUFFIXES["optical"]):
        return SarScene(name, *read_grey_geotiff(data, member.where))
    image = read_grey_png(data, member.where)
    return SarScene(name, image, Grid(*image.shape))


def _containers(root: Path) -> list[tuple[str, Members]]:
    """(name, files) of the folder itself and of the archives in it."""
    root = require_folder(root, f"SSL4SAR's {', '.join(SAR_FOLDERS.values())} and {OPTICAL_FOLDER}")
    archives = sorted(
        p for p in root.iterdir() if p.is_file() and not is_hidden(p) and p.name.endswith(ARCHIVE_SUFFIXES)
    )
    containers: list[tuple[str, Members]] = [(root.name, FolderMembers(root))]
    for path in archives:
        log.info("listing %s ...", path)
        containers.append((archive_stem(path), open_archive_file(path)))
    return containers


def _find(containers: list[tuple[str, Members]], folder: str, kind: str) -> list[_Member]:
    """Files of a kind below a folder or in an archive of that name; unpacked files come before all archives."""
    for group in (containers[:1], containers[1:]):
        members = [
            _Member(container, name)
            for stem, container in group
            for name in container.names
            if folder in (stem, *name.split("/")[:-1]) and name.lower().endswith(_SUFFIXES[kind])
        ]
        if members:
            return members
    return []
