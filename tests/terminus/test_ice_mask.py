"""The ice mask: it agrees with the lines, fills gaps as asked, and refuses grids that are of no use."""

import datetime
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from glacierjax.core.choices import LINEAR, NEAREST, NONE
from glacierjax.core.errors import InputError
from glacierjax.geo.georeference import WGS84, reproject, usual_map
from glacierjax.terminus.box import Box
from glacierjax.terminus.composites import Composite
from glacierjax.terminus.fronts import Plane
from glacierjax.terminus.ice_mask import ICE, NO_ICE, UNKNOWN, USUALLY_UTM, draw_masks, grid_over, profiles_of
from glacierjax.terminus.lanes import lanes_of

PLANE = Plane(CRS.from_dict(proj="laea", lat_0=69, lon_0=-50, datum="WGS84", units="m"))
BOX = Box(shapely.box(-3000, -1000, 3000, 1000), 2000.0)
FRONT = np.column_stack([400 * np.sin(np.linspace(-1100, 1100, 200) / 300), np.linspace(-1100, 1100, 200)])
LANES = lanes_of(BOX, [[FRONT]])
POLAR = CRS.from_epsg(3413)


def month(number, profile_m=None):
    first = datetime.date(2015, number, 1)
    date = None if profile_m is None else first + datetime.timedelta(days=14)
    following = datetime.date(2015, number + 1, 1)
    return Composite(
        first.isoformat()[:7], first, following, int(profile_m is not None), date=date, profile_m=profile_m
    )


@pytest.mark.parametrize("crs", [POLAR, CRS.from_epsg(32622)], ids=["polar stereographic", "UTM"])
@pytest.mark.parametrize("spacing_m", [40.0, 150.0])
def test_the_mask_agrees_with_the_line(crs, spacing_m):
    profile_m = LANES.profile_m([FRONT])
    grid = grid_over(LANES, PLANE, crs, spacing_m)
    (mask,) = draw_masks(LANES, [profile_m], PLANE, grid)
    x_m, y_m = np.meshgrid(grid.x_m, grid.y_m)
    lonlat = reproject(np.column_stack([x_m.ravel(), y_m.ravel()]), crs, WGS84)
    x, y = (of.reshape(x_m.shape) for of in reproject(lonlat, WGS84, PLANE.crs).T)
    side = x - np.interp(y, FRONT[:, 1], FRONT[:, 0])  # of the front: negative on the glacier
    apart = np.abs(side) > 30  # lanes lie 50 m apart
    in_box = shapely.contains_xy(BOX.polygon.buffer(-5), x, y)
    beside = ~shapely.contains_xy(BOX.polygon.buffer(5), x, y)
    assert (mask.flags[in_box & apart & (side < 0)] == ICE).all()
    assert (mask.flags[in_box & apart & (side > 0)] == NO_ICE).all()
    assert (mask.flags[beside] == UNKNOWN).all() and np.isnan(mask.ice_share[beside]).all()
    scale = grid_over(LANES, PLANE, crs, 100.0)  # of the map
    area_m2 = (mask.flags == ICE).sum() * spacing_m**2
    on_map_m2 = shapely.area(shapely.transform(LANES.glacier(profile_m), lambda p: reproject(p, PLANE.crs, scale.crs)))
    assert area_m2 == pytest.approx(on_map_m2, rel=0.01 if spacing_m < 100 else 0.04)
    known = np.isfinite(mask.ice_share)
    assert ((mask.ice_share[known] > 0.5) == (mask.flags[known] == ICE)).mean() > 0.97
    assert grid.x_m[0] % spacing_m == pytest.approx(spacing_m / 2) and (np.diff(grid.y_m) == spacing_m).all()


