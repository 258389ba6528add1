"""The box method: how much glacier lies in a box, divided by the width of the box (Moon and Joughin 2008, J. Geophys.
Res. 113, F02022, doi 10.1029/2007JF000927; compared with others by Lea et al. 2014, doi 10.3189/2014JoG13J061).

A box reaches from the glacier into the ocean, its sides along the flow. A front is measured only if it crosses the box
from side to side. Glacier area divided by box width is the mean position, counted from the box's end on the glacier.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.errors import InputError

# A box of its own is as wide as this share of the fronts allows; the others are outliers or partly hidden.
SHARE_OF_FRONTS_PERCENT = 80
INSET = 0.02  # and by this share of its width narrower on each side, so that fronts reach beyond it
MARGIN = 0.1  # before the first front and behind the last one, by its width
PIECES_ALONG = 500  # a line is looked at in pieces of this part of the box
BESIDE = 1e-6  # how far left and right of a line is, as a part of the box


@dataclasses.dataclass(frozen=True, eq=False)
class Box:
    """`polygon` in metres; `width_m` across the flow, on average; `centreline` (n, 2), towards the ocean, that it follows
    (`glacierjax.terminus.curved_box`), None: it is straight."""

    polygon: shapely.Polygon
    width_m: float
    centreline: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Divided:
    """The pieces into which a front divides a box; those that no line touches belong to neither."""

    glacier: tuple[shapely.Polygon, ...]
    ocean: tuple[shapely.Polygon, ...]


def glacier_area_m2(polygon: shapely.Polygon, lines: Sequence[np.ndarray]) -> float | None:
    """Area of the glacier in the box; None where the lines do not divide it (`divide_box`)."""
    divided = divide_box(polygon, lines)
    return None if divided is None else sum(piece.area for piece in divided.glacier)


def divide_box(polygon: shapely.Polygon | shapely.MultiPolygon, lines: Sequence[np.ndarray]) -> Divided | None:
    """Glacier and ocean in the box. Lines (n, 2) in metres have the glacier on the left (y upwards).

    None where the lines do not divide the box into glacier and ocean.
    """
    if not lines:
        return None
    size = max(np.ptp(shapely.get_coordinates(polygon), axis=0))
    whole = [shapely.LineString(line) for line in lines]
    pieces = [
        piece
        for piece in shapely.get_parts(
            shapely.polygonize(shapely.get_parts(shapely.union_all([polygon.boundary, *whole])))
        )
        if polygon.contains(piece.representative_point())
    ]
    short = [shapely.get_coordinates(shapely.segmentize(line, size / PIECES_ALONG)) for line in whole]
    start, end = (np.concatenate([line[cut] for line in short]) for cut in (np.s_[:-1], np.s_[1:]))
    step = end - start
    length = np.hypot(*step.T)
    start, end, step, length = (array[length > 0] for array in (start, end, step, length))
    left = np.column_stack([-step[:, 1], step[:, 0]]) / length[:, None] * size * BESIDE
    middle = (start + end) / 2
    sides: dict[bool, list[shapely.Polygon]] = {True: [], False: []}
    touching = set()
    for piece in pieces:
        glacier = length[shapely.contains_xy(piece, middle + left)].sum()
        ocean = length[shapely.contains_xy(piece, middle - left)].sum()
        if glacier == ocean == 0:
            continue
        is_glacier = bool(glacier > ocean)
        sides[is_glacier].append(piece)
        if piece.intersection(polygon.boundary).length > 0:
            touching.add(is_glacier)
    # A closed line inside the box alone (an iceberg) divides it too, but does not say where the front is.
    return Divided(tuple(sides[True]), tuple(sides[False])) if len(touching) == 2 else None


def box_of(polygon: shapely.Polygon, fronts: Sequence[Sequence[np.ndarray]]) -> Box:
    """A box that was drawn. Its width is its area by its length along the flow that the fronts tell."""
    return Box(polygon, float(polygon.area / np.linalg.norm(box_axis(polygon, fronts))))


def box_axis(polygon: shapely.Polygon, fronts: Sequence[Sequence[np.ndarray]]) -> Float[np.ndarray, "2"]:
    """The side (2,) of the rectangle around a polygon that runs most along the flow, towards the ocean, in metres."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon))
    sides = np.diff(corners[:3], axis=0)
    along = sides @ flow_direction(fronts) / np.hypot(*sides.T)
    nearest = np.abs(along).argmax()
    return sides[nearest] * np.sign(along[nearest])


