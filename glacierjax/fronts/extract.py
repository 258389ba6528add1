"""From zones to the calving front (steps 3 to 5 of the CaFFe evaluation; 1 and 2 are in `postprocess`).

The protocol says which rules a front and its score follow. `clean` is the plain rule of the paper (Gourmelon et al. 2025, doi
10.1109/TGRS.2025.3580945). `official` repeats what the published code does where that can change a score, so that published
figures can be reproduced:

- a bounding box that reaches beyond the image loses the image's last row or column, and negative upper bounds count
  from the far side (`inside_box`);
- where fewer pixels are background than the shortest front may have, the first front is lost (`drop_short`);
- a scene without a true front counts as a missing front (`glacierjax.evaluation.score`).

Its remaining slips do not change a score (the official code stops on an all-ocean prediction) or belong to reading files.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.choices import CLEAN, OFFICIAL, PROTOCOLS
from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.fronts.postprocess import check_zones, clean_zones, count_values, label_components

MIN_FRONT_LENGTH_M = 750.0  # shorter fronts are taken for noise (Gourmelon et al. 2022, section 4)


def check_protocol(protocol: str) -> None:
    """Raises `InputError` unless `protocol` is one of `PROTOCOLS`."""
    if protocol not in PROTOCOLS:
        raise InputError(f"protocol {protocol!r}: unknown; choose {' or '.join(PROTOCOLS)}")


def extract_front(
    zones: Shaped[np.ndarray, "height width"],
    pixel_spacing_m: float,
    bounding_box: BoundingBox | Sequence[float] | None = None,
    protocol: str = CLEAN,
) -> Bool[np.ndarray, "height width"]:
    """Calving front of a zone map: cleaned, traced, freed of short pieces, and cut to the bounding box.

    Args:
      zones: class ids (H, W), integers 0..3.
      pixel_spacing_m: side of a pixel in metres, above 0.
      bounding_box: (xmin, ymin, xmax, ymax) in pixels, where a front may be; may reach beyond the image.
      protocol: "clean" or "official" (the head of this file).

    Returns:
      bool (H, W), true on ocean pixels that touch the glacier. All false where there is no front.

    Raises:
      InputError: zones, spacing, box or protocol are not of that kind.
    """
    return front_of_border(ocean_glacier_border(clean_zones(zones)), pixel_spacing_m, bounding_box, protocol)


def front_of_border(
    border: Bool[np.ndarray, "height width"],
    pixel_spacing_m: float,
    bounding_box: BoundingBox | Sequence[float] | None = None,
    protocol: str = CLEAN,
) -> Bool[np.ndarray, "height width"]:
    """The last two steps of `extract_front`, from the border of ocean and glacier (H, W) bool in cleaned zones."""
    check_protocol(protocol)
    check_spacing(pixel_spacing_m)
    front = drop_short(border, MIN_FRONT_LENGTH_M / pixel_spacing_m, protocol)
    return front if bounding_box is None else inside_box(front, bounding_box, protocol)


def ocean_glacier_border(zones: UInt8[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Ocean pixels with a glacier pixel above, below, left or right: zones (H, W) ids -> bool (H, W)."""
    zones = check_zones(zones)
    glacier = np.pad(zones == Zone.GLACIER, 1)  # what lies beyond the image is no glacier
    beside = glacier[:-2, 1:-1] | glacier[2:, 1:-1] | glacier[1:-1, :-2] | glacier[1:-1, 2:]
    return beside & (zones == Zone.OCEAN_ICE_MELANGE)


def drop_short(
    front: Bool[np.ndarray, "height width"], min_length_px: float, protocol: str = CLEAN
) -> Bool[np.ndarray, "height width"]:
    """The front (H, W) bool without its 8-connected components of fewer than `min_length_px` pixels.

    The official code takes the first label that is long enough for the background, whatever it is: with a background
    shorter than that, the first front goes.
    """
    labels = label_components(front)
    long_enough = count_values(labels, int(labels.max()) + 1) >= min_length_px
    if protocol == OFFICIAL and not long_enough[0]:
        long_enough[long_enough.argmax()] = False
    long_enough[0] = False
    return long_enough[labels]


def inside_box(
    front: Bool[np.ndarray, "height width"], box: BoundingBox | Sequence[float], protocol: str = CLEAN
) -> Bool[np.ndarray, "height width"]:
    """The front (H, W) bool with everything outside the box erased: rows < ymin, rows >= ymax, columns likewise.

    Corners are rounded to whole pixels (half to even) as in the official code, whose clamping "official" adds.
    """
    try:
        xmin, ymin, xmax, ymax = (round(float(corner)) for corner in box)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"bounding box {box!r}: expected four finite numbers (xmin, ymin, xmax, ymax)") from None
    height, width = front.shape
    xmin, ymin = max(xmin, 0), max(ymin, 0)
    if protocol == OFFICIAL:
        # One too small where the box leaves the image; a negative bound then counts from the far side, as in numpy.
        xmax = width - 1 if xmax > width else xmax
        ymax = height - 1 if ymax > height else ymax
    else:
        xmax, ymax = max(xmax, 0), max(ymax, 0)
    cut = np.zeros_like(front)
    cut[ymin:ymax, xmin:xmax] = front[ymin:ymax, xmin:xmax]
    return cut


def check_spacing(pixel_spacing_m: float) -> None:
    """Raises `InputError` unless the pixel spacing is a finite number of metres above 0."""
    if not 0 < pixel_spacing_m < float("inf"):
        raise InputError(f"pixel spacing {pixel_spacing_m} m: expected a number above 0")
