"""From a front line to zones on a scene's grid: the box is divided by the line, polygons add what they cover."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Bool, UInt8
from rasterio import features
from rasterio.crs import CRS
from rasterio.transform import Affine
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.fronts.extract import ocean_glacier_border
from glacierjax.fronts.postprocess import EIGHT_NEIGHBOURS
from glacierjax.geo.areas import Area
from glacierjax.geo.georeference import WGS84, equal_area_plane, reproject
from glacierjax.labels.frames import Frame
from glacierjax.labels.lines import Line
from glacierjax.terminus.box import Divided, box_from_fronts, divide_box

# A box of its own reaches so far before and behind the line, as a part of its width. What is farther off, a line does not tell.
BOX_MARGIN = 0.5
BOX_INSETS = (0.0, 0.02, 0.1)  # it is as wide as the line, or so much narrower on each side if an end of the line curls
LONGER_PX = 2.0  # lines are made longer at both ends by this: people stop at the border of the box, or a little before


@dataclasses.dataclass(frozen=True, eq=False)
class Place:
    """A front, its scene and the box, in one plane in metres (`crs`). `polygon`: the box, cut to the scene."""

    line: Line
    frame: Frame
    crs: CRS
    polygon: shapely.Polygon | shapely.MultiPolygon
    lines: list[np.ndarray]
    box_is_given: bool

    def on_grid(self, shapes: Sequence[BaseGeometry], all_touched: bool = False) -> Bool[np.ndarray, "height width"]:
        """bool (H, W): pixels of the scene whose middle lies in the shapes of the plane, or that they touch."""
        frame = self.frame
        step = frame.pixel_m
        on_map = [
            shapely.transform(
                shapely.segmentize(shape, step), lambda points: reproject(points, self.crs, frame.georeference.crs)
            )
            for shape in shapes
            if not shape.is_empty
        ]
        if not on_map:
            return np.zeros(frame.shape, bool)
        transform = Affine(*frame.georeference.transform)
        return features.geometry_mask(on_map, frame.shape, transform, all_touched=all_touched, invert=True)

    def without(self, mask: Bool[np.ndarray, "height width"]) -> shapely.MultiPolygon:
        """The box without what a mask on the scene's grid covers."""
        georeference = self.frame.georeference
        transform = Affine(*georeference.transform)
        covered = [
            shapely.transform(
                shapely.geometry.shape(outline), lambda points: reproject(points, georeference.crs, self.crs)
            )
            for outline, value in features.shapes(mask.astype(np.uint8), mask, transform=transform)
            if value
        ]
        left = self.polygon.difference(shapely.union_all(shapely.make_valid(covered)))
        return shapely.MultiPolygon([part for part in shapely.get_parts(left) if part.geom_type == "Polygon"])

    def pixel_box(self) -> BoundingBox:
        """The upright rectangle in pixels around the box."""
        outline = shapely.get_coordinates(shapely.segmentize(self.polygon, self.frame.pixel_m))
        pixels = self.frame.to_pixels(reproject(outline, self.crs, WGS84))
        (xmin, ymin), (xmax, ymax) = pixels.min(0), pixels.max(0)
        return BoundingBox(*(round(float(v), 2) for v in (xmin, ymin, xmax, ymax)))


def lay_box(line: Line, frame: Frame, area: Area | None) -> Place:
    """The box of a front: that part of `area` in which it lies, else a rectangle around the line.

    Raises `InputError` naming both files for a line that crosses itself and for a box that it does not touch.
    """
    crs = equal_area_plane(np.concatenate(line.front.lines))
    lines = [reproject(points, WGS84, crs) for points in line.front.lines]
    if not all(shapely.LineString(points).is_simple for points in lines):
        raise InputError(f"{line.where}: crosses itself, so it is no front of {frame.where}; draw it again")
    drawn = lines
    lines = [_longer(points, LONGER_PX * frame.pixel_m) for points in lines]
    if area is None:
        try:
            boxes = [box_from_fronts([drawn], BOX_MARGIN, inset).polygon for inset in BOX_INSETS]
        except InputError as error:
            raise InputError(f"{line.where}: no box can be drawn around it in {frame.where} ({error})") from None
        whole = next((box for box in boxes if divide_box(box, lines) is not None), boxes[0])
    else:
        whole = _given_box(area, frame, lines, crs)
        if whole is None:
            raise InputError(f"{line.where}: no part of it in {frame.where} lies in the box {area.where}")
    polygon = whole.intersection(frame.outline(crs))
    parts = [part for part in shapely.get_parts(polygon) if part.geom_type == "Polygon"]
    return Place(line, frame, crs, shapely.MultiPolygon(parts), lines, area is not None)


