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
    """Parts of a network by name, the checkpoint folder they come from, and the parts of it that were not taken."""

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
    return Carried(parts, checkpoint.path, sorted(set(checkpoint.params) - set(taken)))


def initial_params(config: Any, fresh: dict) -> dict:
    """`fresh` with the weights of `config.init.checkpoint`, if it is set, in place of its own; says what was taken."""
    if not config.init.checkpoint:
        return fresh
    parts, path, left_over = carried_weights(config, fresh)
    log.info(
        "from %s: taken %s; left over %s; fresh %s", path, sorted(parts), left_over, sorted(set(fresh) - set(parts))
    )
    return {**fresh, **parts}


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
            log.debug("taken %s", place)
    return merged
