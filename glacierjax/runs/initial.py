"""What a network starts from: the preset's fields, and weights carried over from a checkpoint."""

import logging
from collections.abc import Mapping
from typing import Any

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


def initial_params(config: Any, fresh: dict) -> dict:
    """Encoder and decoder (as far as the checkpoint has them) of `config.init.checkpoint` in place of the fresh ones.

    Says name by name what was taken. Raises `InputError` when a name or shape does not fit.
    """
    path = config.init.checkpoint
    if not path:
        return fresh
    checkpoint = load_checkpoint(path, config.init.which)
    taken = {part: checkpoint.params[part] for part in CARRIED if part in checkpoint.params}
    if not taken:
        raise InputError(f"{checkpoint.path}: has neither an encoder nor a decoder to start from")
    params = dict(fresh)
    for part, tree in taken.items():
        params[part] = _merged(fresh[part], tree, part, str(checkpoint.path))
    left = sorted(set(checkpoint.params) - set(taken))
    started = sorted(set(fresh) - set(taken))
    log.info("from %s: taken %s; left over %s; fresh %s", checkpoint.path, sorted(taken), left, started)
    return params


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
