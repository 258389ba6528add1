"""Rock from a file, laid over scenes that `glacierjax label` labelled, placed by their GeoTIFFs."""

import dataclasses
from collections.abc import Iterator

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import user_path
from glacierjax.core.json_values import read_json
from glacierjax.datasets.caffe.archive import STATEMENT
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import Scenes
from glacierjax.geo.covers import Cover, read_cover
from glacierjax.geo.inputs import find_sources
from glacierjax.labels.frames import Frame, read_frames


class ScenesWithRock:
    """The scenes with the rock of a cover in place of their own; `frames`: where each lies, by its name."""

    def __init__(self, scenes: Scenes, cover: Cover, frames: dict[str, Frame]):
        self._scenes, self._cover, self._frames = scenes, cover, frames
        self.names = scenes.names

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> LabelledScene:
        scene, frame = self._scenes[index], self._frames[self.names[index]]
        if scene.image.shape != frame.shape:
            raise InputError(f"{frame.where}: is not as large any more as when it was labelled; label the scenes again")
        return dataclasses.replace(scene, rock=self._cover.mask(frame.shape, frame.georeference))

    def __iter__(self) -> Iterator[LabelledScene]:
        return (self[index] for index in range(len(self)))


def with_rock(scenes: Scenes, rock: str, data_raw: str) -> ScenesWithRock:
    """Lays the rock in a vector or raster file over scenes of `data_raw`, which `glacierjax label` wrote.

    Raises `InputError` for a data set of another origin, for rock of another place, or when a GeoTIFF is not where it was when
    it was labelled.
    """
    cover = read_cover(rock)
    try:
        statement = read_json(user_path(data_raw) / STATEMENT)
        files = {name: statement["scenes"][name]["files"] for name in scenes.names}
    except (OSError, ValueError, KeyError, TypeError):
        advice = f"{data_raw} does not tell where its scenes lie; it needs GeoTIFFs labelled by `glacierjax label`"
        raise ArgumentError("rock", rock, advice) from None
    frames = {}
    for name, paths in files.items():
        try:
            found, problems = read_frames(find_sources(paths))
        except ArgumentError:
            gone = f"{name} was labelled from {', '.join(paths)}, which is not there any more; label the scenes again"
            raise ArgumentError("rock", rock, gone) from None
        if problems or len(found) != 1:
            raise InputError(problems[0] if problems else f"{paths[0]}: several scenes; label the scenes again")
        frames[name] = found[0]
    if not any(cover.meets(frame.shape, frame.georeference) for frame in frames.values()):
        raise ArgumentError("rock", rock, f"says nothing of any scene of {data_raw}; give the rock of its glacier")
    return ScenesWithRock(scenes, cover, frames)
