"""Writes state dicts as PyTorch files, without PyTorch; `torch.load(path, weights_only=True)` reads them.

Written by hand because the official code loads nothing but such files, and PyTorch is no dependency here. For everything
else there is `safetensors_file`.
"""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from glacierjax.checkpoints.safetensors_file import StateDict
from glacierjax.checkpoints.torch_file import RECORD, STORAGE_TYPES
from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path, write_beside
from glacierjax.core.json_values import Json

ROOT = "archive"
STORAGE_OF_DTYPE = {kind.dtype: name for name, kind in STORAGE_TYPES.items()}


def _text(value: str) -> bytes:
    data = value.encode("utf-8")
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    if value < 2**31:
        return pickle.BININT + struct.pack("<i", value)
    return pickle.LONG1 + b"\x08" + struct.pack("<q", value)


def _tuple(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


def _global(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _tensor(key: str, array: Shaped[np.ndarray, "..."]) -> bytes:
    """The call that rebuilds a contiguous tensor: storage, offset, shape, strides (elements), no gradient or hooks."""
    kind = _global("torch", STORAGE_OF_DTYPE[array.dtype])
    storage = _tuple(_text("storage"), kind, _text(key), _text("cpu"), _integer(array.size)) + pickle.BINPERSID
    strides = [int(np.prod(array.shape[axis + 1 :])) for axis in range(array.ndim)]
    hooks = _global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    shape, steps = _tuple(*map(_integer, array.shape)), _tuple(*map(_integer, strides))
    arguments = _tuple(storage, _integer(0), shape, steps, pickle.NEWFALSE, hooks)
    return _global("torch._utils", "_rebuild_tensor_v2") + arguments + pickle.REDUCE


def write_torch(path: str | Path, state_dict: StateDict, record: Json | None = None) -> None:
    """Writes names -> arrays as a PyTorch file, atomically; the same input gives the same bytes.

    `record`: JSON that stands beside the tensors as `RECORD` in the archive; PyTorch passes over it.
    Raises `InputError` when the file exists or cannot be written, `KeyError` for a type that PyTorch does not have.
    """
    path = user_path(path)
    if path.exists():
        raise InputError(f"{path}: exists already; choose a new file or remove it")
    arrays = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in state_dict.items()}
    items = b"".join(_text(name) + _tensor(str(i), array) for i, (name, array) in enumerate(arrays.items()))
    stream = pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK + items + pickle.SETITEMS + pickle.STOP
    # PyTorch's archives are not compressed; ZipInfo's own date (1980) keeps the bytes the same at any time.
    with write_beside(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:

        def entry(name: str, data: bytes) -> None:
            archive.writestr(zipfile.ZipInfo(f"{ROOT}/{name}"), data)

        entry("data.pkl", stream)
        entry("byteorder", b"little")
        for i, array in enumerate(arrays.values()):
            entry(f"data/{i}", array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        if record is not None:
            entry(RECORD, json.dumps(record, sort_keys=True, allow_nan=False).encode())
        entry("version", b"3\n")
