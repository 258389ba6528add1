"""Built data sets of any kind: finding them, and reading their records (`python -m tfds_builders.build` wrote them)."""

import copy
import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path
from glacierjax.core.json_values import digest_of_json

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_INFO_FILE = "dataset_info.json"  # TFDS writes it last


class RecordSplit:
    """The records of one split by number. A damaged record is an `InputError` that names its file."""

    NEEDED: ClassVar[tuple[str, ...]] = ()  # fields that data sets built by earlier versions may lack
    UNDECODED: ClassVar[tuple[str, ...]] = ()  # images: left as encoded bytes, or out, where the rest will do

    def __init__(self, builder: "tfds.core.DatasetBuilder", split: str):
        import tensorflow_datasets as tfds
        from tensorflow_datasets.core.decode import DeserializeMethod

        features = builder.info.features
        assert isinstance(features, tfds.features.FeaturesDict)
        self._info = builder.info.splits[split]
        if missing := [key for key in self.NEEDED if key not in features]:
            raise InputError(
                f"{builder.data_dir}: records without {', '.join(missing)}, built by another version; build it again with "
                "`overwrite`"
            )
        # Raw records: only the needed features are decoded, and images by `read_grey_png`.
        self._raw = cast(Any, builder).as_data_source(split, deserialize_method=DeserializeMethod.RAW_BYTES)
        self._features = features
        self.undecoded = [key for key in features if key in self.UNDECODED]
        self._rest = tfds.features.FeaturesDict({key: features[key] for key in features if key not in self.UNDECODED})
        self._decoders = {key: tfds.decode.SkipDecoding() for key in self.undecoded}

        self._numbers: Sequence[int] = range(len(self._raw))  # of the records in this view

    def __len__(self) -> int:
        return len(self._numbers)

    def spread(self, count: int) -> Self:
        """The given number of records, evenly distributed over their order. Raises `InputError` if there are fewer."""
        if count > len(self):
            raise InputError(f"{self.where(0)}: {count} records wanted, the split has {len(self)}; choose fewer")
        fewer = copy.copy(self)
        for name in [name for kind in type(self).mro() for name in vars(kind)]:
            if isinstance(getattr(type(self), name), functools.cached_property):
                vars(fewer).pop(name, None)  # of all records
        fewer._numbers = [self._numbers[i * len(self) // count] for i in range(count)]
        return fewer

    @property
    def digest(self) -> str:
        """Tells this split from one of other scenes, or of other bytes, without reading the records."""
        return digest_of_json([self._info.num_bytes, list(self._info.shard_lengths), list(self._numbers)])

    def record(self, index: int, whole: bool = True) -> dict[str, Any]:
        """A record; `whole=False` omits its images."""
        features: Any = self._features if whole else self._rest
        try:
            raw = self._raw[self._numbers[index]]
            return features.deserialize_example_np(raw, decoders=self._decoders if whole else None)
        # ArrayRecord, protobuf and TFDS raise different exceptions for damaged bytes, partly of private types.
        except Exception as error:
            what = f"damaged record ({type(error).__name__}: {_line(error)})"
            raise InputError(f"{self.where(index)}: {what}; build it again with --overwrite") from error

    def where(self, index: int) -> str:
        """Names the shard and the record in it."""
        index = self._numbers[index]
        paths = sorted(map(str, self._info.filepaths))
        for path, length in zip(paths, self._info.shard_lengths, strict=True):
            if index < length:
                return f"{path}, record {index}"
            index -= length
        return f"{paths[-1]}, a record beyond its end"


Split = TypeVar("Split", bound=RecordSplit)


def open_records(kind: type[Split], data_dir: str | os.PathLike, split: str, name: str) -> Split:
    """Opens one split of a built data set as `kind`; arguments and errors as `glacierjax.datasets.caffe.prepared.open_split`."""
    builder = open_builder(data_dir, name)
    splits = {key: info.num_examples for key, info in builder.info.splits.items()}
    if split not in splits:
        raise InputError(f"{builder.data_path}: no split {split!r}; there are: {', '.join(sorted(splits))}")
    if not splits[split]:
        raise InputError(f"{builder.data_path}: the split {split!r} is empty; {_how_to_build(name)} --overwrite")
    try:
        return kind(builder, split)
    except (OSError, ValueError, RuntimeError) as error:  # shards missing or cut off
        what = f"the split {split!r} cannot be opened ({_line(error)})"
        raise InputError(f"{builder.data_path}: {what}; {_how_to_build(name)} --overwrite") from error


def open_builder(data_dir: str | os.PathLike, name: str) -> "tfds.core.DatasetBuilder":
    """The data set `name` (or `name/CONFIG`) below `data_dir`, read from its files alone."""
    folder = _version_folder(user_path(data_dir), name)
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
