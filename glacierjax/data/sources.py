"""Prepared data sets (what `python -m tfds_builders.build` wrote), read one whole scene at a time."""

import datetime
import functools
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.core.labelled import LabelledScene
from glacierjax.core.scene import SceneId

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_INFO_FILE = "dataset_info.json"  # TFDS writes it last
_IMAGES = ("image", "zones", "front", "valid")


class SceneSplit(Sequence[LabelledScene]):
    """The labelled scenes of one split, in the order of their names; a scene is decoded when it is asked for.

    Can be pickled and shared between processes and threads. A damaged record is an `InputError` that names its file.
    """

    def __init__(self, builder: "tfds.core.DatasetBuilder", split: str):
        import tensorflow_datasets as tfds
        from tensorflow_datasets.core.decode import DeserializeMethod

        features = builder.info.features
        assert isinstance(features, tfds.features.FeaturesDict)
        self._info = builder.info.splits[split]
        # Raw records, so that what is not needed is not decoded, and images are decoded by `read_grey_png`.
        self._raw = cast(Any, builder).as_data_source(split, deserialize_method=DeserializeMethod.RAW_BYTES)
        self._features = features
        self._id_features = tfds.features.FeaturesDict({key: features[key] for key in features if key not in _IMAGES})
        self._decoders = {key: tfds.decode.SkipDecoding() for key in features if key in _IMAGES}

    def __len__(self) -> int:
        return len(self._raw)

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
        return [_scene_id(self._record(i, images=False)) for i in range(len(self))]

    @property
    def names(self) -> list[str]:
        """Scene names, in order, without decoding any image."""
        return [scene.name for scene in self.ids]

    def _scene(self, index: int) -> LabelledScene:
        record = self._record(index, images=True)
        where = self._where(index)
        grey = {key: read_grey_png(record[key], f"{where}, {key}") for key in self._decoders}
        corners = [float(corner) for corner in record["bounding_box"]]
        valid = grey["valid"] > 0 if "valid" in grey else None
        return LabelledScene(
            _scene_id(record),
            image=grey["image"],
            zones=grey["zones"],
            front=grey["front"] > 0,
            box=None if np.isnan(corners).any() else BoundingBox(*corners),
            valid=None if valid is None or valid.all() else valid,
        )

    def _record(self, index: int, images: bool) -> dict[str, Any]:
        features: Any = self._features if images else self._id_features
        try:
            raw = self._raw[index]
            return features.deserialize_example_np(raw, decoders=self._decoders if images else None)
        # ArrayRecord, protobuf and TFDS each have exceptions of their own for damaged bytes, some with private types.
        except Exception as error:
            what = f"damaged record ({type(error).__name__}: {_line(error)})"
            raise InputError(f"{self._where(index)}: {what}; build it again with --overwrite") from error

    def _where(self, index: int) -> str:
        """Names the shard and the record in it."""
        paths = sorted(map(str, self._info.filepaths))
        for path, length in zip(paths, self._info.shard_lengths, strict=True):
            if index < length:
                return f"{path}, record {index}"
            index -= length
        return f"{paths[-1]}, a record beyond its end"


def open_split(data_dir: str | os.PathLike, split: str, name: str = "caffe") -> SceneSplit:
    """Opens one split of a built data set; needs no builder code.

    `data_dir` is what `--data_dir` was when it was built (or the folder of the built version itself), `split` "train",
    "val" or "test", `name` "caffe" or, where several configs were built, "caffe/CONFIG". The newest version is
    taken. Raises `InputError` if there is no such data set, config or split, or the split is empty.
    """
    builder = _open_builder(data_dir, name)
    splits = {key: info.num_examples for key, info in builder.info.splits.items()}
    if split not in splits:
        raise InputError(f"{builder.data_path}: no split {split!r}; there are: {', '.join(sorted(splits))}")
    if not splits[split]:
        raise InputError(f"{builder.data_path}: the split {split!r} is empty; {_how_to_build(name)} --overwrite")
    try:
        return SceneSplit(builder, split)
    except (OSError, ValueError, RuntimeError) as error:  # shards missing or cut off
        what = f"the split {split!r} cannot be opened ({_line(error)})"
        raise InputError(f"{builder.data_path}: {what}; {_how_to_build(name)} --overwrite") from error


def dataset_summary(data_dir: str | os.PathLike, name: str = "caffe") -> dict[str, Any]:
    """What is in a built data set: path, version, notes of the builder, and per split the scenes of each glacier."""
    builder = _open_builder(data_dir, name)
    splits = {}
    for split in sorted(builder.info.splits):
        ids = open_split(data_dir, split, name).ids
        dates = sorted(scene.date for scene in ids)
        splits[split] = {
            "scenes": len(ids),
            "glaciers": dict(sorted(Counter(scene.glacier for scene in ids).items())),
            "sensors": dict(sorted(Counter(scene.sensor_group for scene in ids).items())),
            "first": dates[0].isoformat(),
            "last": dates[-1].isoformat(),
        }
    notes = dict(builder.info.metadata or {})
    return {"path": str(builder.data_path), "version": str(builder.version), "notes": notes, "splits": splits}


def _open_builder(data_dir: str | os.PathLike, name: str) -> "tfds.core.DatasetBuilder":
    folder = _version_folder(Path(data_dir), name)
    import tensorflow_datasets as tfds
    from google.protobuf.json_format import ParseError

    try:
        return tfds.builder_from_directory(folder)
    except (ParseError, ValueError, OSError, KeyError, RuntimeError) as error:
        raise InputError(f"{folder}: not a readable data set ({_line(error)}); {_how_to_build(name)}") from error


def _version_folder(data_dir: Path, name: str) -> Path:
    """The folder with the newest version of a data set."""
    if not data_dir.is_dir():
        raise InputError(f"{data_dir}: no such folder; {_how_to_build(name, data_dir)}")
    if (data_dir / _INFO_FILE).is_file():
        return data_dir
    roots = [root for root in (data_dir / name, data_dir) if root.is_dir()]
    for root in roots:
        configs = {info.parent.parent for pattern in ("*", "*/*") for info in root.glob(f"{pattern}/{_INFO_FILE}")}
        configs = {config for config in configs if _versions(config)}
        if root == data_dir and name.split("/")[0] not in (data_dir.name, data_dir.parent.name):
            break  # not inside the data set's own folder: whatever lies here is something else
        if len(configs) > 1:
            dataset = name.split("/")[0]
            names = ", ".join(f"{dataset}/{config.name}" for config in sorted(configs))
            raise InputError(f"{root}: several configs; choose one as the data set's name: {names}")
        if configs:
            return max(_versions(configs.pop()), key=_version_key)
    raise InputError(f"{data_dir}: no data set {name} in it; {_how_to_build(name, data_dir)}")


def _versions(folder: Path) -> list[Path]:
    """Whole versions in a folder: unfinished ones are called otherwise."""
    return [p for p in folder.iterdir() if _VERSION.fullmatch(p.name) and (p / _INFO_FILE).is_file()]


def _version_key(folder: Path) -> tuple[int, ...]:
    return tuple(map(int, folder.name.split(".")))


def _how_to_build(name: str, data_dir: Path | None = None) -> str:
    folder = f"tfds_builders/{name.split('/')[0]}"
    return f"build it: python -m tfds_builders.build {folder} --data_dir={data_dir or 'D'} --manual_dir=M"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


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