def _given_box(area: Area, frame: Frame, lines: Sequence[np.ndarray], crs: CRS) -> BaseGeometry | None:
    """The polygons of an area that lines touch, in the plane."""
    if area.box is not None:
        xmin, ymin, xmax, ymax = area.box
        corners = shapely.segmentize(shapely.box(xmin, ymin, xmax, ymax), max(xmax - xmin, ymax - ymin) / 64)
        shapes = [
            shapely.transform(corners, lambda points: reproject(frame.georeference.to_lonlat(points), WGS84, crs))
        ]
    else:
        parts = shapely.get_parts(area.polygons)
        shapes = [shapely.transform(part, lambda points: reproject(points, WGS84, crs)) for part in parts]
    whole = shapely.union_all(shapely.make_valid(shapes), grid_size=0.01)
    touched = [
        part for part in shapely.get_parts(whole) if any(part.intersects(shapely.LineString(line)) for line in lines)
    ]
    return shapely.union_all(touched) if touched else None


def _longer(points: np.ndarray, by_m: float) -> np.ndarray:
    """A line made longer at both ends, straight on; a closed one stays as it is."""
    if (points[0] == points[-1]).all():
        return points
    ends = []
    for end, before in ((points[0], points[1]), (points[-1], points[-2])):
        way = end - before
        ends.append(end + way / max(float(np.hypot(*way)), 1e-9) * by_m)
    return np.concatenate([ends[:1], points, ends[1:]])


@dataclasses.dataclass(frozen=True, eq=False)
class Drawn:
    """Labels on a scene's grid: class ids, NA where `valid` is false; the front; where the box is."""

    zones: UInt8[np.ndarray, "height width"]
    valid: Bool[np.ndarray, "height width"]
    front: Bool[np.ndarray, "height width"]
    box: BoundingBox


def divide_place(
    place: Place, lines: Sequence[np.ndarray], rock: Bool[np.ndarray, "height width"] | None
) -> Divided | None:
    """Glacier and ocean in the box, or, as a line may end at rock, in the box without it; None if neither is divided."""
    divided = divide_box(place.polygon, lines)
    if divided is None and rock is not None:
        divided = divide_box(place.without(rock), lines)
    return divided


def draw_zones(
    place: Place,
    lines: Sequence[np.ndarray],
    covers: dict[Zone, Bool[np.ndarray, "height width"]],
    data: Bool[np.ndarray, "height width"],
) -> Drawn:
    """Zones of a scene.

    In the box (without rock, if a line ends there) glacier lies left of the lines and ocean right of them. Elsewhere what
    `covers` (masks by zone) cover is of that zone and the rest not labelled. Rock is rock everywhere. Where the scene has no
    `data` nothing is labelled. Raises `InputError` naming both files if the lines do not divide the box, or nothing of the
    front is left.
    """
    where = f"{place.line.where}: the line does not divide its box in {place.frame.where}"
    divided = divide_place(place, lines, covers.get(Zone.ROCK))
    if divided is None:
        advice = "draw the box narrower" if place.box_is_given else "give a box that it crosses from side to side"
        raise InputError(f"{where} into glacier and ocean; {advice}, or draw the line longer")
    zones = np.full(place.frame.shape, Zone.NA, np.uint8)
    for zone in (Zone.GLACIER, Zone.OCEAN_ICE_MELANGE):
        if zone in covers:
            zones[covers[zone]] = zone
    glacier, ocean = place.on_grid(divided.glacier), place.on_grid(divided.ocean)
    zones[glacier], zones[ocean] = Zone.GLACIER, Zone.OCEAN_ICE_MELANGE
    if Zone.ROCK in covers:
        zones[covers[Zone.ROCK]] = Zone.ROCK
    zones[~data] = Zone.NA
    drawn = place.on_grid([shapely.LineString(line) for line in lines], all_touched=True)
    near = ndimage.binary_dilation(drawn, EIGHT_NEIGHBOURS)
    front = ocean_glacier_border(zones) & near & (glacier | ocean)
    if not front.any():
        raise InputError(
            f"{place.line.where}: nothing of its front is left in {place.frame.where}: rock or missing data cover it; look at "
            "the polygons of rock"
        )
    return Drawn(zones, zones != Zone.NA, front, place.pixel_box())
