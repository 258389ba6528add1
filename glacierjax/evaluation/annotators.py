"""Fronts of the same scenes that several people drew (multi-annotator study of the paper)."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from glacierjax.core.errors import ArgumentError
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.parts import AMONG, ANNOTATOR
from glacierjax.evaluation.predictions import FRONT, find_predictions, read_front
from glacierjax.evaluation.score import compare_fronts
from glacierjax.evaluation.sums import SceneSums

Annotators = Mapping[str, Mapping[str, Path]]
"""name of an annotator -> scene name -> front PNG"""


def find_annotators(folders: Sequence[str], scene_names: Sequence[str]) -> dict[str, dict[str, Path]]:
    """The front files in each folder, which must hold exactly these scenes; the folder name is the annotator's name.

    Raises `InputError` for fewer than two folders, for equal folder names, and for a folder with other scenes.
    """
    names = [Path(folder).resolve().name for folder in folders]
    if len(set(names)) < max(len(names), 2):
        raise ArgumentError(
            "annotators", ",".join(folders), "give at least two folders with different names, one for each annotator"
        )
    return {name: find_predictions(folder, scene_names, FRONT) for name, folder in zip(names, folders, strict=True)}


def score_annotators(
    scene: LabelledScene, front: Bool[np.ndarray, "height width"], annotators: Annotators
) -> dict[str, SceneSums]:
    """Series name -> distances of the predicted front (H, W) bool to each annotator's front, and between each two annotators.

    Fronts of annotators are used as drawn, without post-processing.
    """
    drawn = {name: read_front(files[scene.id.name], scene.zones.shape) for name, files in annotators.items()}
    series = {ANNOTATOR + name: compare_fronts(scene.id, front, true).sums for name, true in drawn.items()}
    for one, other in itertools.combinations(drawn, 2):
        series[f"{AMONG}{one}, {other}"] = compare_fronts(scene.id, drawn[one], drawn[other]).sums
    return series
