"""PyTorch files read without PyTorch, and without running anything that they contain.

`torch.save` writes a zip archive: `data.pkl`, a pickle of the object, and one entry `data/KEY` per storage of tensors.
A pickle is a program. Here it may only rebuild tensors and plain containers; whatever else it names (optimisers,
callbacks, hyper parameters, `os.system`) becomes an `Inert` object: nothing of it is imported or called.
"""

import io
import math
import pickle
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from jaxtyping import Shaped

from glacierjax.checkpoints.safetensors_file import StateDict
from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path
from glacierjax.core.json_values import Json, parse_json

RECORD = "glacierjax.json"  # what a network is and wants of its scenes, in files that glacierjax wrote
STATE_DICT_KEYS = ("state_dict", "model")  # where Lightning and Microsoft's Swin keep the tensors
LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # of files older than PyTorch 1.6
FORBIDDEN_OPCODES = {"EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"}  # reach outside the stream


class StorageType(NamedTuple):
    dtype: np.dtype


STORAGE_TYPES = {
    name: StorageType(np.dtype(dtype))
    for name, dtype in {
        "DoubleStorage": np.float64,
        "FloatStorage": np.float32,
        "HalfStorage": np.float16,
        "BFloat16Storage": ml_dtypes.bfloat16,
        "LongStorage": np.int64,
        "IntStorage": np.int32,
        "ShortStorage": np.int16,
        "CharStorage": np.int8,
        "ByteStorage": np.uint8,
        "BoolStorage": np.bool_,
    }.items()
}


class Storage(NamedTuple):
    """The entry `data/KEY` of the archive: `length` numbers of one type."""

    key: str
    dtype: np.dtype
    length: int


class Tensor(NamedTuple):
    """A view of a storage, not yet read; offset and strides count elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Inert:
    """Stands for any object that is not understood; accepts whatever a pickle does to it, and does nothing."""

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> "Inert":
        return super().__new__(cls)

    def __call__(self, *args: Any, **kwargs: Any) -> "Inert":
        return self

    def __setitem__(self, key: object, value: object) -> None: ...

    append = extend = add = __setstate__ = lambda self, value: None


class PlainDict(dict):
    """In place of `OrderedDict`; attributes (`_metadata` of a state dict) are dropped."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None: ...


class RebuildTensor:
    """In place of `torch._utils._rebuild_tensor_v2`. No slots: a stream cannot change what all files share."""

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
        if not isinstance(storage, Storage):
            raise pickle.UnpicklingError("a tensor without a storage")
        return Tensor(storage, _whole(offset), tuple(map(_whole, shape)), tuple(map(_whole, strides)))


class RebuildParameter:
    """In place of `torch._utils._rebuild_parameter`: the tensor itself."""

    __slots__ = ()

    def __call__(self, tensor: Any, *_: Any) -> Any:
        return tensor


def _whole(number: object) -> int:
    if type(number) is not int or number < 0:
        raise pickle.UnpicklingError(f"{number!r} where a size, stride or offset is due")
    return number


ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): PlainDict,
    ("torch._utils", "_rebuild_tensor"): RebuildTensor(),
    ("torch._utils", "_rebuild_tensor_v2"): RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): RebuildParameter(),
    ("torch._utils", "_rebuild_parameter_with_state"): RebuildParameter(),
    **{("torch", name): kind for name, kind in STORAGE_TYPES.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        return ALLOWED.get((module_name, global_name), Inert)

    def persistent_load(self, pid: Any) -> Any:
        kind, storage_type, key, _, length = pid
        if kind != "storage" or not isinstance(key, str):
            raise pickle.UnpicklingError("an unknown persistent id")
        # A storage of a type that no network weight has (float8, complex) makes tensors that are inert, too.
        return Storage(key, storage_type.dtype, _whole(length)) if isinstance(storage_type, StorageType) else Inert()


def _check_stream(stream: bytes) -> None:
    """Every length in the stream fits it, and no memo number makes the unpickler reserve memory beyond its size."""
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in FORBIDDEN_OPCODES:
            raise pickle.UnpicklingError(f"opcode {opcode.name}")
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and not 0 <= int(argument or 0) <= len(stream):
            raise pickle.UnpicklingError("a memo number out of range")


class _Archive:
    """The zip archive of a PyTorch file, checked: entries are not compressed and claim no more bytes than the file has."""

    def __init__(self, archive: zipfile.ZipFile, path: Path):
        self.path = path
        self._archive = archive
        self._storages: dict[Storage, np.ndarray] = {}
        entries = archive.infolist()
        roots = [entry.filename.removesuffix("data.pkl") for entry in entries if entry.filename.endswith("/data.pkl")]
        if len(roots) != 1:
            raise InputError(f"{path}: a zip archive, but not one of PyTorch (it has no `data.pkl`); expected weights")
        self._root = roots[0]
        if any(e.compress_type != zipfile.ZIP_STORED or e.file_size != e.compress_size for e in entries):
            raise InputError(f"{path}: a compressed zip archive; PyTorch does not write such, download the file again")
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise InputError(f"{path}: its entries claim more bytes than the file has; download it again")

    def read(self, name: str) -> bytes:
        try:
            return self._archive.read(self._root + name)
        except KeyError:
            raise InputError(f"{self.path}: the entry {name} is missing; download the file again") from None

    def load(self) -> object:
        """The pickled object, with `Tensor` and `Inert` in it."""
        names = self._archive.namelist()
        if self._root + "byteorder" in names and self.read("byteorder") != b"little":
            raise InputError(
                f"{self.path}: written on a big-endian machine, which is not read here; save it on another"
            )
        stream = self.read("data.pkl")
        try:
            _check_stream(stream)
            return _Unpickler(io.BytesIO(stream)).load()
        except Exception as error:  # a damaged or hostile stream can end in any exception
            raise InputError(
                f"{self.path}: its pickle is damaged or not of PyTorch ({error}); download it again"
            ) from error

    def array(self, name: str, tensor: Tensor) -> Shaped[np.ndarray, "..."]:
        """A tensor as a read-only array, a view of its storage."""
        storage, offset, shape, strides = tensor
        if storage not in self._storages:
            data = self.read(f"data/{storage.key}")
            if len(data) != storage.length * storage.dtype.itemsize:
                raise InputError(
                    f"{self.path}: the storage of {name} has {len(data)} bytes where {storage.length} numbers of "
                    f"{storage.dtype} are due; download the file again"
                )
            self._storages[storage] = np.frombuffer(data, storage.dtype)
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=False))
        empty = 0 in shape
        if len(shape) != len(strides) or (offset > storage.length if empty else last >= storage.length):
            raise InputError(f"{self.path}: the tensor {name} reaches beyond its storage; download the file again")
        if math.prod(shape) > storage.length:  # a stride of 0 would let a small file claim any amount of memory
            raise InputError(f"{self.path}: the tensor {name} is larger than its storage; save it as a whole tensor")
        step = storage.dtype.itemsize
        try:
            return np.lib.stride_tricks.as_strided(
                self._storages[storage][offset:], shape, [step * stride for stride in strides], writeable=False
            )
        except (ValueError, OverflowError):
            raise InputError(f"{self.path}: the tensor {name} has the impossible shape {shape}") from None


