"""Landscape zones of the CaFFe benchmark: class ids, grey values in its PNGs, names and colours.

This is the only such table in the project (CaFFe: Gourmelon et al. 2022, doi 10.5194/essd-14-4287-2022).
"""

from enum import IntEnum

import numpy as np
from jaxtyping import Integer, UInt8

from glacierjax.core.errors import InputError


class Zone(IntEnum):
    """Class ids, in the order of the network's output channels."""

    NA = 0  # no information: outside the swath, radar shadow
    ROCK = 1
    GLACIER = 2
    OCEAN_ICE_MELANGE = 3


NUM_ZONES = len(Zone)
ZONE_KEYS = ("na", "rock", "glacier", "ocean")  # keys in metrics.json, by class id
ZONE_TITLES = ("NA area", "rock outcrop", "glacier", "ocean and ice mélange")
ZONE_COLOURS = ((0, 0, 0), (178, 140, 90), (240, 240, 240), (0, 114, 178))  # on maps; they differ in brightness too
GREY_VALUES = (0, 64, 127, 254)  # by class id
GREY_ALIASES = {63: Zone.ROCK}  # both grey values for rock occur in the published files

FRONT_GREY = 255
UNKNOWN_ID = 255  # what `ids_from_grey` never returns; free to mark "no class" in uint8 arrays

_GREY_OF_ID = np.array(GREY_VALUES, np.uint8)
_ID_OF_GREY = np.full(256, UNKNOWN_ID, np.uint8)
_ID_OF_GREY[list(GREY_VALUES)] = np.arange(NUM_ZONES)
for _grey, _zone in GREY_ALIASES.items():
    _ID_OF_GREY[_grey] = _zone


def ids_from_grey(grey: UInt8[np.ndarray, "height width"], where: str) -> UInt8[np.ndarray, "height width"]:
    """Class ids (H, W) uint8 of a zone image with CaFFe's grey values (H, W) uint8.

    Raises `InputError` naming `where` (the file) when a grey value is not one of CaFFe's.
    """
    ids = _ID_OF_GREY[grey]
    if (ids == UNKNOWN_ID).any():
        unknown = sorted(int(v) for v in np.unique(grey[ids == UNKNOWN_ID]))
        shown = ", ".join(map(str, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        known = ", ".join(map(str, GREY_VALUES))
        raise InputError(f"{where}: unknown grey value {shown} in a zone image; expected {known} (63 counts as 64)")
    return ids


def grey_from_ids(ids: Integer[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """CaFFe's grey values (H, W) uint8 of class ids (H, W) in 0..3."""
    return _GREY_OF_ID[ids]
