"""A pass over the scenes of a split or of a part of it: predict, score, write."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np

from glacierjax.core.choices import PROTOCOLS
from glacierjax.core.errors import InputError
from glacierjax.core.progress import track
from glacierjax.datasets.caffe.archive import SceneArchive, open_archive
from glacierjax.datasets.caffe.na_rule import STATED, na_is_unlabelled, valid_mask
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.annotators import Annotators, score_annotators
from glacierjax.evaluation.baselines import Baseline
from glacierjax.evaluation.parts import (
    BASELINE,
    OTHER_PROTOCOL,
    PREDICTION,
    Part,
    PartSettings,
    merge_parts,
    read_part,
    write_part,
)
from glacierjax.evaluation.pipeline import overlapped
from glacierjax.evaluation.predictions import FRONT, ZONES, find_predictions, read_front, read_zones
from glacierjax.evaluation.score import SceneScore, score_front, score_scene, score_under
from glacierjax.evaluation.sums import SceneSums
from glacierjax.evaluation.write import check_pictures, copy_pictures, remove_averages, write_evaluation, write_scene
from glacierjax.fronts.extract import check_protocol
from glacierjax.reports.metrics import Metrics


class PredictedLabels(NamedTuple):
    """`labels`: class ids uint8 (H, W), or a front mask bool (H, W) where fronts are scored alone.

    `deviation`: float16 (H, W), only for ensembles: standard deviation of the class probabilities, largest over the classes;
    `uncertainty`: float16 (H, W), of networks: entropy of the mean probabilities, 0 to 1; `lean`
    likewise: probability of glacier minus that of ocean and ice mélange.
    """

    labels: np.ndarray
    deviation: np.ndarray | None = None
    uncertainty: np.ndarray | None = None
    lean: np.ndarray | None = None


Predict = Callable[[LabelledScene], PredictedLabels]
Observe = Callable[[LabelledScene, PredictedLabels, SceneScore], None]


class Scenes(Protocol):
    """Scenes with known names, which are read one at a time."""

    @property
    def names(self) -> Sequence[str]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> LabelledScene: ...

    def __iter__(self) -> Iterator[LabelledScene]: ...


class ArchiveScenes:
    """The scenes of a split of `data_raw`, read on access. With `na_unlabelled`, NA pixels are not valid."""

    def __init__(self, archive: SceneArchive, split: str, na_unlabelled: bool):
        self._archive, self._split, self._na_unlabelled = archive, split, na_unlabelled
        self.names = archive.names(split)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> LabelledScene:
        scene = self._archive.read(self._split, self.names[index])
        return dataclasses.replace(scene, valid=valid_mask(scene.zones)) if self._na_unlabelled else scene

    def __iter__(self) -> Iterator[LabelledScene]:
        return (self[index] for index in range(len(self)))


def raw_scenes(data_raw: str, split: str, na: str = STATED) -> ArchiveScenes:
    """The scenes of a split of `data_raw` (folder or zip file); `na` as in `glacierjax.datasets.caffe.na_rule`."""
    archive = open_archive(data_raw)
    return ArchiveScenes(archive, split, na_is_unlabelled(na, archive))


def from_folder(folder: str, names: Sequence[str], kind: str) -> Predict:
    """Reads the prediction of each scene from a folder of PNGs; `kind` is "zones" or "front". The names are checked at once."""
    files = find_predictions(folder, names, kind)
    read = read_zones if kind == ZONES else read_front
    return lambda scene: PredictedLabels(read(files[scene.id.name], scene.zones.shape))


def score_part(
    scenes: Scenes,
    predict: Predict,
    output_dir: Path,
    title: str,
    source: str,
    kind: str = ZONES,
    protocol: str = PROTOCOLS[0],
    baselines: Mapping[str, Baseline] = MappingProxyType({}),
    annotators: Annotators = MappingProxyType({}),
    shard: tuple[int, int] = (0, 1),
    observe: Observe | None = None,
    numbers: Sequence[int] | None = None,
) -> Part:
    """Scores scenes under both protocols; writes their pictures and sums.json (`write_evaluation` writes the averages).

    `source` describes in one line what is scored; `kind`: whether `predict` returns zones or fronts; `baselines` and
    `annotators` are scored too; `shard` (i, n) takes every n-th scene from number i on (from 0), `numbers` those instead;
    `observe` is called with each scene, its prediction and score, from several threads. Raises `InputError` from reading,
    predicting or scoring a scene; the files of finished scenes remain, the averages of an earlier evaluation do not.
    """
    check_protocol(protocol)
    (other,) = (p for p in PROTOCOLS if p != protocol)
    protocols = (protocol, other)

    def work(scene: LabelledScene) -> Callable[[], dict[str, SceneSums]]:
        predicted = predict(scene)

        def finish() -> dict[str, SceneSums]:
            if kind == FRONT:
                scored, scored_otherwise = (score_front(scene, predicted.labels, p) for p in protocols)
            else:
                scored, scored_otherwise = score_under(scene, predicted.labels, protocols)
            zones = predicted.labels if kind == ZONES else None
            if observe is not None:
                observe(scene, predicted, scored)
            front = write_scene(output_dir, scene, scored, zones, predicted.deviation)
            return {
                PREDICTION: scored.sums,
                OTHER_PROTOCOL: scored_otherwise.sums,
                **{
                    BASELINE + name: score_scene(scene, baseline(scene.image), protocol).sums
                    for name, baseline in baselines.items()
                },
                **score_annotators(scene, front, annotators),
            }

        return finish

    remove_averages(output_dir)
    indices = range(shard[0], len(scenes), shard[1]) if numbers is None else numbers
    reads = (functools.partial(scenes.__getitem__, index) for index in indices)
    scored = list(track(overlapped(reads, work), len(indices), "scenes scored"))
    if not scored:
        raise InputError(
            "no scenes to score; choose a split that has scenes, and at most as many parts as it has scenes"
        )
    rules = {name: baseline.rule for name, baseline in baselines.items()}
    settings = PartSettings(title, source, kind, protocol, list(scenes.names), rules, list(annotators))
    part = Part(settings, {name: [sums[name] for sums in scored] for name in scored[0]})
    write_part(output_dir, part)
    return part


def merge(folders: Sequence[str], output_dir: Path) -> Metrics:
    """Merges parts: copies their pictures and writes the files that a single pass writes; returns the metrics.

    Raises `InputError` unless they are all parts of one evaluation, each once, with their pictures.
    """
    parts = [read_part(folder) for folder in folders]
    part = merge_parts(parts, folders)
    for folder, one in zip(folders, parts, strict=True):
        check_pictures(Path(folder), one.names)  # of all, before the output changes
    for folder, one in zip(folders, parts, strict=True):
        if Path(folder).resolve() != output_dir.resolve():
            copy_pictures(Path(folder), output_dir, one.names)
    write_part(output_dir, part)
    return write_evaluation(output_dir, part)