def _state_dict(content: object, path: Path) -> dict[str, Tensor]:
    """The one mapping of names to tensors in a file's object; every entry has to be a tensor."""

    def has_tensors(value: object) -> bool:
        return isinstance(value, Mapping) and any(isinstance(item, Tensor) for item in value.values())

    candidates: dict[str, Any] = {"": content} if has_tensors(content) else {}
    if isinstance(content, Mapping):
        candidates |= {key: content[key] for key in STATE_DICT_KEYS if has_tensors(content.get(key))}
    if len(candidates) != 1:
        what = " and ".join(repr(key) if key else "the top level" for key in candidates)
        problem = (
            f"tensors under {what}"
            if candidates
            else "no tensors at the top level, under 'state_dict' or under 'model'"
        )
        raise InputError(f"{path}: {problem}; expected one state dict")
    (mapping,) = candidates.values()
    for name, value in mapping.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise InputError(f"{path}: the entry {name!r} of the state dict is no tensor of numbers; remove it")
    return mapping


def read_record(path: str | Path) -> Json | None:
    """The record that `glacierjax.checkpoints.write_torch` left in a PyTorch file, or None."""
    path = user_path(path)
    try:
        with zipfile.ZipFile(path) as handle:
            names = [name for name in handle.namelist() if name.endswith(f"/{RECORD}")]
            record = parse_json(_Archive(handle, path).read(RECORD)) if names else None
    except (OSError, zipfile.BadZipFile, ValueError, RuntimeError) as error:  # RuntimeError: encrypted
        raise InputError(f"{path}: its {RECORD} is not readable ({error}); copy the file again") from error
    if record is not None and not isinstance(record, dict):
        raise InputError(f"{path}: its {RECORD} is no JSON object; copy the file again")
    return record


def read_torch(path: str | Path) -> StateDict:
    """The state dict of a PyTorch file (zip format, PyTorch 1.6 and later): names -> read-only arrays.

    The state dict is the object itself, or what it has under `state_dict` (Lightning) or `model` (Microsoft's Swin); no
    other tensors are read. bfloat16 arrays have the type of `ml_dtypes`. Raises `InputError` for anything else.
    """
    path = user_path(path)
    try:
        with path.open("rb") as file:
            if file.read(len(LEGACY_START)) == LEGACY_START:
                raise InputError(
                    f"{path}: in the format of PyTorch before 1.6; load it and `torch.save` it again with a newer one"
                )
            with zipfile.ZipFile(file) as handle:
                archive = _Archive(handle, path)
                tensors = _state_dict(archive.load(), path)
                return {name: archive.array(name, tensor) for name, tensor in tensors.items()}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError:
        raise
    except (zipfile.BadZipFile, EOFError, RuntimeError, ValueError) as error:
        raise InputError(f"{path}: not a whole PyTorch file ({error}); download it again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a PyTorch file") from error
