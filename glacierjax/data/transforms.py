"""Crops and augmentations of single samples, as pure functions of their draws (method of the paper, section III; CaFFe).

Images and labels are uint8 arrays (H, W); every photometric step returns uint8, as the official code does.
"""

import math

import numpy as np
from jaxtyping import Float, Float32, Int, Int8, Integer, Shaped, UInt8

from glacierjax.core.choices import OFFICIAL
from glacierjax.core.grey import GREY_MAX
from glacierjax.core.zones import UNKNOWN_ID, Zone

Image = UInt8[np.ndarray, "height width"]  # grey values, or labels


def resize_nearest(x: Shaped[np.ndarray, "height width"], size: tuple[int, int]) -> Shaped[np.ndarray, "rows columns"]:
    """Nearest neighbour with half-pixel centres: (H, W) -> size."""
    rows, columns = (
        np.minimum(((np.arange(out) + 0.5) * length / out).astype(int), length - 1)
        for out, length in zip(size, x.shape, strict=True)
    )
    return x[rows].take(columns, 1)


def resize_bilinear(x: UInt8[np.ndarray, "height width"], size: tuple[int, int]) -> UInt8[np.ndarray, "rows columns"]:
    """Bilinear with half-pixel centres and clamped border, no antialiasing, rounded half to even: uint8 -> uint8."""
    if x.shape == size:
        return x
    # Columns first, as torch rounds. Bytes are picked faster than floats.
    low, high, weight = _neighbours(x.shape[1], size[1])
    y = _blend(x.take(low, 1), x.take(high, 1), weight)
    low, high, weight = _neighbours(x.shape[0], size[0])
    y = _blend(y[low], y[high], weight[:, None])
    return np.rint(y, out=y).astype(np.uint8)


def _neighbours(
    length: int, out: int
) -> tuple[Int[np.ndarray, " {out}"], Int[np.ndarray, " {out}"], Float32[np.ndarray, " {out}"]]:
    """Of each of `out` pixels on an axis of `length`: the pixels below and above it, and the weight of the one above."""
    position = np.maximum(
        (np.arange(out, dtype=np.float32) + np.float32(0.5)) * np.float32(length / out) - np.float32(0.5), 0
    )
    low = np.minimum(position.astype(int), length - 1)
    return low, np.minimum(low + 1, length - 1), (position - low).astype(np.float32)


def _blend(
    below: Shaped[np.ndarray, "rows columns"],
    above: Shaped[np.ndarray, "rows columns"],
    weight: Float32[np.ndarray, "..."],
) -> Float32[np.ndarray, "rows columns"]:
    """(1 - weight) below + weight above, float32; float32 arguments are overwritten."""
    mixed, other = below.astype(np.float32, copy=False), above.astype(np.float32, copy=False)
    mixed *= 1 - weight
    other *= weight
    mixed += other
    return mixed


def resize_labels(
    labels: UInt8[np.ndarray, "height width"], size: tuple[int, int], protocol: str
) -> UInt8[np.ndarray, "rows columns"]:
    """Labels to another size: "clean": nearest; "official": interpolated as numbers, which invents classes at borders.

    What an unlabelled pixel (`UNKNOWN_ID`) has a part in stays unlabelled.
    """
    if labels.shape == size:
        return labels
    if protocol != OFFICIAL:
        return resize_nearest(labels, size)
    unknown = labels == UNKNOWN_ID
    share_of_unknown = resize_bilinear(np.where(unknown, UNKNOWN_ID, 0).astype(np.uint8), size)
    resized = resize_bilinear(np.where(unknown, 0, labels).astype(np.uint8), size)
    return np.where(share_of_unknown > 0, np.uint8(UNKNOWN_ID), resized)


def mix_ocean(image: Image, other: Image, labels: Image, weight: float) -> Image:
    """Mix-up where the labels say ocean: (a + w b) / (1 + w), truncated to uint8; elsewhere a."""
    w = np.float32(weight)
    mixed = ((image.astype(np.float32) + w * other.astype(np.float32)) / (1 + w)).astype(np.uint8)
    return np.where(labels == Zone.OCEAN_ICE_MELANGE, mixed, image)


def poisson(uniform: Float[np.ndarray, "height width"], mean: float) -> Int8[np.ndarray, "height width"]:
    """Poisson counts from U(0, 1) by inversion: how often the distribution function is not above the draw.

    For the small means of speckle several times faster than `Generator.poisson`, which multiplies draws.
    """
    counts = np.zeros(uniform.shape, np.int8)
    chance = below = math.exp(-mean)
    for count in range(1, np.iinfo(np.int8).max):
        above = uniform >= below
        if not above.any():
            break
        counts += above
        chance *= mean / count
        below += chance
    return counts


def speckle(
    image: Image, scale: Float[np.ndarray, "height width"], counts: Integer[np.ndarray, "height width"], peak: int
) -> Image:
    """Adds scale * (counts - peak), divided by its maximum; scale is U(0, 1), counts Poisson(peak) per pixel."""
    noise = scale * (counts - peak)
    x = np.clip(image / GREY_MAX + noise / noise.max(), 0, 1)
    return (x * GREY_MAX).astype(np.uint8)


def contrast(image: Image, factor: float) -> Image:
    """Distances to the mean (rounded to a grey value) times factor, cut at 0 and 255 and truncated."""
    mean = int(image.mean() + 0.5)
    distance = np.arange(256, dtype=np.float32) - np.float32(mean)
    table = np.clip(np.float32(mean) + np.float32(factor) * distance, 0, GREY_MAX).astype(np.uint8)
    return table.take(image)


def brightness(image: Image, factor: float) -> Image:
    """Grey values times factor, cut at 255 and truncated."""
    table = np.minimum(GREY_MAX, np.float32(factor) * np.arange(256, dtype=np.float32)).astype(np.uint8)
    return table.take(image)


def gamma(image: Image, exponent: float) -> Image:
    """Grey values in [0, 1] to the power of exponent."""
    table = (255.999 * (np.arange(256) / GREY_MAX) ** exponent).astype(np.uint8)
    return table.take(image)


def orient(x: Image, left_right: bool, up_down: bool, quarter_turns: int) -> UInt8[np.ndarray, "rows columns"]:
    """Mirrors and counter-clockwise quarter turns, in that order."""
    if left_right:
        x = x[:, ::-1]
    if up_down:
        x = x[::-1]
    return np.rot90(x, quarter_turns)
