"""What users choose for a time series: glacier, box and centreline."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.errors import ArgumentError, InputError, some_names
from glacierjax.geo.antimeridian import cut_line
from glacierjax.geo.areas import Area, read_area
from glacierjax.geo.features import LINES, POLYGONS, is_vector_file, read_features, read_shapes
from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.geo.vectors import point_feature, polygon_feature, write_geojson
from glacierjax.terminus.box import Box, box_from_fronts, box_of, clip_to_fronts, flow_direction, glacier_area_m2
from glacierjax.terminus.fronts import Front, Plane
from glacierjax.terminus.series import box_corners

log = logging.getLogger(__name__)

SEAM_M = 0.01  # parts of a polygon that are nearer than this touch


def choose_glacier(fronts: Sequence[Front], glacier: str, area: Area | None = None) -> list[Front]:
    """The fronts of one glacier, those with a date; of several glaciers the one whose fronts lie in `area`.

    Raises `InputError` if there is a choice, or nothing to choose.
    """
    names = sorted({front.glacier for front in fronts if front.glacier})
    if glacier and glacier not in names:
        raise ArgumentError(
            "glacier", glacier, f"no front of it; there are: {some_names(names) or 'unnamed ones only'}"
        )
    if not glacier and len(names) > 1:
        inside = {front.glacier for front in fronts if front.glacier and area and _lies_in(front, area)}
        if len(inside) != 1:
            where = f" in {area.where}" if area and inside else ""
            raise InputError(
                f"`fronts`: fronts of several glaciers{where} ({some_names(sorted(inside) or names)}); choose one with "
                "`glacier`=NAME"
            )
        (glacier,) = inside
        log.info("glacier %s: the only one of %d with fronts in %s", glacier, len(names), area and area.where)
    chosen = [front for front in fronts if not glacier or front.glacier == glacier]
    undated = [front.scene for front in chosen if not front.date]
    if len(undated) == len(chosen):
        raise InputError(
            f"`fronts`: no date in the attributes or the name of any scene ({undated[0]}, ...); name them NAME_YYYY-MM-DD, or "
            "the attribute with `date_field`"
        )
    if undated:
        log.warning("left out, as nothing tells their date: %s", some_names(undated))
    counts = Counter(front.date for front in chosen)
    if twice := [front.scene for front in chosen if front.date and counts[front.date] > 1]:
        log.warning("several fronts of one date: %s; each is measured for itself", some_names(twice))
    return [front for front in chosen if front.date]


def _lies_in(front: Front, area: Area) -> bool:
    """Whether a front on Earth lies in polygons on Earth, at least a part of it."""
    if area.polygons is None or front.pixel_spacing_m is not None:
        return False
    parts = [shapely.LineString(part) for line in front.lines for part in cut_line(line)]
    return bool(shapely.intersects(area.polygons, parts).any())


def choose_spacing(fronts: Sequence[Front], pixel_spacing_m: float | None) -> list[Front]:
    """The fronts of one pixel spacing; those on Earth have none, and stay as they are.

    Without georeference nobody knows how grids of two spacings lie over each other. Raises `InputError` if there is a choice,
    or nothing to choose.
    """
    counts = Counter(front.pixel_spacing_m for front in fronts if front.pixel_spacing_m is not None)
    there = ", ".join(f"{spacing:g} m ({n} scenes)" for spacing, n in sorted(counts.items())) or "none in pixels"
    if pixel_spacing_m is None:
        if len(counts) > 1:
            raise InputError(
                f"`fronts`: pixels of several sizes: {there}; choose one with `pixel_spacing_m`, or give georeferenced scenes"
            )
        return list(fronts)
    if pixel_spacing_m not in counts:
        raise InputError(f"`pixel_spacing_m`={pixel_spacing_m:g}: no front of it; there are: {there}")
    return [front for front in fronts if front.pixel_spacing_m == pixel_spacing_m]


def given_area(path: str) -> Area | None:
    """The area in a box file; None without a file, or for one that only marks the glacier (`point_on_glacier`)."""
    if not path or (is_vector_file(path) and not any(s.geom_type in POLYGONS for s, _ in read_features(path))):
        return None
    return read_area(path)


def drawn_polygon(area: Area, fronts: Sequence[Front], plane: Plane) -> shapely.Polygon:
    """The polygon of an area in metres; of several the one in which fronts lie.

    Raises `InputError` if no front lies in it, or if it is no simple polygon.
    """
    lines = [shapely.LineString(line) for front in fronts for line in front.lines]
    path = area.where
    if area.box is not None:
        xmin, ymin, xmax, ymax = area.box
        corners = np.array([(xmin, ymin), (xmin, ymax), (xmax, ymax), (xmax, ymin)])
        in_plane = [shapely.Polygon(plane.from_pixels(corners, path))]
    else:
        parts = shapely.get_parts(area.polygons)
        in_plane = shapely.transform(parts, lambda points: plane.from_lonlat(points, path))
    if not shapely.is_valid(in_plane).all():
        raise InputError(f"{path}: the polygon crosses itself; draw a simple one")
    whole = shapely.union_all(in_plane, grid_size=SEAM_M)  # parts cut at 180 degrees are one again
    polygons = [polygon for polygon in shapely.get_parts(whole) if shapely.intersects(polygon, lines).any()]
    if not polygons:
        raise InputError(f"{path}: no front lies in it; draw it across the fronts, or leave `box` out")
    if len(polygons) > 1:
        raise InputError(f"{path}: fronts lie in {len(polygons)} of its polygons; the box method needs one")
    if polygons[0].interiors:
        raise InputError(f"{path}: the polygon has holes; draw a simple one")
    return polygons[0]


def choose_box(polygon: shapely.Polygon | None, fronts: Sequence[Front], where: str, clip: bool = True) -> Box:
    """The box to measure in: the drawn polygon, or without one a rectangle along the flow that the fronts tell.

    A polygon that reaches beyond the ends of the fronts, as one that limits a prediction does, is clipped to where they
    reach, if more of them are measured then (with `clip`).
    """
    lines = [front.lines for front in fronts]
    if polygon is None:
        return box_from_fronts(lines)
    inside = [[line for line in of_one if polygon.intersects(shapely.LineString(line))] for of_one in lines]
    box = box_of(polygon, inside)
    if not clip:
        return box
    measured = _measured(box, lines)
    if measured < sum(bool(of_one) for of_one in inside) and (clipped := clip_to_fronts(polygon, inside)):
        with_clipped = _measured(clipped, lines)
        if with_clipped > measured:
            log.warning(
                "%s: its sides lie beyond the ends of the fronts on %d of %d dates; clipped to where they reach (box.geojson), "
                "%d dates are measured",
                where,
                len(fronts) - measured,
                len(fronts),
                with_clipped,
            )
            return clipped
    return box


def _measured(box: Box, fronts: Sequence[Sequence[np.ndarray]]) -> int:
    return sum(glacier_area_m2(box.polygon, lines) is not None for lines in fronts)


def point_on_glacier(path: str, plane: Plane) -> Float[np.ndarray, "2"] | None:
    """The point (2,) in metres that a box file marks on the glacier: the middle of a point or line beside the polygon."""
    if not path or not is_vector_file(path):
        return None
    marks = [shape for shape, _ in read_features(path) if shape.geom_type not in POLYGONS]
    if len(marks) > 1:
        raise InputError(f"{path}: {len(marks)} points or lines beside the box; one is to mark the glacier's side")
    if not marks:
        return None
    return plane.from_lonlat(shapely.get_coordinates(marks[0]), path).mean(0)


def given_centreline(path: str, plane: Plane) -> Float[np.ndarray, "point 2"] | None:
    """The centreline in a file (n, 2) in metres, as it was drawn; None without a file."""
    if not path:
        return None
    parts = [part for shape in read_shapes(path, LINES) for part in shapely.get_parts(shape)]
    if len(parts) != 1:
        raise InputError(f"{path}: {len(parts)} lines; a centreline is one")
    if parts[0].length == 0:
        raise InputError(f"{path}: all points of the line are the same; draw it along the flow")
    return plane.from_lonlat(shapely.get_coordinates(parts[0]), path)


def write_box(path: Path, box: Box, plane: Plane, fronts: Sequence[Front]) -> None:
    """Writes the box and a point in it on the glacier's end (`point_on_glacier`) as GeoJSON, if the fronts lie on Earth."""
    if plane.crs is None:
        return
    polygon = shapely.Polygon(reproject(box_corners(box), plane.crs, WGS84))
    if box.centreline is None:
        flow = flow_direction([front.lines for front in fronts])
        middle = np.array(box.polygon.centroid.coords[0])
        end = middle + flow * ((box_corners(box) - middle) @ flow).min()
    else:
        end = box.centreline[0]
    mark = reproject(end[None], plane.crs, WGS84)[0]
    members = [
        polygon_feature(polygon, {"what": "box", "width_m": round(box.width_m, 1)}),
        point_feature(mark, {"what": "glacier"}),
    ]
    write_geojson(path, members)
