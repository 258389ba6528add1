"""Glaciers distinguished by place, for lines without a glacier's name."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse
import shapely
from jaxtyping import Float
from scipy.sparse.csgraph import connected_components

EARTH_M = 6_371_000.0
CELL_M = 1000.0  # lines this near belong to one glacier, lines farther apart than 3.5 of it to two
STEP_DEG = 0.005  # lines are looked at in pieces of this length, at most 560 m


def name_places(groups: Sequence[Sequence[np.ndarray]]) -> list[str] | None:
    """The place of each group of lines (n, 2) of longitude and latitude, as `69.13N 49.84W`; None if all lie at one place.

    Groups that lie near one another, or near a third one, have one place: that of the middle of all of them.
    """
    dense = [
        shapely.get_coordinates(shapely.segmentize(shapely.MultiLineString([*lines]), STEP_DEG)) for lines in groups
    ]
    number = np.repeat(np.arange(len(dense)), [len(points) for points in dense])
    on_sphere = _on_sphere(np.concatenate(dense))
    cells = np.floor(on_sphere * (EARTH_M / CELL_M)).astype(np.int64)
    # Each piece belongs to eight corners of its cell, so that pieces in neighbouring cells share one.
    corners = np.concatenate([cells + offset for offset in np.ndindex(2, 2, 2)])
    _, corner = np.unique(corners, axis=0, return_inverse=True)
    owner = np.tile(number, 8)
    size = len(groups) + corner.max() + 1
    edges = scipy.sparse.coo_array((np.ones(len(owner), bool), (owner, len(groups) + corner.ravel())), (size, size))
    _, label = connected_components(edges, directed=False)
    label = label[: len(groups)]
    if len(set(label)) == 1:
        return None
    names = {place: _name(on_sphere[label[number] == place].mean(0)) for place in set(label.tolist())}
    return [names[place] for place in label.tolist()]


def place_of(lines: Sequence[np.ndarray]) -> str:
    """The place in the middle of lines (n, 2) of longitude and latitude, named as by `name_places`."""
    return _name(_on_sphere(np.concatenate(lines)).mean(0))


def _on_sphere(lonlat: np.ndarray) -> np.ndarray:
    """Points (n, 3) on the unit sphere of longitude and latitude (n, 2) in degrees."""
    longitude, latitude = np.radians(lonlat).T
    across = np.cos(latitude)
    return np.column_stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)])


def _name(point: Float[np.ndarray, "3"]) -> str:
    x, y, z = point
    longitude, latitude = np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.2f}{north} {abs(longitude):.2f}{east}"
