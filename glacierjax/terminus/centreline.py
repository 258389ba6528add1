"""The centreline method: where a line along the flow crosses the front (Lea et al. 2014, doi 10.3189/2014JoG13J061)."""

import itertools
from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Float


def crossings_m(centreline: Float[np.ndarray, "point 2"], lines: Sequence[np.ndarray]) -> list[tuple[float, bool]]:
    """(distance along the centreline in metres, whether it leaves the glacier there) of each crossing, in order.

    The centreline (n, 2) and the lines (n, 2), with the glacier on their left, are in metres, y upwards.
    """
    path = shapely.LineString(centreline)
    found = set()  # a corner of the front is the end of two segments
    for line in lines:
        for start, end in itertools.pairwise(line):
            for point in shapely.get_coordinates(path.intersection(shapely.LineString([start, end]))):
                distance = float(path.project(shapely.Point(point)))
                before, after = (np.array(path.interpolate(max(distance + d, 0.0)).coords[0]) for d in (-1e-3, 1e-3))
                ahead, front = after - before, end - start
                found.add((round(distance, 6), bool(ahead @ (front[1], -front[0]) > 0)))
    return sorted(found)


def towards_ocean(
    centreline: Float[np.ndarray, "point 2"], fronts: Sequence[Sequence[np.ndarray]]
) -> Float[np.ndarray, "point 2"]:
    """The centreline in the direction in which it leaves the glacier at most of its crossings."""
    leaving = [leaves for lines in fronts for _, leaves in crossings_m(centreline, lines)]
    return centreline if sum(leaving) * 2 >= len(leaving) else centreline[::-1]


def position_m(centreline: Float[np.ndarray, "point 2"], lines: Sequence[np.ndarray]) -> float | None:
    """Distance along the centreline, which runs towards the ocean, to where it last leaves the glacier; None: nowhere."""
    leaving = [distance for distance, leaves in crossings_m(centreline, lines) if leaves]
    return leaving[-1] if leaving else None
