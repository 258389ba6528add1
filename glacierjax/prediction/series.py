"""Prediction of series of whole scenes: chunks of a glacier's scenes in tiles, every frame back on its own pixels.

Method of Dreier et al. 2026 (arXiv 2512.11560). Frames lie on one grid (`glacierjax.prediction.frames`): by their size, as
officially, or by map coordinates. What each frame gets comes back to its own pixels, which the official code does not do.
Strips come from the top down, so that no scene is ever held as probabilities.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Int

from glacierjax.core.choices import CLEAN, GROUPS, SERIES_MODES
from glacierjax.core.errors import ArgumentError
from glacierjax.core.grey import GREY_MAX
from glacierjax.core.zones import NUM_ZONES
from glacierjax.datasets.series import PUBLISHED_FRAMES, groups, nearest
from glacierjax.model import exact_products
from glacierjax.prediction.frames import Frame
from glacierjax.prediction.tiles import Axis, Network, read_strips

# Frames (T, H, W) uint8 and days since 1995-01-01 (T,) -> probabilities (T, H, W, K) float32; always of the same shape.
SeriesNetwork = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Series(NamedTuple):
    """A sample: names of its frames, the positions of those whose answers count, and of the one that gives the pixels."""

    frames: tuple[str, ...]
    wanted: tuple[int, ...]
    reference: int


def plan_series(names: Sequence[str], mode: str = GROUPS, frames: int = PUBLISHED_FRAMES) -> list[Series]:
    """The samples that give each scene one answer, of scenes with CaFFe's names.

    "groups": consecutive chunks (`groups`); of a scene that occurs twice the first answer counts; pixels of the last scene.
    "reference": for each scene its neighbours in time (`nearest`), for its own answer alone: `frames` times the cost.
    Raises `InputError` for another mode, and as `groups` and `nearest` do.
    """
    check_series_mode(mode)
    if mode == GROUPS:
        return samples_of_chunks(groups(names, frames))
    return [sample_of_reference(nearest(names, name, frames), name) for name in sorted(names)]


def check_series_mode(mode: str) -> None:
    if mode not in SERIES_MODES:
        raise ArgumentError("series", mode, f"choose {' or '.join(SERIES_MODES)}")


def samples_of_chunks(chunks: Sequence[Sequence[str]]) -> list[Series]:
    """Chunks as samples: each scene is wanted where it occurs first."""
    plan, done = [], set()
    for chunk in chunks:
        wanted = [i for i, name in enumerate(chunk) if name not in done and chunk.index(name) == i]
        done.update(chunk)
        plan.append(Series(tuple(chunk), tuple(wanted), len(chunk) - 1))
    return plan


def sample_of_reference(frames: Sequence[str], reference: str) -> Series:
    """A scene and its neighbours as a sample."""
    return Series(tuple(frames), (frames.index(reference),), frames.index(reference))


@functools.cache
def make_series_network(model: Any) -> Callable[[dict, np.ndarray, np.ndarray], np.ndarray]:
    """(params, frames (T, H, W) uint8, days (T,)) -> probabilities (T, H, W, K) float32; compiled once for each shape."""

    @jax.jit
    def run(params: dict, frames: jax.Array, days: jax.Array) -> jax.Array:
        images = frames[None, ..., None].astype(jnp.float32) / GREY_MAX
        with exact_products(model.dtype):
            logits: Any = model.apply({"params": params}, images, days[None])
        return jax.nn.softmax(logits[0])

    return lambda params, frames, days: np.asarray(run(params, frames, days))


def series_network(network: SeriesNetwork, days: Int[np.ndarray, " frame"], wanted: Sequence[int]) -> Network:
    """The network as tiles see it: an image (1, H, W, T) -> the wanted frames' probabilities (1, H, W, F, K)."""

    def answer(images: np.ndarray) -> np.ndarray:
        probabilities = network(np.ascontiguousarray(np.moveaxis(images[0], -1, 0)), days)[list(wanted)]
        return np.moveaxis(probabilities, 0, 2)[None]

    return answer


def frame_strips(
    networks: Sequence[Network],
    quarter_turns: Sequence[int],
    frames: Sequence[Frame],
    wanted: Sequence[int],
    grid: tuple[int, int],
    mode: str,
    context_px: int,
    size_multiple: int,
    protocol: str = CLEAN,
) -> list[Iterator[Float32[np.ndarray, "_ _ frame zone"]]]:
    """For each network (`series_network`) and rotation: probabilities of the wanted frames on the grid, as strips.

    Arguments and order as in `glacierjax.prediction.tiles.read_strips`; `grid` (rows, columns). Where no wanted frame has
    pixels the networks are not asked, and the answer is 0.
    """

    def read(rows: Axis, columns: Axis) -> np.ndarray:
        different = {id(frame): frame for frame in frames}  # a repeated frame is read once
        shown = {key: frame.read(rows, columns) for key, frame in different.items()}
        return np.moveaxis(np.stack([shown[id(frame)] for frame in frames]), 0, -1)

    def needed(top: int, left: int, side: int) -> bool:
        return any(frames[position].covers(top, left, side) for position in wanted)

    answer = len(wanted), NUM_ZONES
    return read_strips(
        networks, quarter_turns, read, grid, mode, context_px, size_multiple, protocol, needed, 1, answer
    )
