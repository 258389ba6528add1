"""Initial weights of a network, taken over from a checkpoint."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from glacierjax.checkpoints.native import load_checkpoint
from glacierjax.checkpoints.record import network_of
from glacierjax.core.channels import GREY_ONLY
from glacierjax.core.choices import GREY
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.settings import FineTuning, InitSettings, Pretraining, SeriesFineTuning
from glacierjax.model import SeriesTyrion, Tyrion, build

log = logging.getLogger(__name__)

LIST = "initial_weights.txt"  # file of the workdir
CARRIED = ("encoder", "decoder")  # all but the head (paper, section III)
HEAD = "head"
TEMPORAL = "temporal"  # name of the modules between the frames of a series; they may start fresh


class Carried(NamedTuple):
    """Parts of a network by name, the folder of their checkpoint, and which of its arrays were taken over or not."""

    parts: dict[str, Any]
    path: Path
    taken: list[str]
    left_over: list[str]


def check_initial_weights(settings: FineTuning | Pretraining) -> None:
    """Raises `InputError` unless the initial weights, if the settings name any, exist and fit the network."""
    if settings.init.checkpoint:
        size, network, key = settings.data.context_px, settings.model.network(), jax.random.key(0)
        if isinstance(settings, SeriesFineTuning):
            frames = jax.ShapeDtypeStruct((1, 2, size, size, 1), jnp.float32)  # no shape depends on their number
            days = jax.ShapeDtypeStruct(frames.shape[:2], jnp.int32)
            shapes = jax.eval_shape(build(network, SeriesTyrion).init, key, frames, days)
        else:
            images = jax.ShapeDtypeStruct((1, size, size, 1), jnp.float32)
            shapes = jax.eval_shape(build(network, Tyrion).init, key, images)
        carried_weights(settings.init, shapes["params"], settings.model.channels)


def carried_weights(init: InitSettings, like: Mapping[str, Any], channels: Sequence[str] = GREY_ONLY) -> Carried:
    """Encoder and decoder of the checkpoint `init.checkpoint`, or the one that it has; with `init.head` its head, if that fits.

    `like` holds the network's parameters, or only their shapes. Temporal modules that the checkpoint lacks stay as they are
    in `like`, and a decoder of the other kind (`Decoder.narrow`) is left over. `channels`: what the network's input shows; where
    the checkpoint's showed something else, see `with_channels`. Raises `InputError` when a name or shape does not fit.
    """
    checkpoint = load_checkpoint(init.checkpoint, init.which)
    taken = {part: checkpoint.params[part] for part in CARRIED if part in checkpoint.params}
    if not taken:
        raise InputError(f"{checkpoint.path}: has neither an encoder nor a decoder to start from")
    if "decoder" in taken and _is_narrow(taken["decoder"]) != _is_narrow(like["decoder"]):
        del taken["decoder"]
    parts = {part: _merged(like[part], tree, part, str(checkpoint.path)) for part, tree in taken.items()}
    if "encoder" in parts:
        parts["encoder"] = with_channels(parts["encoder"], network_of(checkpoint).channels, channels)
    head = checkpoint.params.get(HEAD)
    if init.head and head is not None and _shapes(head) == _shapes(like[HEAD]):
        taken[HEAD] = head
        parts[HEAD] = jax.tree.map(np.asarray, head)
    left_over = [
        name for part in checkpoint.params if part not in taken for name in _names(checkpoint.params[part], part)
    ]
    return Carried(parts, checkpoint.path, [name for part in taken for name in _names(taken[part], part)], left_over)


def initial_params(init: InitSettings, like: dict, workdir: Path, channels: Sequence[str] = GREY_ONLY) -> dict:
    """`like` with encoder and decoder (and head) replaced by those of `init.checkpoint`, if it is set (`carried_weights`).

    With `init.zero_head` a head that is not taken is zero. Logs how many arrays were taken, stay fresh and are left over;
    `workdir/initial_weights.txt` lists them by name.
    """
    if not init.checkpoint:
        return like
    parts, path, taken, left_over = carried_weights(init, like, channels)
    names = {
        "taken": sorted(taken),
        "fresh": sorted({name for part in like for name in _names(like[part], part)} - set(taken)),
        "left over": sorted(left_over),
    }
    lines = [f"{what}: {name}" for what, group in names.items() for name in group]
    write_text(workdir / LIST, "\n".join([f"from {path}", *lines]) + "\n")
    log.info(
        "from %s: %d arrays taken (%s), %d fresh (%s), %d left over; by name in %s",
        path,
        len(names["taken"]),
        ", ".join(sorted(parts)),
        len(names["fresh"]),
        ", ".join(sorted({name.partition("/")[0] for name in names["fresh"]})) or "none",
        len(left_over),
        LIST,
    )
    if init.zero_head and HEAD not in parts:
        parts[HEAD] = jax.tree.map(jnp.zeros_like, like[HEAD])
    return {**like, **parts}


def with_channels(encoder: dict[str, Any], before: Sequence[str], after: Sequence[str]) -> dict[str, Any]:
    """The encoder for input channels that show something else, so that it answers as before whatever they show.

    The weights of a channel that was grey go to the first channel, which is grey too; a channel that now shows something else has
    weights of 0 and learns from there.
    """
    changed = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    if not changed:
        return encoder
    embedding = encoder["patch_embedding"]
    kernel = np.array(embedding["projection"]["kernel"])
    for i in changed:
        if before[i] == GREY:
            kernel[..., 0, :] += kernel[..., i, :]
        kernel[..., i, :] = 0
    projection = {**embedding["projection"], "kernel": kernel}
    return {**encoder, "patch_embedding": {**embedding, "projection": projection}}


def _names(tree: Any, where: str) -> list[str]:
    """Names of all arrays below a part, `part/a/b`."""
    if not isinstance(tree, Mapping):
        return [where]
    return [name for key, value in tree.items() for name in _names(value, f"{where}/{key}")]


def _merged(fresh: Mapping[str, Any], given: Mapping[str, Any], where: str, path: str) -> dict[str, Any]:
    """`given`, with the temporal modules of `fresh` where it has none; all other names and shapes must be the same."""
    unmatched = sorted(name for name in fresh.keys() ^ given.keys() if name in given or not name.startswith(TEMPORAL))
    if unmatched:
        raise InputError(
            f"{path}: {where}/{unmatched[0]} and {len(unmatched) - 1} more names do not fit this network; "
            f"is `config.model.{'temporal' if TEMPORAL in f'{where}/{unmatched[0]}' else 'preset'}` that of the checkpoint?"
        )
    merged = {}
    for name, value in fresh.items():
        place = f"{where}/{name}"
        if name not in given:
            merged[name] = value
        elif isinstance(value, Mapping):
            merged[name] = _merged(value, given[name], place, path)
        elif value.shape != given[name].shape:
            raise InputError(
                f"{path}: {place} has shape {given[name].shape}, this network needs {value.shape}; "
                "is `config.model.preset` that of the checkpoint?"
            )
        else:
            merged[name] = np.asarray(given[name])
    return merged


def _shapes(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: tuple(leaf.shape), tree)


def _is_narrow(decoder: Mapping[str, Any]) -> bool:
    """Whether the parameters are those of a decoder without the last stage's skip: block 1 takes what block 0 gives."""
    return decoder["block1"]["norm1"]["scale"].shape == decoder["block0"]["conv2"]["bias"].shape
