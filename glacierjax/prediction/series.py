"""Prediction of series of whole scenes: chunks of a glacier's scenes in tiles, every frame back on its own pixels.

Method of Dreier et al. 2026 (arXiv 2512.11560). Frames of unlike size are taken to show the same ground and scaled onto the
pixels of one of them. What each frame gets is scaled back, which the official code does not do. Strips come from the top
down, so that no scene is ever held as probabilities.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Int, UInt8

from glacierjax.core import grid
from glacierjax.core.errors import InputError
from glacierjax.core.grey import GREY_MAX
from glacierjax.data.series_geometry import pixels_back, tiled_pixels, window_pixels
from glacierjax.datasets.series import PUBLISHED_FRAMES, groups, nearest

GROUPS, REFERENCE = "groups", "reference"
# Frames (T, H, W) uint8 and days since 1995-01-01 (T,) -> probabilities (T, H, W, K) float32; always of the same shape.
SeriesNetwork = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Series(NamedTuple):
    """A sample: names of its frames, the positions of those whose answers count, and of the one that gives the pixels."""

    frames: tuple[str, ...]
    wanted: tuple[int, ...]
    reference: int


def plan_series(names: Sequence[str], mode: str = GROUPS, frames: int = PUBLISHED_FRAMES) -> list[Series]:
    """The samples that give each scene one answer.

    "groups": consecutive chunks (`groups`); of a scene that occurs twice the first answer counts; pixels of the last scene.
    "reference": for each scene its neighbours in time (`nearest`), for its own answer alone: `frames` times the cost.
    Raises `InputError` for another mode, and as `groups` and `nearest` do.
    """
    if mode == GROUPS:
        plan, done = [], set()
        for chunk in groups(names, frames):
            wanted = [i for i, name in enumerate(chunk) if name not in done and chunk.index(name) == i]
            done.update(chunk)
            plan.append(Series(tuple(chunk), tuple(wanted), frames - 1))
        return plan
    if mode == REFERENCE:
        found = [(nearest(names, name, frames), name) for name in sorted(names)]
        return [Series(tuple(chunk), (chunk.index(name),), chunk.index(name)) for chunk, name in found]
    raise InputError(f"series={mode}: choose {GROUPS} or {REFERENCE}")


def series_strips(
    network: SeriesNetwork,
    images: Sequence[UInt8[np.ndarray, "_ _"]],
    days: Int[np.ndarray, " frame"],
    wanted: Sequence[int],
    reference: int,
    context_px: int = 512,
) -> Iterator[list[Float32[np.ndarray, "_ _ zone"]]]:
    """Probabilities of the wanted frames, as successive strips from the top down, all frames at once.

    Args:
      images: grey values of each frame, of any size; memory-mapped ones are read tile by tile.
      days: of each frame, for the network.
      wanted: positions of the frames that are given back.
      reference: position of the frame whose pixels the others are scaled to.
      context_px: side of a tile [512]; the network's answer counts in its central half.

    Yields:
      For each wanted frame so many rows of (rows, columns, zones), on its own pixels; together they make whole frames.
    """
    target = context_px // 2
    margin = (context_px - target) // 2
    shape = images[reference].shape
    padding = [grid.whole_padding(size, target) for size in shape]
    pixels = [_padded_pixels(image.shape, shape, padding, target) for image in images]
    back = [tuple(pixels_back(own, size) for own, size in zip(images[i].shape, shape, strict=True)) for i in wanted]
    rows, columns = (
        grid.origins(sum(pad) + size, context_px, target) for pad, size in zip(padding, shape, strict=True)
    )
    for top in rows:
        first = top + margin - padding[0].before  # of the strip, in the reference
        begin, end = max(first, 0), min(first + target, shape[0])
        if begin >= end:
            continue
        strip = None
        for left in columns:
            tile = np.stack(
                [
                    image[row[top : top + context_px, None], column[left : left + context_px]]
                    for image, (row, column) in zip(images, pixels, strict=True)
                ]
            )
            answer = network(tile, days)[list(wanted), margin : margin + target, margin : margin + target]
            if strip is None:
                strip = np.empty((len(wanted), end - begin, shape[1], answer.shape[-1]), np.float32)
            side = left + margin - padding[1].before
            start, stop = max(side, 0), min(side + target, shape[1])
            if start < stop:
                strip[:, :, start:stop] = answer[:, begin - first : end - first, start - side : stop - side]
        assert strip is not None
        yield [
            part[row[(row >= begin) & (row < end)] - begin][:, column]
            for part, (row, column) in zip(strip, back, strict=True)
        ]


@functools.cache
def make_series_network(model: Any) -> Callable[[dict, np.ndarray, np.ndarray], np.ndarray]:
    """(params, frames (T, H, W) uint8, days (T,)) -> probabilities (T, H, W, K) float32; compiled once for each shape."""

    @jax.jit
    def run(params: dict, frames: jax.Array, days: jax.Array) -> jax.Array:
        images = frames[None, ..., None].astype(jnp.float32) / GREY_MAX
        logits: Any = model.apply({"params": params}, images, days[None])
        return jax.nn.softmax(logits[0])

    return lambda params, frames, days: np.asarray(run(params, frames, days))


def predict_series(
    network: SeriesNetwork,
    read: Callable[[str], UInt8[np.ndarray, "_ _"]],
    days_of: Callable[[Sequence[str]], Int[np.ndarray, " frame"]],
    plan: Sequence[Series],
    context_px: int = 512,
) -> Iterator[tuple[str, Series, Float32[np.ndarray, "_ _ zone"]]]:
    """Name, sample and probabilities (rows, columns, zones) of each scene of a plan, on its own pixels.

    `read` gives a scene's grey values and `days_of` the days of frames (`glacierjax.datasets.series.day_positions`).
    """
    for series in plan:
        images = {name: read(name) for name in set(series.frames)}
        frames = [images[name] for name in series.frames]
        strips = list(
            series_strips(network, frames, days_of(series.frames), series.wanted, series.reference, context_px)
        )
        for number, position in enumerate(series.wanted):
            yield series.frames[position], series, np.concatenate([parts[number] for parts in strips])


def _padded_pixels(
    frame: tuple[int, ...], reference: tuple[int, ...], padding: list[grid.Padding], target: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a frame that the padded reference shows; a scaled frame is padded in one step, as officially."""
    if frame == reference:
        return tiled_pixels(frame[0], target), tiled_pixels(frame[1], target)
    top, left = (-pad.before for pad in padding)
    height, width = (sum(pad) + size for pad, size in zip(padding, reference, strict=True))
    return window_pixels((frame[0], frame[1]), (reference[0], reference[1]), top, left, height, width)
