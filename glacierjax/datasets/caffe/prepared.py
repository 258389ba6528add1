"""Prepared data sets (what `python -m tfds_builders.build` wrote), read one whole scene at a time."""

import datetime
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from glacierjax.core.boxes import BoundingBox, MapBounds
from glacierjax.core.choices import ROCK, SUMMER
from glacierjax.core.files import png_shape, read_grey_png
from glacierjax.core.scene_names import SceneId
from glacierjax.datasets.caffe.archive import PRIOR_SUFFIX
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.records import RecordSplit, open_records


class SceneSplit(RecordSplit, Sequence[LabelledScene]):
    """The labelled scenes of one split, in the order of their names; a scene is decoded when it is asked for.

    Can be pickled and shared between processes and threads. A damaged record is an `InputError` that names its file.
    """

    NEEDED = ("valid", "priors", "crs", "map_bounds", *PRIOR_SUFFIX)
    UNDECODED = ("image", "zones", "front", "valid", *PRIOR_SUFFIX)

    @overload
    def __getitem__(self, index: int) -> LabelledScene: ...

    @overload
    def __getitem__(self, index: slice) -> list[LabelledScene]: ...

    def __getitem__(self, index: int | slice) -> LabelledScene | list[LabelledScene]:
        if isinstance(index, slice):
            return [self._scene(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._scene(index % len(self))

    def __iter__(self) -> Iterator[LabelledScene]:
        return (self._scene(i) for i in range(len(self)))

    @functools.cached_property
    def ids(self) -> list[SceneId]:
        """What the scenes' names say, without decoding any image."""
        return [_scene_id(self.record(i, whole=False)) for i in range(len(self))]

    @property
    def names(self) -> list[str]:
        """Scene names, in order, without decoding any image."""
        return [scene.name for scene in self.ids]

    @functools.cached_property
    def priors(self) -> list[tuple[str, ...]]:
        """What is known of each scene beside its labels, rock or summer, without decoding any image."""
        return [_listed(self.record(i, whole=False), "priors") for i in range(len(self))]

    @functools.cached_property
    def places(self) -> list[tuple[MapBounds, tuple[int, int]] | None]:
        """Map bounds and (rows, columns) of each scene, without decoding any image; None: not known."""
        return [self._place(i) for i in range(len(self))]

    def _place(self, index: int) -> tuple[MapBounds, tuple[int, int]] | None:
        record = self.record(index)
        bounds = _bounds(record)
        if bounds is None:
            return None
        return bounds, png_shape(record["image"], f"{self.where(index)}, image")

    def _scene(self, index: int) -> LabelledScene:
        record = self.record(index)
        where = self.where(index)
        grey = {key: read_grey_png(record[key], f"{where}, {key}") for key in self.undecoded}
        corners = [float(corner) for corner in record["bounding_box"]]
        there = _listed(record, "priors")
        valid = grey["valid"] > 0 if grey["valid"].shape == grey["image"].shape else None
        return LabelledScene(
            _scene_id(record),
            image=grey["image"],
            zones=grey["zones"],
            front=grey["front"] > 0,
            box=None if np.isnan(corners).any() else BoundingBox(*corners),
            valid=None if valid is None or valid.all() else valid,
            rock=grey[ROCK] > 0 if ROCK in there else None,
            summer=grey[SUMMER] if SUMMER in there else None,
            bounds=_bounds(record),
        )


def open_split(data_dir: str | os.PathLike, split: str, name: str = "caffe") -> SceneSplit:
    """Opens one split of a built data set; needs no builder code.

    `data_dir` is what `--data_dir` was when it was built (or the folder of the built version itself), `split` "train",
    "val" or "test", `name` "caffe" or, where several configs were built, "caffe/CONFIG". The newest version is
    taken. Raises `InputError` if there is no such data set, config or split, or the split is empty.
    """
    return open_records(SceneSplit, data_dir, split, name)


def _listed(record: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The words of a text in a record."""
    return tuple(record[key].decode().split())


def _bounds(record: Mapping[str, Any]) -> MapBounds | None:
    crs = record["crs"].decode()
    return MapBounds(crs, *(float(side) for side in record["map_bounds"])) if crs else None


def _scene_id(record: Mapping[str, Any]) -> SceneId:
    return SceneId(
        record["name"].decode(),
        record["glacier"].decode(),
        datetime.date.fromisoformat(record["date"].decode()),
        record["sensor"].decode(),
        int(record["pixel_spacing_m"]),
        int(record["quality"]),
        record["orbit"].decode(),
    )
