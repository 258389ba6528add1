"""Lanes: paths through a box along the flow, side by side. How much of each is glacier is the profile of a front.

A profile holds the area of the glacier in the box: it is the profile's mean by the width that the lanes cover. In a rectangle, or
in a box that follows a centreline, the mean is the position of the box method.
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
ROUNDING_M = 1e-6

Profile = Float64[np.ndarray, " lane"]
Spans = Float64[np.ndarray, "span 2"]


@dataclasses.dataclass(frozen=True, eq=False)
class Lanes:
    """`paths`: lines (lanes,) from the box's end on the glacier to that in the ocean, the ocean ahead, from right to left.

    A path leaves a box with a bay in its side and comes back: `spans` tells from where to where along each path it is in the box
    (`polygon`), in metres.
    """

    paths: np.ndarray
    spans: tuple[Spans, ...]
    polygon: shapely.Polygon

    def profile_m(self, lines: Sequence[np.ndarray]) -> Profile:
        """Length of each lane on the glacier in the box; lines (n, 2) divide it and have the glacier on their left."""
        divided = divide_box(self.polygon, lines)
        assert divided is not None, "lines that have a position in the box"
        return sum(
            (shapely.length(shapely.intersection(self.paths, piece)) for piece in divided.glacier),
            np.zeros(len(self.paths)),
        )

    def front(self, profile_m: Profile) -> Float64[np.ndarray, "lane 2"]:
        """The front (lanes, 2) of a profile, with the glacier on its left."""
        return shapely.get_coordinates(shapely.line_interpolate_point(self.paths, self._along_m(profile_m)))

    def glacier(self, profile_m: Profile) -> shapely.MultiPolygon:
        """The glacier in the box behind the front of a profile."""
        along_m = self._along_m(profile_m)
        starts = shapely.get_coordinates(shapely.get_point(self.paths, 0))
        right, left = (shapely.get_coordinates(substring(self.paths[side], 0, along_m[side])) for side in (0, -1))
        behind = shapely.Polygon(np.concatenate([right, self.front(profile_m), left[::-1], starts[::-1]]))
        if all(len(spans) == 1 for spans in self.spans):
            return shapely.MultiPolygon([behind])
        inside = shapely.get_parts(shapely.intersection(shapely.make_valid(behind), self.polygon))
        return shapely.MultiPolygon([part for part in inside if part.geom_type == "Polygon"])

    def whole(self) -> shapely.MultiPolygon:
        """The box, as the lanes fill it."""
        return self.glacier(np.array([np.diff(spans).sum() for spans in self.spans]))

    def _along_m(self, profile_m: Profile) -> Profile:
        """How far along its path a lane has so much in the box, at the first such place."""
        return np.array([_along_m(inside_m, spans) for inside_m, spans in zip(profile_m, self.spans, strict=True)])


def lanes_of(box: Box, fronts: Sequence[Sequence[np.ndarray]]) -> Lanes:
    """The lanes of a box: along its centreline if it follows one, else along its sides."""
    count = int(np.clip(round(box.width_m / LANE_M), *LANES)) + 1
    if box.centreline is not None:
        path = shapely.LineString(box.centreline)
        aside_m = np.linspace(-0.5, 0.5, count) * box.width_m * (1 - 2 * AT_SIDE)
        paths = shapely.offset_curve(path, aside_m, join_style="round")
        return Lanes(paths, tuple(np.array([[0.0, length_m]]) for length_m in shapely.length(paths)), box.polygon)
    axis = box_axis(box.polygon, fronts)
    flow = axis / np.linalg.norm(axis)
    across = np.array([-flow[1], flow[0]])
    corners = box_corners(box)
    sides, alongs = corners @ across, corners @ flow
    inset = AT_SIDE * np.ptp(sides)
    places = np.linspace(sides.min() + inset, sides.max() - inset, count)
    before, behind = alongs.min() - inset, alongs.max() + inset
    through = [shapely.LineString([a * flow + place * across for a in (before, behind)]) for place in places]
    inside = [_spans(line, flow, box.polygon) for line in through]
    paths = [
        shapely.LineString([a * flow + place * across for a in (spans[0, 0], spans[-1, 1])])
        for place, spans in zip(places, inside, strict=True)
    ]
    return Lanes(np.array(paths), tuple(spans - spans[0, 0] for spans in inside), box.polygon)


def _spans(line: shapely.LineString, flow: Float64[np.ndarray, "2"], polygon: shapely.Polygon) -> Spans:
    """Where a line along the flow is in a polygon: places along the flow (spans, 2), in order."""
    parts = [part for part in shapely.get_parts(line.intersection(polygon)) if part.length > 0]
    return np.array(sorted(sorted(shapely.get_coordinates(part) @ flow) for part in parts))


def _along_m(inside_m: float, spans: Spans) -> float:
    up_to_m = np.diff(spans)[:, 0].cumsum()
    span = min(int(np.searchsorted(up_to_m, inside_m - ROUNDING_M)), len(spans) - 1)
    return float(spans[span, 1] - (up_to_m[span] - inside_m))
