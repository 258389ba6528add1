"""Writes scenes in CaFFe's published layout `data_raw` (`glacierjax.datasets.caffe.archive` reads it)."""

import os
from pathlib import Path

import numpy as np

from glacierjax.core.boxes import box_text
from glacierjax.core.files import write_png, write_text
from glacierjax.core.zones import FRONT_GREY, grey_from_ids
from glacierjax.datasets.caffe.archive import BOXES, FRONTS, IMAGES, LABEL_SUFFIX, ZONES
from glacierjax.datasets.caffe.scene import LabelledScene

BOX_SUFFIX = "__bounding_box.txt"


def write_scene(data_raw: str | os.PathLike, split: str, scene: LabelledScene) -> None:
    """Writes image, zones, front and (where there is one) box of a scene below the folder `data_raw`.

    Pixels that are not labelled (`scene.valid` false) keep their zone: the layout has no place for them.
    """
    root, name = Path(data_raw), scene.id.name
    front = np.where(scene.front, FRONT_GREY, 0).astype(np.uint8)
    for kind, grey in ((IMAGES, scene.image), (ZONES, grey_from_ids(scene.zones)), (FRONTS, front)):
        write_png(root / kind / split / f"{name}{LABEL_SUFFIX[kind]}.png", grey)
    if scene.box is not None:
        write_text(root / BOXES / f"{name}{BOX_SUFFIX}", box_text(scene.box))
