"""Indicators of how wrong a predicted front may be, computed without the true front."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8
from scipy import ndimage

from glacierjax.core.zones import Zone
from glacierjax.fronts.lines import length_px

NEAR_M = 200.0  # the network's doubt is averaged up to this distance from the front
SMOOTH_PX = 1.0  # Gaussian by which the network's answer is smoothed before its slope is measured
FLATTEST = 1e-3  # slope a pixel; flatter ones count as this
RIM_PX = 3  # a front this near to the image's edge or to NA may go on beyond it


@dataclasses.dataclass(frozen=True)
class Indicators:
    """Of the front of one scene. All but `pieces`, `closed_share` and `length_m` grow with its error.

    `blur_m`: over what distance the network goes from glacier to ocean, None: not known; `entropy` (0 to 1) and `deviation` (0 to
    0.5; None: one member): means of these maps within `NEAR_M` of the front; `pieces`: lines; `gap_share` (0 to 1): of the
    length, what is not in the longest line; `sinuosity` (1 or more): length by the distance that the front spans;
    `closed_share` (0 to 1): of the width of the area where a front may be, what the front spans, None: no area was given;
    `rim_share` (0 to 1): of the front, what lies within `RIM_PX` of the image's edge or of zone NA, which missing data have
    too; `length_m` of all lines.
    """

    blur_m: float | None
    entropy: float
    deviation: float | None
    pieces: int
    gap_share: float
    sinuosity: float
    closed_share: float | None
    rim_share: float
    length_m: float


def indicators_of(
    front: Bool[np.ndarray, "height width"],
    lines: Sequence[Float64[np.ndarray, "_ 2"]],
    zones: UInt8[np.ndarray, "height width"],
    pixel_spacing_m: float,
    entropy: Float[np.ndarray, "height width"],
    deviation: Float[np.ndarray, "height width"] | None = None,
    lean: Float[np.ndarray, "height width"] | None = None,
    allowed: Bool[np.ndarray, "height width"] | None = None,
    sides_m: tuple[float, float] | None = None,
) -> Indicators | None:
    """The indicators of a front; None if there is none.

    Args:
      front: mask of `extract_front`.
      lines: of `trace_front` on it, x and y in pixels.
      zones: class ids, cleaned (`clean_zones`).
      entropy, deviation: of the zone probabilities, as `glacierjax.prediction.scene.Prediction` has them.
      lean: probability of glacier minus that of ocean and ice mélange, -1 to 1; None: not known.
      allowed: where a front may be; None: everywhere.
      sides_m: of a pixel that is not square, along a row and along a column; `pixel_spacing_m` is their geometric mean.
    """
    side_x, side_y = (side / pixel_spacing_m for side in sides_m or (pixel_spacing_m, pixel_spacing_m))
    rows, columns = np.nonzero(front)
    if not len(rows) or not lines:
        return None
    margin = max(int(np.ceil(NEAR_M / (pixel_spacing_m * min(side_x, side_y)))), RIM_PX) + 1
    height, width = front.shape
    part = (
        slice(max(rows.min() - margin, 0), min(rows.max() + margin + 1, height)),
        slice(max(columns.min() - margin, 0), min(columns.max() + margin + 1, width)),
    )
    distance_px = np.asarray(ndimage.distance_transform_edt(~front[part], sampling=(side_y, side_x)))
    near = distance_px * pixel_spacing_m <= NEAR_M
    near &= zones[part] != Zone.NA
    if allowed is not None:
        near &= allowed[part]
    near |= front[part]
    square = np.array([side_x, side_y])
    lengths = [length_px(line * square) for line in lines]
    span, area_span = _spans(np.concatenate(lines), allowed, square)
    sides = (side_y, side_x)
    return Indicators(
        blur_m=None
        if lean is None or min(near.shape) < 2
        else _blur_px(lean[part], front[part], sides) * pixel_spacing_m,
        entropy=float(entropy[part][near].mean(dtype=float)),
        deviation=None if deviation is None else float(deviation[part][near].mean(dtype=float)),
        pieces=len(lines),
        gap_share=1 - max(lengths) / sum(lengths),
        sinuosity=max(sum(lengths) / span, 1.0) if span else 1.0,
        closed_share=min(span / area_span, 1.0) if area_span else None,
        rim_share=_rim_share(front[part], zones[part], part, front.shape),
        length_m=sum(lengths) * pixel_spacing_m,
    )


def _blur_px(lean: np.ndarray, front: np.ndarray, sides: tuple[float, float]) -> float:
    """Over how many square pixels `lean` falls from 1 to -1, by its mean slope on the front. `sides`: along column and row."""
    smooth = ndimage.gaussian_filter(lean.astype(np.float32), [SMOOTH_PX / side for side in sides])
    down, right = np.gradient(smooth, *sides)
    slope = np.hypot(down, right)[front].mean(dtype=float)
    return float(2 / max(slope, FLATTEST))


def _spans(points: np.ndarray, allowed: np.ndarray | None, square: np.ndarray) -> tuple[float, float]:
    """How far points (n, 2) x, y reach along their main axis, and how far the area does (0: none).

    Both in square pixels, by which the sides of a pixel are `square`.
    """
    points = points * square
    middle = points.mean(0)
    _, _, axes = np.linalg.svd(points - middle, full_matrices=False)
    span = float(np.ptp((points - middle) @ axes[0]))
    if allowed is None or not allowed.any():
        return span, 0.0
    # The first and last pixel of each row are its outermost ones along any axis.
    rows = np.flatnonzero(allowed.any(1))
    first = allowed[rows].argmax(1)
    last = allowed.shape[1] - allowed[rows][:, ::-1].argmax(1)
    corners = np.concatenate([np.column_stack([x, y]) for x in (first, last) for y in (rows, rows + 1)])
    return span, float(np.ptp((corners * square - middle) @ axes[0]))


def _rim_share(front: np.ndarray, zones: np.ndarray, part: tuple[slice, slice], shape: tuple[int, ...]) -> float:
    """Of a front in a part of an image of `shape`: what lies at the rim."""
    # Where the part ends inside the image, it ends beyond RIM_PX of the front.
    open_px = [
        (0 if side.start == 0 else RIM_PX, 0 if side.stop == n else RIM_PX) for side, n in zip(part, shape, strict=True)
    ]
    known = np.pad(zones != Zone.NA, open_px, mode="edge")
    inside = ndimage.binary_erosion(known, np.ones((3, 3), bool), iterations=RIM_PX)
    own = tuple(slice(before, before + n) for (before, _), n in zip(open_px, zones.shape, strict=True))
    return float(1 - np.count_nonzero(front & inside[own]) / np.count_nonzero(front))
