"""Ice masks: where there is glacier in the box, for each month, on a grid in a map projection."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from jaxtyping import Bool, Float32, Float64, Int8
from rasterio.crs import CRS
from rasterio.features import rasterize
from rasterio.transform import Affine

from glacierjax.core.choices import NEAREST, NONE
from glacierjax.core.errors import ArgumentError
from glacierjax.core.scene_names import decimal_year
from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.terminus.composites import Composite
from glacierjax.terminus.fronts import Plane
from glacierjax.terminus.lanes import Lanes, Profile

MOST_CELLS = 4_000_000
PARTS = 5  # a cell is looked at in PARTS x PARTS parts; odd, so that one is its middle
LONGEST_SIDE_M = 200.0  # sides are cut to this before they are bent into another projection
UNKNOWN, NO_ICE, ICE = -1, 0, 1
USUALLY_UTM = (-60.0, 60.0)  # latitudes beyond which most data are in polar stereographic projection


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """`x_m` (columns,) and `y_m` (rows,): middles of the cells in `crs`, growing; borders at multiples of `spacing_m`."""

    crs: CRS
    spacing_m: float
    x_m: np.ndarray
    y_m: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class IceMask:
    """One month. `flags` (rows, columns): `ICE` or `NO_ICE` in the middle of a cell, `UNKNOWN` outside the box; `ice_share`
    (rows, columns): of a cell's area, NaN where a part of the cell lies outside."""

    flags: Int8[np.ndarray, "row column"]
    ice_share: Float32[np.ndarray, "row column"]


class SpacingError(ArgumentError):
    """Cells too large or too small for the box of this glacier; all but the mask can be made."""


def grid_over(lanes: Lanes, plane: Plane, crs: CRS, spacing_m: float) -> Grid:
    """The grid that covers the box.

    Raises `ArgumentError` for a reference system without metres, `SpacingError` for cells that do not fit the box.
    """
    if not crs.is_projected or abs(crs.linear_units_factor[1] - 1) > 1e-9:
        raise ArgumentError("crs", crs.to_string()[:40], "a grid needs a projected reference system in metres")
    west, south, east, north = _on_map(lanes.whole(), plane, crs).bounds
    narrow_m = float(shapely.minimum_rotated_rectangle(lanes.whole()).length) / 4
    if spacing_m > narrow_m:
        raise SpacingError(
            "grid_spacing_m", spacing_m, f"the box is only {narrow_m:.0f} m across on average; give less than that"
        )
    cells = (east - west) * (north - south) / spacing_m**2
    if cells > MOST_CELLS:
        least_m = np.sqrt((east - west) * (north - south) / MOST_CELLS)
        raise SpacingError(
            "grid_spacing_m",
            spacing_m,
            f"{cells:.2g} cells over the box do not fit into memory; give {np.ceil(least_m):.0f} or more",
        )
    x_m, y_m = (
        (np.arange(np.floor(low / spacing_m), np.ceil(high / spacing_m)) + 0.5) * spacing_m
        for low, high in ((west, east), (south, north))
    )
    return Grid(crs, spacing_m, x_m, y_m)


def profiles_of(months: Sequence[Composite], between: str) -> list[Profile | None]:
    """The profile of each month, in order: its own, else by one of `BETWEEN`; None where there is none.

    Own profiles count on the mean date of their scenes, those in between in the middle of their month. The first and the last
    month have their own.
    """
    seen = [month for month in months if month.profile_m is not None]
    years = np.array([decimal_year(month.date) for month in seen if month.date])
    profiles = np.array([month.profile_m for month in seen])
    return [
        m.profile_m if m.profile_m is not None else _between(m.middle_year, years, profiles, between) for m in months
    ]


def _between(
    year: float, years: Float64[np.ndarray, " month"], profiles: Float64[np.ndarray, "month lane"], between: str
) -> Profile | None:
    if between == NONE:
        return None
    after = int(np.clip(np.searchsorted(years, year), 1, len(years) - 1))
    share = np.clip((year - years[after - 1]) / (years[after] - years[after - 1]), 0, 1)
    if between == NEAREST:
        share = round(share)
    return profiles[after - 1] + share * (profiles[after] - profiles[after - 1])


def draw_masks(lanes: Lanes, profiles: Sequence[Profile | None], plane: Plane, grid: Grid) -> Iterator[IceMask]:
    """The mask of each profile, one at a time; all `UNKNOWN` where there is none."""
    inside = _parts_in(_on_map(lanes.whole(), plane, grid.crs), grid)
    whole = _share(inside, grid) == 1
    for profile_m in profiles:
        if profile_m is None:
            shape = len(grid.y_m), len(grid.x_m)
            yield IceMask(np.full(shape, UNKNOWN, np.int8), np.full(shape, np.nan, np.float32))
            continue
        ice = _parts_in(_on_map(lanes.glacier(profile_m), plane, grid.crs), grid) & inside
        flags = np.where(ice, ICE, NO_ICE)[PARTS // 2 :: PARTS, PARTS // 2 :: PARTS]
        flags = np.where(inside[PARTS // 2 :: PARTS, PARTS // 2 :: PARTS], flags, UNKNOWN).astype(np.int8)
        yield IceMask(flags, np.where(whole, _share(ice, grid), np.nan).astype(np.float32))


def _on_map(polygons: shapely.MultiPolygon, plane: Plane, crs: CRS) -> shapely.MultiPolygon:
    assert plane.crs is not None, "products lie on Earth"
    dense = shapely.segmentize(polygons, LONGEST_SIDE_M)
    lonlat = shapely.transform(dense, lambda points: reproject(points, plane.crs, WGS84))
    return shapely.transform(lonlat, lambda points: reproject(points, WGS84, crs))


def _parts_in(polygons: shapely.MultiPolygon, grid: Grid) -> Bool[np.ndarray, "row_part column_part"]:
    """Whether the middle of each part of the cells lies in polygons; rows go north."""
    step = grid.spacing_m / PARTS
    west, north = grid.x_m[0] - grid.spacing_m / 2, grid.y_m[-1] + grid.spacing_m / 2
    shape = len(grid.y_m) * PARTS, len(grid.x_m) * PARTS
    if polygons.area == 0:
        return np.zeros(shape, bool)
    drawn = np.zeros(shape, np.uint8)
    rasterize([polygons], out=drawn, transform=Affine(step, 0, west, 0, -step, north))
    return drawn[::-1].astype(bool)


def _share(parts: Bool[np.ndarray, "row_part column_part"], grid: Grid) -> Float64[np.ndarray, "row column"]:
    return parts.reshape(len(grid.y_m), PARTS, len(grid.x_m), PARTS).mean((1, 3))
