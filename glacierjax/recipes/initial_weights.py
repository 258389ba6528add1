"""What a network starts from: the preset's fields, and weights carried over from a checkpoint."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from glacierjax.checkpoints.native import load_checkpoint
from glacierjax.core.errors import InputError
from glacierjax.model import preset

log = logging.getLogger(__name__)

CARRIED = ("encoder", "decoder")  # all but the head (paper, section III)


def model_fields(config: Any) -> dict[str, Any]:
    """Fields of the network: the preset's, overridden by what `config.model` sets beside it."""
    own = {key: value for key, value in config.model.items() if key not in ("preset", "dtype")}
    return {**preset(config.model.preset), **own, "dtype": jnp.dtype(config.model.dtype)}


class Carried(NamedTuple):
    """Parts of a network by name, the checkpoint folder they come from, and the arrays in it that were not taken."""

    parts: dict[str, Any]
    path: Path
    left_over: list[str]


def carried_weights(config: Any, like: Mapping[str, Any]) -> Carried:
    """Encoder and decoder, as far as the checkpoint `config.init.checkpoint` has them.

    `like` holds the network's parameters, or only their shapes. Raises `InputError` when a name or shape does not fit.
    """
    checkpoint = load_checkpoint(config.init.checkpoint, config.init.which)
    taken = {part: checkpoint.params[part] for part in CARRIED if part in checkpoint.params}
    if not taken:
        raise InputError(f"{checkpoint.path}: has neither an encoder nor a decoder to start from")
    parts = {part: _merged(like[part], tree, part, str(checkpoint.path)) for part, tree in taken.items()}
    left_over = [
        name for part in checkpoint.params if part not in taken for name in _names(checkpoint.params[part], part)
    ]
    return Carried(parts, checkpoint.path, left_over)


def initial_params(config: Any, fresh: dict) -> dict:
    """`fresh` with the weights of `config.init.checkpoint`, if it is set, in place of its own.

    Logs name by name what was taken, what stays fresh and what of the checkpoint is left over.
    """
    if not config.init.checkpoint:
        return fresh
    parts, path, left_over = carried_weights(config, fresh)
    taken = {name for part in parts for name in _names(fresh[part], part)}
    for what, names in (
        ("taken", taken),
        ("fresh", {name for part in fresh if part not in parts for name in _names(fresh[part], part)}),
        ("left over", set(left_over)),
    ):
        for name in sorted(names):
            log.info("%s: %s", what, name)
    log.info("from %s: %d arrays taken (%s)", path, len(taken), ", ".join(sorted(parts)))
    return {**fresh, **parts}


def _names(tree: Any, where: str) -> list[str]:
    """Names of all arrays below a part, `part/a/b`."""
    if not isinstance(tree, Mapping):
        return [where]
    return [name for key, value in tree.items() for name in _names(value, f"{where}/{key}")]


def _merged(fresh: Mapping[str, Any], given: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
    """`given` after checking that it has exactly the names and shapes of `fresh`."""
    unmatched = sorted(fresh.keys() ^ given.keys())
    if unmatched:
        raise InputError(
            f"{path}: {where}/{unmatched[0]} and {len(unmatched) - 1} more names do not fit this network; "
            "is --config.model.preset that of the checkpoint?"
        )
    merged = {}
    for name, value in fresh.items():
        place = f"{where}/{name}"
        if isinstance(value, Mapping):
            merged[name] = _merged(value, given[name], place, path)
        elif value.shape != given[name].shape:
            raise InputError(
                f"{path}: {place} has shape {given[name].shape}, this network needs {value.shape}; "
                "is --config.model.preset that of the checkpoint?"
            )
        else:
            merged[name] = np.asarray(given[name])
    return merged