def box_from_fronts(fronts: Sequence[Sequence[np.ndarray]], margin: float = MARGIN, inset: float = INSET) -> Box:
    """A rectangle along the flow, as wide as most of the fronts reach, from before the first to behind the last.

    `margin`: how far before and behind; `inset`: how much narrower on each side; both as a part of its width. Raises
    `InputError` if they have no such stretch in common.
    """
    flow = flow_direction(fronts)
    across = np.array([-flow[1], flow[0]])
    low, high = _common_stretch(fronts, across, inset)
    width_m = high - low
    if width_m <= 0:
        raise InputError("the fronts have no stretch across the glacier in common; draw a `box` for the box method")
    dense = np.concatenate(
        [
            shapely.get_coordinates(shapely.segmentize(shapely.LineString(line), width_m / PIECES_ALONG))
            for lines in fronts
            for line in lines
        ]
    )
    between = dense[(dense @ across >= low) & (dense @ across <= high)] @ flow
    first, last = between.min() - width_m * margin, between.max() + width_m * margin
    corners = [a * flow + b * across for a, b in ((first, low), (last, low), (last, high), (first, high))]
    return Box(shapely.Polygon(corners), float(width_m))


def clip_to_fronts(polygon: shapely.Polygon, fronts: Sequence[Sequence[np.ndarray]]) -> Box | None:
    """The part of a polygon, across the flow, to which most of the fronts in it reach; None if there is none."""
    cut = [
        [
            shapely.get_coordinates(part)
            for line in lines
            for part in shapely.get_parts(polygon.intersection(shapely.LineString(line)))
            if part.geom_type == "LineString"
        ]
        for lines in fronts
    ]
    flow = flow_direction(fronts)
    across = np.array([-flow[1], flow[0]])
    low, high = _common_stretch(cut, across)
    if low >= high:
        return None
    along = shapely.get_coordinates(polygon) @ flow
    corners = [
        a * flow + b * across
        for a, b in ((along.min(), low), (along.max(), low), (along.max(), high), (along.min(), high))
    ]
    parts = shapely.get_parts(polygon.intersection(shapely.Polygon(corners)))
    largest = max((part for part in parts if part.geom_type == "Polygon"), key=lambda part: part.area, default=None)
    return None if largest is None else box_of(largest, fronts)


def _common_stretch(
    fronts: Sequence[Sequence[np.ndarray]], across: Float[np.ndarray, "2"], inset: float = INSET
) -> tuple[float, float]:
    """From where to where across the flow most of the fronts reach, a little less than that; empty if they share none."""
    points = [np.concatenate(lines) for lines in fronts if lines]
    if not points:
        return 0.0, 0.0
    lowest, highest = np.array([((p @ across).min(), (p @ across).max()) for p in points]).T
    low = np.percentile(lowest, SHARE_OF_FRONTS_PERCENT, method="higher")
    high = np.percentile(highest, 100 - SHARE_OF_FRONTS_PERCENT, method="lower")
    inset_m = (high - low) * inset
    return float(low + inset_m), float(high - inset_m)


def flow_direction(fronts: Sequence[Sequence[np.ndarray]]) -> Float[np.ndarray, "2"]:
    """Unit vector (2,) from glacier to ocean: to the right of the fronts, each of them with the same weight."""
    total = np.zeros(2)
    for lines in fronts:
        steps = sum((line[-1] - line[0] for line in lines), np.zeros(2))
        if steps.any():
            total += steps / np.linalg.norm(steps)
    if not total.any():
        raise InputError("the fronts are closed lines, which tell no direction of flow; draw a `box` in open water")
    total /= np.linalg.norm(total)
    return np.array([total[1], -total[0]])
