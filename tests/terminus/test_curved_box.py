"""The curvilinear box measures the retreat around a bend, which a straight box cannot."""

import datetime
import json

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import write_text
from glacierjax.fronts.verdict import GOOD, REJECT
from glacierjax.geo.features import read_features
from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.geo.vectors import feature, point_feature, write_geojson
from glacierjax.terminus import follow
from glacierjax.terminus.box import box_from_fronts, glacier_area_m2
from glacierjax.terminus.curved_box import box_along, straightened
from glacierjax.terminus.follow import follow_terminus
from glacierjax.terminus.fronts import Front
from glacierjax.terminus.open_series import SeriesOptions
from glacierjax.terminus.outliers import judge_series, lane_positions_m

RADIUS_M, WIDTH_M, FJORD_M = 6000.0, 3000.0, 4000.0
BEND = np.linspace(0, 2 * np.pi / 3, 60)  # the fjord turns left by 120 degrees
CORNER_M = 30.0  # at a corner of the centreline, points at its side belong to the corner
PLACES_M = np.arange(10_000, 2_000, -1_000)  # of the front along the middle of the fjord, retreating


def on_bend(along_m, aside_m):
    """Points (n, 2) at distances along the middle of the fjord and to its left."""
    angle, radius = np.asarray(along_m) / RADIUS_M, RADIUS_M - np.asarray(aside_m)
    return np.column_stack([radius * np.sin(angle), -radius * np.cos(angle)])


MIDDLE = on_bend(BEND * RADIUS_M, np.zeros(60))


def front(along_m, wave_m=0.0):
    """A front across the fjord, the glacier on its left, from its right wall to its left one."""
    aside = np.linspace(-FJORD_M / 2, FJORD_M / 2, 81)
    return on_bend(along_m + wave_m * np.cos(2 * np.pi * aside / WIDTH_M), aside)


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    """The picture of a series has its own test, and takes a second."""
    monkeypatch.setattr(follow, "draw_series", lambda path, *_: write_text(path, ""))


@pytest.mark.parametrize("wave_m", [0, 300])
def test_positions_are_those_along_the_middle_of_the_fjord(wave_m):
    box = box_along(MIDDLE, WIDTH_M, "flow.geojson")
    areas = [glacier_area_m2(box.polygon, [front(place, wave_m)]) for place in PLACES_M]
    np.testing.assert_allclose(np.array(areas, float) / box.width_m, PLACES_M, rtol=2e-3)
    straight = box_from_fronts([[front(place, wave_m)] for place in PLACES_M])
    measured = [glacier_area_m2(straight.polygon, [front(place, wave_m)]) for place in PLACES_M]
    steps = np.diff(np.array(measured, float)) / straight.width_m / np.diff(PLACES_M)
    assert not (np.abs(steps - 1) < 0.1).all(), "a straight box is not as good"


def test_a_bend_is_straightened():
    along, aside = np.array([100.0, 3000, 9000]), np.array([500.0, -800, 0])
    found = straightened(MIDDLE, on_bend(along, aside))
    np.testing.assert_allclose(found, np.column_stack([along, aside]), atol=CORNER_M)


def test_wrong_fronts_in_a_bend_are_found_by_their_lanes():
    box = box_along(MIDDLE, WIDTH_M, "flow.geojson")
    dates = [datetime.date(2010 + i, 7, 1) for i in range(len(PLACES_M))]
    places = PLACES_M.copy()
    places[4] += 3000
    fronts = [
        Front(str(date), [front(place)], date, None, None) for date, place in zip(dates, places.tolist(), strict=True)
    ]
    np.testing.assert_allclose(lane_positions_m(fronts, box), np.repeat(places[:, None], 24, 1), atol=CORNER_M)
    assert [one.quality for one in judge_series(fronts, box)] == [GOOD] * 4 + [REJECT] + [GOOD] * 3


def test_a_line_that_bends_more_sharply_than_the_box_is_wide_is_refused():
    for bend in (MIDDLE * 0.2, np.array([[0.0, 0], [5000, 0], [5000, 300], [0, 300]])):
        with pytest.raises(InputError, match=r"flow.geojson: bends more sharply than a box of 3000 m is wide"):
            box_along(bend, WIDTH_M, "flow.geojson")


@pytest.mark.parametrize("reverse", [False, True])
def test_the_series_of_a_bending_fjord(tmp_path, reverse):
    plane = CRS.from_dict(proj="laea", lat_0=70, lon_0=-50, datum="WGS84", units="m")

    def lonlat(points):
        return reproject(points, plane, WGS84)

    members = [
        feature(lonlat(front(place, 200)[:: -1 if reverse else 1]), {"Date": f"{2010 + i}-07-01"})
        for i, place in enumerate(PLACES_M)
    ]
    write_geojson(tmp_path / "fronts.geojson", members)
    write_geojson(tmp_path / "flow.geojson", [feature(lonlat(MIDDLE[::-1] if reverse else MIDDLE), {})])
    write_geojson(tmp_path / "mark.geojson", [point_feature(lonlat(MIDDLE[:1])[0], {})])
    out, flow = tmp_path / "out", str(tmp_path / "flow.geojson")
    options = SeriesOptions(box=str(tmp_path / "mark.geojson"), centreline=flow, width_m=WIDTH_M)
    follow_terminus([str(tmp_path / "fronts.geojson")], out, options)
    found = json.loads((out / "summary.json").read_text())
    for method in ("box_m", "centreline_m"):
        assert found[method]["measured"] == len(PLACES_M)
        assert found[method]["change"] == pytest.approx(PLACES_M[-1] - PLACES_M[0], rel=0.01)
    assert found["box"] == {"width_m": WIDTH_M, "length_m": pytest.approx(12566, rel=0.01), "follows_centreline": True}
    (box, _), (mark, _) = read_features(out / "box.geojson")
    assert box.buffer(1e-4).contains(mark) and shapely.distance(mark, shapely.Point(lonlat(MIDDLE[:1])[0])) < 1e-4


def test_what_does_not_go_together_is_told(tmp_path):
    with pytest.raises(ArgumentError, match="give `centreline` too"):
        SeriesOptions(width_m=1000)
    with pytest.raises(ArgumentError, match="metres above 0"):
        SeriesOptions(centreline="flow.geojson", width_m=-1)
