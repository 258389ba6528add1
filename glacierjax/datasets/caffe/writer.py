"""Writes scenes in CaFFe's published layout `data_raw` (`glacierjax.datasets.caffe.archive` reads it)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glacierjax.core.boxes import box_text
from glacierjax.core.files import write_png, write_text
from glacierjax.core.zones import FRONT_GREY, Zone, grey_from_ids
from glacierjax.datasets.caffe.archive import (
    BOXES,
    FRONTS,
    IMAGES,
    LABEL_SUFFIX,
    NA_MEANS,
    PRIOR_SUFFIX,
    STATEMENT,
    ZONES,
)
from glacierjax.datasets.caffe.scene import LabelledScene

BOX_SUFFIX = "__bounding_box.txt"


def write_scene(data_raw: str | os.PathLike, split: str, scene: LabelledScene) -> None:
    """Writes image, zones, front and (where there are any) box and priors of a scene below the folder `data_raw`.

    A scene that is there already is replaced, a prior that it no longer has removed. Pixels that are not labelled
    (`scene.valid` false) become NA, which means this in data sets with such a statement (`write_statement`).
    """
    root, name = Path(data_raw), scene.id.name
    front = np.where(scene.front, FRONT_GREY, 0).astype(np.uint8)
    zones = scene.zones if scene.valid is None else np.where(scene.valid, scene.zones, np.uint8(Zone.NA))
    for kind, grey in ((IMAGES, scene.image), (ZONES, grey_from_ids(zones)), (FRONTS, front)):
        write_png(root / kind / split / f"{name}{LABEL_SUFFIX[kind]}.png", grey)
    for kind, plane in scene.priors.items():
        path = root / kind / split / f"{name}{PRIOR_SUFFIX[kind]}.png"
        if plane is None:
            path.unlink(missing_ok=True)
        else:
            write_png(path, plane)
    if scene.box is not None:
        write_text(root / BOXES / f"{name}{BOX_SUFFIX}", box_text(scene.box))


def scene_files(split: str, name: str) -> list[str]:
    """The files that `write_scene` may write for a scene, from `data_raw`."""
    kinds = (LABEL_SUFFIX | PRIOR_SUFFIX).items()
    return [*(f"{kind}/{split}/{name}{suffix}.png" for kind, suffix in kinds), f"{BOXES}/{name}{BOX_SUFFIX}"]


def write_statement(data_raw: str | os.PathLike, na_means: str, facts: Mapping[str, Any]) -> None:
    """Writes what class NA means in a data set (`NOT_LABELLED` or `A_ZONE`), and other facts about its labels."""
    write_text(
        Path(data_raw) / STATEMENT, json.dumps({NA_MEANS: na_means, **facts}, indent=1, ensure_ascii=False) + "\n"
    )
