"""One pass over the scenes of a split: predict, score, write."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np

from glacierjax.core.caffe_archive import SceneArchive, open_archive
from glacierjax.core.labelled import LabelledScene
from glacierjax.core.progress import track
from glacierjax.core.unlabelled import na_is_unlabelled, valid_mask
from glacierjax.evaluation.baselines import Baseline
from glacierjax.evaluation.predictions import FRONT, ZONES, find_predictions, read_front, read_zones
from glacierjax.evaluation.score import SceneScore, aggregate, front_averages, score_front, score_scene
from glacierjax.evaluation.write import write_evaluation, write_scene
from glacierjax.fronts.protocol import PROTOCOLS, check_protocol

Predict = Callable[[LabelledScene], np.ndarray]
"""scene -> class ids uint8 (H, W), or a front mask bool (H, W) where fronts are scored alone"""


class Scenes(Sized, Iterable[LabelledScene], Protocol):
    """Scenes whose number is known, read one by one."""


class ArchiveScenes:
    """The scenes of one split of a `data_raw`, read when asked for. With `na_unlabelled`, NA pixels are not valid."""

    def __init__(self, archive: SceneArchive, split: str, na_unlabelled: bool):
        self._archive, self._split, self._na_unlabelled = archive, split, na_unlabelled
        self.names = archive.names(split)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[LabelledScene]:
        for name in self.names:
            scene = self._archive.read(self._split, name)
            yield dataclasses.replace(scene, valid=valid_mask(scene.zones)) if self._na_unlabelled else scene


def raw_scenes(data_raw: str, split: str, na: str = "class") -> ArchiveScenes:
    """The scenes of a split of `data_raw` (folder or zip file); `na` as in `glacierjax.core.unlabelled`."""
    archive = open_archive(data_raw)
    return ArchiveScenes(archive, split, na_is_unlabelled(na, archive))


def from_folder(folder: str, names: Sequence[str], kind: str) -> Predict:
    """Reads the prediction of each scene from a folder of PNGs; `kind` is "zones" or "front". Checks the names now."""
    files = find_predictions(folder, names, kind)
    read = read_zones if kind == ZONES else read_front
    return lambda scene: read(files[scene.id.name], scene.zones.shape)


def evaluate(
    scenes: Scenes,
    predict: Predict,
    output_dir: Path,
    title: str,
    source: str,
    kind: str = ZONES,
    protocol: str = PROTOCOLS[0],
    baselines: Mapping[str, Baseline] = MappingProxyType({}),
) -> dict:
    """Scores every scene under both protocols, writes all files below `output_dir`, and returns the metrics.

    `source` says in one line what was scored; `kind` tells whether `predict` gives zones or fronts; `baselines` are
    scored beside it. Raises `InputError` from reading, predicting or scoring a scene; scenes done stay written.
    """
    check_protocol(protocol)
    (other,) = (p for p in PROTOCOLS if p != protocol)
    score = score_front if kind == FRONT else score_scene
    scores: list[SceneScore] = []
    other_scores: list[SceneScore] = []
    of_baselines: dict[str, list[SceneScore]] = {name: [] for name in baselines}
    for scene in track(scenes, len(scenes), "scenes scored"):
        predicted = predict(scene)
        scores.append(score(scene, predicted, protocol))
        other_scores.append(score(scene, predicted, other))
        for name, baseline in baselines.items():
            of_baselines[name].append(score_scene(scene, baseline(scene.image), protocol))
        write_scene(output_dir, scene, scores[-1], predicted if kind == ZONES else None)
    metrics = aggregate(scores, protocol)
    metrics["other_protocol"] = {"protocol": other, **front_averages(other_scores, other)}
    if of_baselines:
        metrics["baselines"] = {
            name: {"rule": baselines[name].rule} | _headline_only(aggregate(some, protocol))
            for name, some in of_baselines.items()
        }
    write_evaluation(output_dir, metrics, title, source)
    return metrics


def _headline_only(metrics: dict) -> dict:
    return {key: value for key, value in metrics.items() if key not in ("subsets", "per_scene", "protocol")}
