"""Where a scene lies on Earth: from pixels to map coordinates, longitude and latitude, and metres."""

import dataclasses

import numpy as np
from jaxtyping import Float, Real
from rasterio import warp
from rasterio.crs import CRS
from rasterio.errors import CRSError

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.proj import make_proj_usable

make_proj_usable()
WGS84 = CRS.from_epsg(4326)
# Axes of the WGS84 ellipsoid (NIMA TR8350.2).
SEMI_MAJOR_AXIS_M = 6378137.0
ECCENTRICITY_SQUARED = 6.69437999014e-3
# Up to here the metres of a map projection are taken as they are (20 m pixels of UTM are 20 m). Beyond it, as in Web
# Mercator far from the equator, what counts is the distance on the ground.
LARGEST_MAP_DISTORTION = 0.05
POLAR_MAPS = {True: 3413, False: 3031}  # EPSG codes of the stereographic maps of Greenland (north) and Antarctica
CYLINDRICAL = ("merc", "webmerc", "eqc", "cea", "mill")  # PROJ's names of projections in which x is longitude alone
SQUARE_ENOUGH = 1.25  # ratio of a pixel's sides


@dataclasses.dataclass(frozen=True)
class Georeference:
    """`crs`: coordinate reference system. `transform`: the six numbers (a, b, c, d, e, f) of x = a column + b row + c,
    y = d column + e row + f, with (0, 0) the outer corner of the first pixel."""

    crs: CRS
    transform: tuple[float, float, float, float, float, float]

    def to_crs(self, points_px: Real[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Coordinates (n, 2) x, y in the reference system of points (n, 2) column, row in pixels."""
        a, b, c, d, e, f = self.transform
        return points_px @ np.array([[a, d], [b, e]]) + (c, f)

    def to_pixels(self, points: Real[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Column and row (n, 2) in pixels of coordinates (n, 2) x, y in the reference system."""
        a, b, c, d, e, f = self.transform
        return (points - (c, f)) @ np.linalg.inv([[a, d], [b, e]])

    def moved(self, columns: int, rows: int) -> "Georeference":
        """The georeference of the part of the scene that begins `columns` pixels to the right and `rows` below."""
        a, b, _, d, e, _ = self.transform
        x, y = self.to_crs(np.array([[columns, rows]], float))[0].tolist()
        return Georeference(self.crs, (a, b, x, d, e, y))

    def to_lonlat(self, points_px: Real[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        """Longitude and latitude (n, 2), WGS84 degrees, of points (n, 2) column, row in pixels."""
        return reproject(self.to_crs(points_px), self.crs, WGS84)

    @property
    def is_mirrored(self) -> bool:
        """The picture is a mirror image of the map: left and right are exchanged."""
        a, b, _, d, e, _ = self.transform
        return a * e - b * d > 0


def georeference_of_bounds(bounds: MapBounds, shape: tuple[int, int]) -> Georeference:
    """That of a scene of `shape` (rows, columns) between these borders. Raises `InputError` for an unknown system."""
    return Georeference(crs_from_user(bounds.crs, "map bounds"), bounds.transform(shape))


def reproject(points: Real[np.ndarray, "point 2"], source: CRS, target: CRS) -> Float[np.ndarray, "point 2"]:
    """Points (n, 2) x, y (longitude, latitude) from one reference system to another."""
    if source == target:
        return np.asarray(points, float)
    try:
        x, y = warp.transform(source, target, *np.asarray(points, float).T)[:2]
        moved = np.column_stack([x, y])
        if not np.isfinite(moved).all():
            raise ValueError("not finite")
    except Exception as error:  # GDAL's own exceptions have no public base class
        raise InputError(
            f"the coordinates cannot be brought from {source.to_string()[:40]} to {target.to_string()[:40]} ({error}); "
            "check the georeference"
        ) from error
    return moved


def turn_around_earth(crs: CRS) -> float:
    """By how much x grows in a full turn around the Earth, where north is always up (degrees, Mercator); else 0."""
    if crs.is_geographic:
        return 2 * np.pi / crs.units_factor[1]
    if crs.to_dict().get("proj") in CYLINDRICAL:
        west, east = reproject(np.array([[-180.0, 0], [180, 0]]), WGS84, crs)[:, 0]
        return float(east - west)
    return 0.0


def segment_lengths_m(lonlat: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, " segment"]:
    """Lengths (n - 1,) of the segments between points (n, 2) of longitude and latitude on the WGS84 ellipsoid.

    In the plane that touches the ellipsoid at the segment's middle: against pyproj's geodesics at most 1e-6 off for segments
    up to 1 km below 88 degrees of latitude, and 1e-4 for 50 km below 80. So pyproj (33 MB) is no dependency.
    """
    east, north = steps_m(lonlat[:-1], lonlat[1:])
    return np.hypot(east, north)


def steps_m(
    start: Float[np.ndarray, "point 2"], end: Float[np.ndarray, "point 2"]
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Metres to the east and to the north from points (n, 2) to points (n, 2), longitude and latitude in degrees."""
    latitude = np.radians((start[:, 1] + end[:, 1]) / 2)
    turn = (end[:, 0] - start[:, 0] + 180) % 360 - 180  # the short way around
    flattening = 1 - ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
    parallel_radius = SEMI_MAJOR_AXIS_M * np.cos(latitude) / np.sqrt(flattening)
    meridian_radius = SEMI_MAJOR_AXIS_M * (1 - ECCENTRICITY_SQUARED) / flattening**1.5
    return np.radians(turn) * parallel_radius, np.radians(end[:, 1] - start[:, 1]) * meridian_radius


@dataclasses.dataclass(frozen=True)
class PixelSize:
    """`spacing_m`: side of the square of a pixel's area. `sides_m`: along a row and along a column."""

    spacing_m: float
    sides_m: tuple[float, float]

    @property
    def is_square(self) -> bool:
        return max(self.sides_m) <= SQUARE_ENOUGH * min(self.sides_m)


def pixel_size(georeference: Georeference, shape: tuple[int, int]) -> PixelSize:
    """Size of the pixel in the middle of a scene of `shape` (rows, columns).

    In the metres of the projection, if its unit is metres and it does not distort by more than `LARGEST_MAP_DISTORTION`; else
    (degrees, Web Mercator) on the ground.
    """
    middle = np.array([[shape[1] / 2, shape[0] / 2]])
    corner, right, below = (georeference.to_lonlat(middle + step) for step in ((0, 0), (1, 0), (0, 1)))
    ground = np.array([steps_m(corner, right), steps_m(corner, below)])[..., 0]
    size = _size(ground)
    if georeference.crs.is_projected:
        a, b, _, d, e, _ = georeference.transform
        on_map = _size(np.array([[a, d], [b, e]]) * georeference.crs.linear_units_factor[1])
        if abs(on_map.spacing_m / size.spacing_m - 1) <= LARGEST_MAP_DISTORTION:
            return on_map
    return size


def _size(steps_m: Float[np.ndarray, "2 2"]) -> PixelSize:
    along_row, along_column = np.hypot(*steps_m.T)
    return PixelSize(float(np.sqrt(abs(np.linalg.det(steps_m)))), (float(along_row), float(along_column)))


def equal_area_plane(lonlat: Float[np.ndarray, "point 2"]) -> CRS:
    """A plane in metres that keeps areas (Lambert), touching the Earth in the middle of points (n, 2) lon, lat."""
    longitude = np.degrees(np.angle(np.exp(1j * np.radians(lonlat[:, 0])).mean()))  # right across 180 degrees too
    latitude = (lonlat[:, 1].min() + lonlat[:, 1].max()) / 2
    return CRS.from_dict(proj="laea", lat_0=latitude, lon_0=longitude, datum="WGS84", units="m")


def usual_map(longitude: float, latitude: float, utm_limits: tuple[float, float]) -> CRS:
    """The usual projection of a place: UTM between two latitudes (`utm_limits`), polar stereographic beyond them."""
    if not utm_limits[0] <= latitude <= utm_limits[1]:
        return CRS.from_epsg(POLAR_MAPS[latitude > 0])
    return CRS.from_epsg((32601 if latitude >= 0 else 32701) + int((longitude + 180) % 360 // 6))


def crs_from_user(value: str | int | CRS, where: str) -> CRS:
    """A reference system from a name such as EPSG:3413 or a well-known text."""
    try:
        return CRS.from_user_input(value)
    except CRSError as error:
        raise InputError(f"{where}: unknown coordinate reference system {value!r}") from error
