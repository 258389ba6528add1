"""A network as StableHLO (`jax.export`): runs without glacierjax and without flax, with any number of images at once."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import export

from glacierjax.checkpoints.native import Checkpoint
from glacierjax.checkpoints.record import network_of, require_task, training_of
from glacierjax.core.choices import SEGMENTATION
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import user_path, write_beside
from glacierjax.core.grey import GREY_MAX
from glacierjax.core.settings import DataSettings, FineTuning
from glacierjax.model import Tyrion, build, exact_products

PROGRAM = "model.stablehlo"
PLATFORMS = ("cpu", "cuda", "tpu")


def write_stablehlo(checkpoint: Checkpoint, path: Path, side_px: int | None = None) -> str:
    """Writes the network with its weights as one function and returns what to tell of it.

    The function takes images (N, side_px, side_px, 3) uint8, the channels of the network's record (by default the grey
    three times), and returns the probabilities of the zones
    (N, side_px, side_px, 4) float32. `side_px` None: the side of a training's crops. Raises `InputError` for a side that the
    network cannot take, for other tasks, and when `path` exists.
    """
    require_task(checkpoint, SEGMENTATION)
    if user_path(path).exists():
        raise InputError(f"{path}: exists already; choose another folder or remove it")
    network, training = network_of(checkpoint), training_of(checkpoint)
    if side_px is None:
        side_px = training.data.context_px if isinstance(training, FineTuning) else DataSettings.context_px
    if side_px < 1 or side_px % network.size_multiple:
        raise ArgumentError("side_px", side_px, f"the network takes multiples of {network.size_multiple} pixels")
    model: Any = build(network, Tyrion)
    params = checkpoint.params

    @jax.jit
    def probabilities(images: jax.Array) -> jax.Array:
        with exact_products(model.dtype):
            return jax.nn.softmax(model.apply({"params": params}, images.astype(jnp.float32) / GREY_MAX))

    shape = export.symbolic_shape(f"images, {side_px}, {side_px}, 3")
    exported = export.export(probabilities, platforms=PLATFORMS)(jax.ShapeDtypeStruct(shape, jnp.uint8))
    content = exported.serialize()
    with write_beside(path) as temporary:
        temporary.write_bytes(content)
    images = f"images (N, {side_px}, {side_px}, 3) uint8, any N, channels {', '.join(network.channels)}"
    return f"written: {path} ({len(content) / 1e6:.1f} MB; {images}; {', '.join(PLATFORMS)})"
