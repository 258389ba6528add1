"""Zones or fronts of any program or person: a folder with one PNG for each scene."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from glacierjax.core.errors import InputError, some_names
from glacierjax.core.files import read_grey_png, require_folder, visible_files
from glacierjax.core.zones import FRONT_GREY, NUM_ZONES, ids_from_grey

ZONES = "zones"
FRONT = "front"
MOST_FRONT = 0.5  # of a scene: a front is a line


def find_predictions(folder: str | Path, scene_names: Sequence[str], kind: str) -> dict[str, Path]:
    """The file of each scene: `NAME.png` or `NAME_zones.png` (kind "zones"; `NAME_front.png` for "front").

    Raises `InputError` when the folder is missing or empty, lacks a scene, has two files for a scene, or has a PNG that
    belongs to no scene.
    """
    folder = require_folder(folder, f"the {kind} of {len(scene_names)} scenes, NAME.png each")
    files = {path.stem: path for path in visible_files(folder, (".png",))}
    file_of_scene: dict[str, Path] = {}
    missing = []
    for name in scene_names:
        candidates = [files.pop(stem) for stem in (name, f"{name}_{kind}") if stem in files]
        if len(candidates) > 1:
            raise InputError(
                f"{candidates[1]}: a second file for the same scene as {candidates[0].name}; keep one of them"
            )
        if candidates:
            file_of_scene[name] = candidates[0]
        else:
            missing.append(name)
    if missing:
        raise InputError(
            f"{folder}: no {kind} for {len(missing)} of {len(scene_names)} scenes ({some_names(missing)}); "
            f"expected NAME.png for each scene of the split"
        )
    if files:
        names = some_names([file.name for file in files.values()])
        raise InputError(
            f"{folder}: {len(files)} PNG file(s) that belong to no scene of the split ({names}); "
            "choose another split, or move these files away"
        )
    return file_of_scene


def read_zones(path: Path, shape: tuple[int, int]) -> UInt8[np.ndarray, "height width"]:
    """Class ids (H, W) uint8 from a zone PNG with CaFFe's grey values or with the ids 0 to 3."""
    values = _read(path, shape)
    return values if values.max() < NUM_ZONES else ids_from_grey(values, str(path))


def read_front(path: Path, shape: tuple[int, int]) -> Bool[np.ndarray, "height width"]:
    """Front mask (H, W) bool from a PNG with 0 and 255 (or 0 and 1). Raises `InputError` if most of it is front."""
    values = _read(path, shape)
    if not np.isin(values, (0, 1, FRONT_GREY)).all() or (values.max() == FRONT_GREY and (values == 1).any()):
        raise InputError(
            f"{path}: grey values other than 0 and {FRONT_GREY}; expected a front image (zones: `predictions`)"
        )
    front = values > 0
    if front.mean() > MOST_FRONT:
        raise InputError(f"{path}: {front.mean():.0%} of it is front; are {FRONT_GREY} and 0 exchanged?")
    return front


def _read(path: Path, shape: tuple[int, int]) -> UInt8[np.ndarray, "height width"]:
    values = read_grey_png(path)
    if values.shape != shape:
        raise InputError(
            f"{path}: {values.shape[0]} x {values.shape[1]} pixels, but its scene has {shape[0]} x {shape[1]} "
            "(rows x columns); predict at the size of the scene"
        )
    return values
