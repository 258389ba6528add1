"""Weights as safetensors files: plain tensors with names, and a JSON record in the file's header. Nothing in them can run."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path, write_beside
from glacierjax.core.json_values import Json, parse_json

SUFFIX = ".safetensors"
WEIGHTS = f"model{SUFFIX}"  # in a folder that `glacierjax.checkpoints.exported` wrote
NAME_SEPARATOR = "/"  # between the names of a parameter tree
RECORD_KEY = "glacierjax"  # of the header: what a network is and wants of its scenes

StateDict = dict[str, Shaped[np.ndarray, "..."]]


def read_safetensors(path: str | Path) -> tuple[StateDict, Json | None]:
    """Names -> arrays, and the record that `write_safetensors` left (None without one).

    Raises `InputError` when the file cannot be read or is not a safetensors file.
    """
    import safetensors

    path = user_path(path)
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            text = (file.metadata() or {}).get(RECORD_KEY)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, TypeError, AttributeError, safetensors.SafetensorError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error}); download or copy it again") from error
    try:
        record = None if text is None else parse_json(text)
    except ValueError as error:
        raise InputError(f"{path}: the record in its header is not readable ({error}); copy the file again") from error
    if record is not None and not isinstance(record, dict):
        raise InputError(f"{path}: the record in its header is no JSON object; copy the file again")
    return tensors, record


def write_safetensors(path: str | Path, state_dict: Mapping[str, Shaped[np.ndarray, "..."]], record: Json) -> None:
    """Writes names -> arrays and a JSON record, atomically. Raises `InputError` when the file cannot be written."""
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in state_dict.items()}
    with write_beside(path) as temporary:
        temporary.write_bytes(save(tensors, {RECORD_KEY: json.dumps(record, sort_keys=True, allow_nan=False)}))
