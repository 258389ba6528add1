"""Lanes: paths through a box along the flow, side by side. How much of each is glacier is the profile of a front.

The mean of a profile is the position of the box method, as both count the area of the glacier in the box.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Float64
from shapely.ops import substring

from glacierjax.terminus.box import Box, box_axis, divide_box
from glacierjax.terminus.series import box_corners

LANE_M = 50.0  # from lane to lane, about
LANES = (24, 400)
AT_SIDE = 1e-4  # the outermost lanes lie by this part of the width inside the box

Profile = Float64[np.ndarray, " lane"]


@dataclasses.dataclass(frozen=True, eq=False)
class Lanes:
    """`paths`: lines (lanes,) from the box's end on the glacier to that in the ocean, the ocean ahead, from right to left."""

    paths: np.ndarray

    def profile_m(self, box: Box, lines: Sequence[np.ndarray]) -> Profile | None:
        """Length of each lane on the glacier; lines (n, 2) have the glacier on their left. None: they do not divide the box."""
        divided = divide_box(box.polygon, lines)
        if divided is None:
            return None
        return sum(
            (shapely.length(shapely.intersection(self.paths, piece)) for piece in divided.glacier),
            np.zeros(len(self.paths)),
        )

    def front(self, profile_m: Profile) -> Float64[np.ndarray, "lane 2"]:
        """The front (lanes, 2) of a profile, with the glacier on its left."""
        return shapely.get_coordinates(shapely.line_interpolate_point(self.paths, profile_m))

    def glacier(self, profile_m: Profile) -> shapely.Polygon:
        """The glacier in the box behind the front of a profile."""
        starts = shapely.get_coordinates(shapely.get_point(self.paths, 0))
        right, left = (shapely.get_coordinates(substring(self.paths[side], 0, profile_m[side])) for side in (0, -1))
        return shapely.Polygon(np.concatenate([right, self.front(profile_m), left[::-1], starts[::-1]]))

    def whole(self) -> shapely.Polygon:
        """The box, as the lanes fill it."""
        return self.glacier(shapely.length(self.paths))


def lanes_of(box: Box, fronts: Sequence[Sequence[np.ndarray]]) -> Lanes:
    """The lanes of a box: along its centreline if it follows one, else along its sides."""
    count = int(np.clip(round(box.width_m / LANE_M), *LANES)) + 1
    if box.centreline is not None:
        path = shapely.LineString(box.centreline)
        aside_m = np.linspace(-0.5, 0.5, count) * box.width_m * (1 - 2 * AT_SIDE)
        return Lanes(shapely.offset_curve(path, aside_m, join_style="round"))
    axis = box_axis(box.polygon, fronts)
    flow = axis / np.linalg.norm(axis)
    across = np.array([-flow[1], flow[0]])
    corners = box_corners(box)
    sides, alongs = corners @ across, corners @ flow
    inset = AT_SIDE * np.ptp(sides)
    places = np.linspace(sides.min() + inset, sides.max() - inset, count)
    before, behind = alongs.min() - inset, alongs.max() + inset
    through = [shapely.LineString([a * flow + place * across for a in (before, behind)]) for place in places]
    chords = [shapely.get_coordinates(line.intersection(box.polygon)) for line in through]
    ends = [chord[[(chord @ flow).argmin(), (chord @ flow).argmax()]] for chord in chords]
    return Lanes(np.array([shapely.LineString(line) for line in ends]))