def test_a_bay_in_the_box_is_unknown_and_the_glacier_beyond_it_is_whole():
    bay = shapely.box(-1500, -1100, -500, -200)
    box = Box(BOX.polygon.difference(bay), 1850.0)
    line = FRONT + np.array([1000, 0])
    lanes = lanes_of(box, [[line]])
    grid = grid_over(lanes, PLANE, POLAR, 40.0)
    (mask,) = draw_masks(lanes, [lanes.profile_m([line])], PLANE, grid)
    x_m, y_m = np.meshgrid(grid.x_m, grid.y_m)
    lonlat = reproject(np.column_stack([x_m.ravel(), y_m.ravel()]), POLAR, WGS84)
    x, y = (of.reshape(x_m.shape) for of in reproject(lonlat, WGS84, PLANE.crs).T)
    side = x - np.interp(y, line[:, 1], line[:, 0])
    inside = shapely.contains_xy(box.polygon.buffer(-60), x, y) & (np.abs(side) > 60)
    assert (mask.flags[inside] == np.where(side[inside] < 0, ICE, NO_ICE)).all()
    assert (mask.flags[shapely.contains_xy(bay.buffer(-60), x, y)] == UNKNOWN).all()


def test_months_without_a_front_are_filled_as_asked():
    early, late = np.full(41, 1000.0), np.full(41, 2000.0)
    months = [month(1, early), month(2), month(3), month(4), month(5, late)]
    by = {between: profiles_of(months, between) for between in (LINEAR, NEAREST, NONE)}
    assert [None if p is None else round(float(p[0])) for p in by[NONE]] == [1000, None, None, None, 2000]
    assert [float(p[0]) for p in by[NEAREST]] == [1000, 1000, pytest.approx(1500, abs=500), 2000, 2000]
    steps = [float(p[0]) for p in by[LINEAR]]
    assert steps == sorted(steps) and steps[2] == pytest.approx(1500, abs=20) and steps[0] == 1000
    grid = grid_over(LANES, PLANE, POLAR, 100.0)
    areas = [(mask.flags == ICE).sum() for mask in draw_masks(LANES, by[LINEAR], PLANE, grid)]
    assert areas == sorted(areas) and areas[0] < areas[-1]
    assert [(m.flags != UNKNOWN).any() for m in draw_masks(LANES, by[NONE], PLANE, grid)] == [1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("crs", "spacing_m", "told"),
    [
        (POLAR, 50_000.0, r"the box is only \d+ m across on average"),
        (POLAR, 0.5, r"6.\de\+07 cells over the box do not fit into memory; give 2 or more"),
        (WGS84, 100.0, r"crs='EPSG:4326': a grid needs a projected reference system in metres"),
        (CRS.from_epsg(2263), 100.0, "in metres"),
    ],
)
def test_grids_of_no_use_are_refused(crs, spacing_m, told):
    with pytest.raises(InputError, match=told):
        grid_over(LANES, PLANE, crs, spacing_m)


def test_the_usual_map_is_that_of_most_data_of_a_place():
    places = {
        (-50, 69): 3413,
        (16, 78): 3413,
        (-60, -65): 3031,
        (-73.5, -49): 32718,
        (179.9, 10): 32660,
        (-180, 10): 32601,
    }
    assert {place: usual_map(*place, USUALLY_UTM).to_epsg() for place in places} == places


def test_a_full_disk_is_told_and_leaves_no_mask(tmp_path):
    """In a process of its own, as the limit on the size of files is one of the process."""
    pytest.importorskip("netCDF4", reason="the extra [netcdf] is not installed")
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; from test_ice_mask import *; from glacierjax.terminus.mask_file import write_masks\n"
        "profile_m = LANES.profile_m([FRONT]); grid = grid_over(LANES, PLANE, POLAR, 20.0)\n"
        "masks = draw_masks(LANES, [profile_m], PLANE, grid)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n    write_masks(Path(sys.argv[2]), grid, [month(1, profile_m)], masks, 'title', 'comment')\n"
        "except InputError as error:\n    print(error)\n"
    )
    file = tmp_path / "ice_mask.nc"
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent), str(file)], capture_output=True, text=True
    )
    assert done.stdout.startswith(f"{file}: cannot be written (") and done.stderr == "", done
    assert list(tmp_path.iterdir()) == []
