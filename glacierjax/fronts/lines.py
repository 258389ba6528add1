"""The calving front as lines in order, traced along the border between glacier and ocean."""

import numpy as np
import shapely
from jaxtyping import Bool, Float64, UInt8

from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.fronts.postprocess import check_zones

# A straight border is drawn by pixels as steps of up to a pixel; without this tolerance the steps would count as length.
SIMPLIFY_PX = 0.75
# A stray pixel of another class interrupts the border; lines that go on within this distance are one.
JOIN_PX = 4.0

# For an ocean pixel at (row, column) with a glacier pixel in direction (down, right): the border between the two, from
# corner to corner of pixels, walked with the glacier on the left.
_WALKS = {
    (0, -1): ((1, 0), (0, 0)),  # glacier to the left: up
    (0, 1): ((0, 1), (1, 1)),  # to the right: down
    (-1, 0): ((0, 0), (0, 1)),  # above: to the right
    (1, 0): ((1, 1), (1, 0)),  # below: to the left
}

Corner = tuple[int, int]


def trace_front(
    zones: UInt8[np.ndarray, "height width"], front: Bool[np.ndarray, "height width"]
) -> list[Float64[np.ndarray, "points 2"]]:
    """Lines along the front, the longest first.

    Args:
      zones: cleaned class ids (H, W) (`clean_zones`).
      front: mask (H, W) bool of `extract_front` on the same zones.

    Returns:
      Arrays (n, 2) float64 of x (columns to the right) and y (rows down) in pixels, (0, 0) being the outer corner of the
      first pixel. Each runs through the middle between ocean and glacier with the glacier on the left as the image is
      looked at, and is simplified by `SIMPLIFY_PX`. A line that comes back to its start repeats its first point.

    Raises:
      InputError: zones and front differ in size.
    """
    zones = check_zones(zones)
    if zones.shape != front.shape:
        raise InputError(f"zones of shape {zones.shape} and a front of shape {front.shape}; they must agree")
    lines = _joined([_middles(chain) for chain in _chains(_border(zones, front))])
    simple = [shapely.get_coordinates(shapely.LineString(line).simplify(SIMPLIFY_PX)) for line in lines]
    return sorted(simple, key=length_px, reverse=True)


def length_px(line: Float64[np.ndarray, "points 2"]) -> float:
    """Length of a line (n, 2) in pixels."""
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _border(
    zones: UInt8[np.ndarray, "height width"], front: Bool[np.ndarray, "height width"]
) -> dict[Corner, list[Corner]]:
    """From each corner of a pixel the corners that the border goes on to (two where two glacier pixels touch by a corner)."""
    glacier = np.pad(zones == Zone.GLACIER, 1)
    height, width = zones.shape
    onward: dict[Corner, list[Corner]] = {}
    for (down, right), (start, end) in _WALKS.items():
        beside = glacier[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        for row, column in np.argwhere(front & beside).tolist():
            onward.setdefault((row + start[0], column + start[1]), []).append((row + end[0], column + end[1]))
    return onward


def _chains(onward: dict[Corner, list[Corner]]) -> list[list[Corner]]:
    """The border as chains of corners: first those that begin somewhere, then the closed ones."""
    ends = {corner for targets in onward.values() for corner in targets}
    chains = []
    for first in [*sorted(onward.keys() - ends), *sorted(ends)]:
        while onward.get(first):
            chain = [first]
            while targets := onward.get(chain[-1]):
                chain.append(targets.pop(_leftmost(chain, targets)))
            chains.append(chain)
    return chains


def _leftmost(chain: list[Corner], targets: list[Corner]) -> int:
    """Which way to go on. Around the same glacier pixel, as the ocean on the right is connected across corners."""
    if len(targets) == 1 or len(chain) == 1:
        return 0
    (row, column), (to_row, to_column) = chain[-2:]
    down, right = to_row - row, to_column - column
    left_turn = (to_row - right, to_column + down)
    return targets.index(left_turn) if left_turn in targets else 0


def _middles(chain: list[Corner]) -> Float64[np.ndarray, "points 2"]:
    """Points (n, 2) x, y: the middles of the steps of a chain, and where it begins and ends."""
    corners = np.array(chain, float)[:, ::-1]
    middles = (corners[:-1] + corners[1:]) / 2
    if chain[0] == chain[-1]:
        return np.concatenate([middles, middles[:1]])
    return np.concatenate([corners[:1], middles, corners[-1:]])


def _joined(lines: list[np.ndarray]) -> list[np.ndarray]:
    """Lines with the gaps closed where one begins within `JOIN_PX` of another's end, nearest pairs first."""
    open_lines = {i: line for i, line in enumerate(lines) if (line[0] != line[-1]).any()}
    closed = [line for i, line in enumerate(lines) if i not in open_lines]
    while len(open_lines) > 1:
        keys = list(open_lines)
        ends = np.array([open_lines[k][-1] for k in keys])
        starts = np.array([open_lines[k][0] for k in keys])
        gaps = np.hypot(*(ends[:, None] - starts[None]).transpose(2, 0, 1))
        np.fill_diagonal(gaps, np.inf)
        before, after = np.unravel_index(gaps.argmin(), gaps.shape)
        if gaps[before, after] > JOIN_PX:
            break
        open_lines[keys[before]] = np.concatenate([open_lines[keys[before]], open_lines.pop(keys[after])])
    return [*open_lines.values(), *closed]
