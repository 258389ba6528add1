"""Lines and polygons that cross 180 degrees of longitude, cut there (RFC 7946, section 3.1.9)."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from jaxtyping import Float
from shapely.affinity import translate

TURN_DEG = 360.0
HALF_TURN_DEG = 180.0
NARROW_DEG = 10.0  # no box of a glacier is wider
POLE_DEG = 90.0


def cut_line(line_lonlat: Float[np.ndarray, "point 2"]) -> list[np.ndarray]:
    """The line in parts that do not cross 180 degrees, with longitudes in -180..180."""
    longitude = np.unwrap(line_lonlat[:, 0], period=TURN_DEG)
    sheet = np.floor((longitude + HALF_TURN_DEG) / TURN_DEG)  # which turn around the Earth
    points, parts = [], []
    for i, (x, y) in enumerate(zip(longitude, line_lonlat[:, 1], strict=True)):
        if i and sheet[i] != sheet[i - 1]:
            border = TURN_DEG * max(sheet[i], sheet[i - 1]) - HALF_TURN_DEG
            share = (border - longitude[i - 1]) / (x - longitude[i - 1])
            crossing = line_lonlat[i - 1, 1] + share * (y - line_lonlat[i - 1, 1])
            parts.append([*points, (border - TURN_DEG * sheet[i - 1], crossing)])
            points = [(border - TURN_DEG * sheet[i], crossing)]
        points.append((x - TURN_DEG * sheet[i], y))
    parts.append(points)
    return [np.array(part) for part in parts if len(set(part)) > 1]


def join_lines(parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Lines (n, 2) of longitude and latitude, those joined that were cut at 180 degrees; the way back from `cut_line`."""
    joined: list[np.ndarray] = []
    for part in parts:
        if joined and abs(joined[-1][-1, 0]) == HALF_TURN_DEG and (joined[-1][-1] * (-1, 1) == part[0]).all():
            joined[-1] = np.concatenate([joined[-1], part[1:]])
        else:
            joined.append(part)
    return joined


def cut_polygons(polygons: Iterable[shapely.Polygon], widest_deg: float = NARROW_DEG) -> shapely.MultiPolygon:
    """Polygons of longitude and latitude in parts that do not cross 180 degrees, with longitudes in -180..180.

    Longitudes may lie in -360..360. A side that jumps by more than 180 degrees, from 179 to -179, is taken the short way
    round where the whole polygon is then at most `widest_deg` wide.
    """
    return shapely.MultiPolygon([part for polygon in polygons for part in _cut(_unwrapped(polygon, widest_deg))])


def cut_outline(ring_lonlat: Float[np.ndarray, "point 2"]) -> shapely.MultiPolygon:
    """What a closed ring (n, 2) of longitude and latitude encloses, in parts as of `cut_polygons`; a pole, if it runs around it.

    Neighbouring points are less than 180 degrees apart, however wide the whole is.
    """
    longitude = np.unwrap(ring_lonlat[:, 0], period=TURN_DEG)
    points = np.column_stack([longitude, ring_lonlat[:, 1]])
    if np.isclose(longitude[0], longitude[-1]):
        return shapely.MultiPolygon(_cut(shapely.Polygon(points)))
    pole = np.copysign(POLE_DEG, points[:, 1].mean())
    whole = _cut(shapely.Polygon([*points, (longitude[-1], pole), (longitude[0], pole)]))
    return shapely.MultiPolygon(shapely.get_parts(shapely.union_all(whole)).tolist())  # no border where the ring begins


def _cut(polygon: shapely.Polygon) -> list[shapely.Polygon]:
    """A polygon whose longitudes go on beyond 180 degrees in parts that do not cross them."""
    west, _, east, _ = polygon.bounds
    if west >= -HALF_TURN_DEG and east <= HALF_TURN_DEG:
        return [polygon]
    whole, parts = shapely.make_valid(polygon), []
    for turns in range(int((west + HALF_TURN_DEG) // TURN_DEG), int((east + HALF_TURN_DEG) // TURN_DEG) + 1):
        middle = turns * TURN_DEG
        sheet = shapely.box(middle - HALF_TURN_DEG, -POLE_DEG, middle + HALF_TURN_DEG, POLE_DEG)
        cut = translate(shapely.intersection(whole, sheet), -middle)
        parts += [part for part in shapely.get_parts(cut) if part.geom_type == "Polygon" and part.area > 0]
    return parts


def _unwrapped(polygon: shapely.Polygon, widest_deg: float) -> shapely.Polygon:
    """The polygon with longitudes that go on beyond 180 degrees where it crosses them."""
    outer = _unwrapped_ring(shapely.get_coordinates(polygon.exterior), widest_deg)
    if outer is None:
        return polygon
    middle = (outer[:, 0].min() + outer[:, 0].max()) / 2
    holes = []
    for ring in polygon.interiors:
        points = shapely.get_coordinates(ring)
        turned = _unwrapped_ring(points, widest_deg)
        points = points if turned is None else turned
        turns = np.round((middle - points[:, 0].mean()) / TURN_DEG)
        holes.append(points + np.array([turns * TURN_DEG, 0]))
    return shapely.Polygon(outer, holes)


def _unwrapped_ring(points: Float[np.ndarray, "point 2"], widest_deg: float) -> Float[np.ndarray, "point 2"] | None:
    """Points (n, 2) with longitudes that go on beyond 180 degrees; None for a ring that does not cross them."""
    jumps = np.abs(np.diff(points[:, 0]))
    if not ((jumps > HALF_TURN_DEG) & (jumps < TURN_DEG)).any():
        return None
    longitude = np.unwrap(points[:, 0], period=TURN_DEG)
    if np.ptp(longitude) > widest_deg or not np.isclose(longitude[0], longitude[-1]):
        return None  # a wide area, or one around a pole
    return np.column_stack([longitude, points[:, 1]])
