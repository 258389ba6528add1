"""The three channels of a network's input: grey three times, or a rock mask in the second and a summer scene in the third.

A network has three input channels whatever they show, so one that was trained on grey alone can be trained on with others.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, UInt8

from glacierjax.core.choices import GREY, ROCK, SUMMER
from glacierjax.core.errors import InputError
from glacierjax.core.grey import GREY_MAX

GREY_ONLY = (GREY, GREY, GREY)
AT_PLACE = ((GREY,), (GREY, ROCK), (GREY, SUMMER))  # what each of the channels can be
TITLES = {ROCK: "a rock mask", SUMMER: "a summer scene"}


def check_channels(channels: Sequence[str], where: str) -> None:
    """Raises `InputError` naming `where` unless each channel is one that can stand at its place."""
    if len(channels) != len(AT_PLACE) or any(name not in able for name, able in zip(channels, AT_PLACE, strict=True)):
        able = ", ".join(" or ".join(names) for names in AT_PLACE)
        raise InputError(f"{where}={','.join(channels)}: choose {able}, in this order")


def priors_of(channels: Sequence[str]) -> tuple[str, ...]:
    """The channels that are not grey: what is known of a scene beside its own image."""
    return tuple(name for name in channels if name != GREY)


def input_of(
    channels: Sequence[str],
    image: UInt8[np.ndarray, "height width"],
    priors: Mapping[str, UInt8[np.ndarray, "height width"] | None],
) -> UInt8[np.ndarray, "height width *channel"]:
    """What a network gets for a scene: (H, W) if all channels are grey, else (H, W, 3).

    `priors` by name; one that is missing or None is 0 everywhere, which means unknown.
    """
    if not priors_of(channels):
        return image
    planes = {name: plane for name, plane in priors.items() if plane is not None}
    planes[GREY] = image
    return np.stack([planes.get(name, np.zeros_like(image)) for name in channels], axis=-1)


def rock_plane(rock: Bool[np.ndarray, "height width"] | None) -> UInt8[np.ndarray, "height width"] | None:
    """The mask as a channel: the largest grey value on rock."""
    return None if rock is None else np.where(rock, np.uint8(GREY_MAX), np.uint8(0))
