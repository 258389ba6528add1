"""Cleans predicted zones: one ocean without holes (Gourmelon et al. 2022, doi 10.5194/essd-14-4287-2022)."""

import numpy as np
from jaxtyping import Bool, Int, Int64, Integer, Shaped, UInt8
from scipy import ndimage

from glacierjax.core.errors import InputError
from glacierjax.core.zones import NUM_ZONES, Zone

EIGHT_NEIGHBOURS = np.ones((3, 3), bool)
COUNTED_AT_ONCE = 1 << 22  # pixels


def clean_zones(zones: Shaped[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """Zones with a single ocean: holes in it filled, ponds away from it turned to glacier.

    1. Of the connected components (8-neighbourhood) of "not ocean" all but the largest become ocean.
    2. Of the ocean's components all but the largest become glacier.

    Of equally large components the one met first row by row stays. Zones without ocean, or of ocean only, stay as
    they are.

    Args:
      zones: class ids (H, W), integers 0..3 (`glacierjax.core.zones.Zone`).

    Returns:
      A new array (H, W) uint8.

    Raises:
      InputError: `zones` is not two-dimensional or holds other numbers.
    """
    zones = check_zones(zones).copy()
    land = zones != Zone.OCEAN_ICE_MELANGE
    zones[land & ~largest_component(land)] = Zone.OCEAN_ICE_MELANGE
    ocean = zones == Zone.OCEAN_ICE_MELANGE
    zones[ocean & ~largest_component(ocean)] = Zone.GLACIER
    return zones


def mask_invalid(
    zones: UInt8[np.ndarray, "height width"], valid: Bool[np.ndarray, "height width"] | None
) -> UInt8[np.ndarray, "height width"]:
    """Zones (H, W) with NA wherever `valid` (H, W) bool is false, so that no front is found there."""
    if valid is None:
        return zones
    if valid.shape != zones.shape:
        raise InputError(f"the valid mask has shape {valid.shape}, the zones {zones.shape}; they must agree")
    return np.where(valid, zones, np.uint8(Zone.NA))


def largest_component(mask: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The largest 8-connected component of `mask` (H, W) bool; the first one row by row among equals; empty if none."""
    labels = label_components(mask)
    sizes = count_values(labels, int(labels.max()) + 1)
    return labels == 1 + sizes[1:].argmax() if len(sizes) > 1 else np.zeros_like(mask)


def label_components(mask: Bool[np.ndarray, "height width"]) -> Int[np.ndarray, "height width"]:
    """8-connected components of `mask` (H, W) bool, numbered from 1 in the order met row by row; 0 elsewhere."""
    labels = np.empty(mask.shape, np.int32)
    ndimage.label(mask, EIGHT_NEIGHBOURS, output=labels)
    return labels


def count_values(values: Integer[np.ndarray, "..."], bins: int) -> Int64[np.ndarray, " {bins}"]:
    """How often each of 0 .. bins - 1 occurs, int64; piece by piece, as numpy counts a copy in eight bytes a pixel."""
    flat = values.reshape(-1)
    counts = np.zeros(bins, np.int64)
    for start in range(0, flat.size, COUNTED_AT_ONCE):
        counts += np.bincount(flat[start : start + COUNTED_AT_ONCE], minlength=bins)
    return counts


def check_zones(zones: Shaped[np.ndarray, "height width"]) -> UInt8[np.ndarray, "height width"]:
    """The zones as uint8 (H, W); raises `InputError` for anything but a two-dimensional array of class ids."""
    zones = np.asarray(zones)
    if zones.ndim != 2 or zones.size == 0 or not np.issubdtype(zones.dtype, np.integer):
        raise InputError(f"zones of shape {zones.shape} and type {zones.dtype}; expected integers of shape (H, W)")
    if zones.min() < 0 or zones.max() >= NUM_ZONES:
        raise InputError(
            f"zones hold {zones.min()}..{zones.max()}; expected class ids 0..{NUM_ZONES - 1} "
            "(grey values of a zone image become ids with glacierjax.core.zones.ids_from_grey)"
        )
    return zones.astype(np.uint8, copy=False)
