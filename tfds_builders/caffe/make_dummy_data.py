"""Writes `dummy_data/` beside this file: six invented scenes as `data_raw.zip` and, cut into chips, as `caffe.zip`.

Example: python -m tfds_builders.caffe.make_dummy_data
"""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.files import encode_png
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import FRONT_GREY, Zone, grey_from_ids
from glacierjax.datasets.caffe.archive import FRONTS, IMAGES, LABEL_SUFFIX, ZONES
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.writer import write_scene

DUMMY_DATA = Path(__file__).parent / "dummy_data"
SCENES = {  # split -> names
    "train": [
        "Crane_2002-11-09_ERS_20_2_061",
        "Crane_2009-08-03_TSX_7_1_059",
        "DBE_2008-03-30_TSX_7_3_049",
        "JAC_2015-12-23_TSX_6_1_005",
    ],
    "test": ["COL_2011-11-13_TSX_7_1_092", "Mapple_2006-12-20_ENVISAT_20_4_003"],
}
CHIP_PX = 32


def make_scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image uint8, zones (class ids) uint8 and front bool, all (H, W): ocean below a wavy front, rock and NA left."""
    height, width = rng.integers(40, 60, 2)
    front_row = (height / 2 + rng.uniform(2, 5) * np.sin(np.arange(width) / 5)).astype(int)
    rows = np.arange(height)[:, None]
    zones = np.where(rows >= front_row, Zone.OCEAN_ICE_MELANGE, Zone.GLACIER).astype(np.uint8)
    zones[:, :6], zones[:, :3] = Zone.ROCK, Zone.NA
    front = (rows == front_row) & (np.arange(width) >= 6)
    image = (40 * zones + rng.integers(1, 60, zones.shape)).astype(np.uint8)
    return image, zones, front


def labelled_scenes(seed: int = 0) -> Iterator[tuple[str, LabelledScene]]:
    """(split, scene) of every dummy scene."""
    rng = np.random.default_rng(seed)
    for split, names in SCENES.items():
        for name in names:
            image, zones, front = make_scene(rng)
            height, width = image.shape
            yield split, LabelledScene(parse_name(name), image, zones, front, BoundingBox(4, 3, width, height + 0.5))


def scenes(seed: int = 0) -> Iterator[tuple[str, str, dict[str, np.ndarray]]]:
    """(split, name, grey images by folder) of every dummy scene."""
    for split, scene in labelled_scenes(seed):
        front = scene.front * np.uint8(FRONT_GREY)
        yield split, scene.id.name, {IMAGES: scene.image, ZONES: grey_from_ids(scene.zones), FRONTS: front}


def data_raw_files(seed: int = 0) -> dict[str, bytes]:
    """File contents of a small `data_raw` by path (layout of Gourmelon et al. 2022)."""
    with tempfile.TemporaryDirectory() as folder:
        for split, scene in labelled_scenes(seed):
            write_scene(Path(folder) / "data_raw", split, scene)
        paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def chip_files(seed: int = 0) -> dict[str, bytes]:
    """File contents of a small `caffe.zip`: the first scene becomes val; val and test chips overlap by a half."""
    files = {}
    val_name = SCENES["train"][0]
    for split, name, greys in scenes(seed):
        folder_split = "val" if name == val_name else split
        stride = CHIP_PX if folder_split == "train" else CHIP_PX // 2
        for folder, suffix in LABEL_SUFFIX.items():
            for part, chip in cut_chips(greys[folder], stride):
                files[f"caffe/{folder}/{folder_split}/{name}{suffix}__{part}.png"] = encode_png(chip)
    return files


def cut_chips(grey: np.ndarray, stride: int) -> Iterator[tuple[str, np.ndarray]]:
    """Pads below and right with zeros, cuts, and gives ("BOTTOM_RIGHT_INDEX_ROW_COL", chip)."""
    bottom, right = ((CHIP_PX - size) % stride if size > CHIP_PX else CHIP_PX - size for size in grey.shape)
    padded = np.pad(grey, ((0, bottom), (0, right)))
    origins = [range(0, size - CHIP_PX + 1, stride) for size in padded.shape]
    corners = [(row, col) for row in origins[0] for col in origins[1]]
    for index, (row, col) in enumerate(corners):
        yield f"{bottom}_{right}_{index}_{row}_{col}", padded[row : row + CHIP_PX, col : col + CHIP_PX]


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Writes a zip file whose bytes depend on nothing but `files`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)


if __name__ == "__main__":
    write_zip(DUMMY_DATA / "data_raw.zip", data_raw_files())
    write_zip(DUMMY_DATA / "caffe.zip", chip_files())
