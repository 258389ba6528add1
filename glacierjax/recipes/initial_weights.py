"""What a network starts from: weights carried over from a checkpoint."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.checkpoints.native import load_checkpoint
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.settings import FineTuning, InitSettings, Pretraining
from glacierjax.model import Tyrion, build

log = logging.getLogger(__name__)

LIST = "initial_weights.txt"  # file of the workdir
CARRIED = ("encoder", "decoder")  # all but the head (paper, section III)


class Carried(NamedTuple):
    """Parts of a network by name, the checkpoint folder they come from, and the arrays in it that were not taken."""

    parts: dict[str, Any]
    path: Path
    left_over: list[str]


def check_initial_weights(settings: FineTuning | Pretraining) -> None:
    """Raises `InputError` unless the weights to start from, if any, are there and fit the network."""
    if settings.init.checkpoint:
        size = settings.data.context_px
        images = jax.ShapeDtypeStruct((1, size, size, 1), jnp.float32)
        model = build(settings.model.network(), Tyrion)
        carried_weights(settings.init, jax.eval_shape(model.init, jax.random.key(0), images)["params"])


def carried_weights(init: InitSettings, like: Mapping[str, Any]) -> Carried:
    """Encoder and decoder, as far as the checkpoint `init.checkpoint` has them.

    `like` holds the network's parameters, or only their shapes. Raises `InputError` when a name or shape does not fit.
    """
    checkpoint = load_checkpoint(init.checkpoint, init.which)
    taken = {part: checkpoint.params[part] for part in CARRIED if part in checkpoint.params}
    if not taken:
        raise InputError(f"{checkpoint.path}: has neither an encoder nor a decoder to start from")
    parts = {part: _merged(like[part], tree, part, str(checkpoint.path)) for part, tree in taken.items()}
    left_over = [
        name for part in checkpoint.params if part not in taken for name in _names(checkpoint.params[part], part)
    ]
    return Carried(parts, checkpoint.path, left_over)


def initial_params(init: InitSettings, fresh: dict, workdir: Path) -> dict:
    """`fresh` with the weights of `init.checkpoint`, if it is set, in place of its own.

    Logs how many arrays were taken, stay fresh and are left over; `workdir/initial_weights.txt` lists them by name.
    """
    if not init.checkpoint:
        return fresh
    parts, path, left_over = carried_weights(init, fresh)
    names = {
        "taken": sorted(name for part in parts for name in _names(fresh[part], part)),
        "fresh": sorted(name for part in fresh if part not in parts for name in _names(fresh[part], part)),
        "left over": sorted(left_over),
    }
    lines = [f"{what}: {name}" for what, group in names.items() for name in group]
    write_text(workdir / LIST, "\n".join([f"from {path}", *lines]) + "\n")
    log.info(
        "from %s: %d arrays taken (%s), %d fresh (%s), %d left over; by name in %s",
        path, len(names["taken"]), ", ".join(sorted(parts)), len(names["fresh"]),
        ", ".join(sorted(part for part in fresh if part not in parts)) or "none", len(left_over), LIST,
    )  # fmt: skip
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
