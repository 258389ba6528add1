"""Box and centreline method on fronts whose retreat is known."""

import numpy as np
import pytest
import shapely

from glacierjax.core.errors import InputError
from glacierjax.terminus.box import box_from_fronts, box_of, flow_direction, glacier_area_m2
from glacierjax.terminus.centreline import crossings_m, position_m, towards_ocean

BOX = shapely.box(0, 0, 1000, 400)


def front(x_m, south_m=-50.0, north_m=450.0, wave_m=0.0):
    """A front from south to north, glacier in the west."""
    y = np.linspace(south_m, north_m, 201)
    return np.column_stack([x_m + wave_m * np.sin(2 * np.pi * y / 400), y])


def turned(points, angle_deg=35):
    angle = np.radians(angle_deg)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@pytest.mark.parametrize("wave_m", [0, 80])
def test_area_is_that_on_the_left_of_the_front(wave_m):
    assert glacier_area_m2(BOX, [front(300, wave_m=wave_m)]) == pytest.approx(300 * 400, rel=1e-3)
    assert glacier_area_m2(BOX, [front(300, wave_m=wave_m)[::-1]]) == pytest.approx(700 * 400, rel=1e-3)


def test_a_front_of_two_points_will_do():
    assert glacier_area_m2(BOX, [np.array([[250, -5000.0], [250, 401]])]) == pytest.approx(250 * 400)


def test_a_front_in_two_parts_at_a_rock_counts_if_the_box_is_divided():
    parts = [front(300, 150), front(300, -50, 150)]
    assert glacier_area_m2(BOX, parts) == pytest.approx(300 * 400)
    assert glacier_area_m2(BOX, [front(300, 160), front(300, -50, 150)]) is None, "there is a gap"


@pytest.mark.parametrize(
    "lines", [[], [front(300, 50)], [front(-5)], [front(1200)]], ids=["none", "ends inside", "before", "behind"]
)
def test_what_does_not_divide_the_box_has_no_area(lines):
    assert glacier_area_m2(BOX, lines) is None


def test_an_iceberg_is_not_a_front():
    circle = 30 * np.column_stack([np.cos(a := np.linspace(0, 2 * np.pi, 60)), np.sin(a)]) + (600, 200)
    circle[-1] = circle[0]
    assert glacier_area_m2(BOX, [circle]) is None
    assert glacier_area_m2(BOX, [front(300), circle]) == pytest.approx(300 * 400 + np.pi * 30**2, rel=0.01)


def test_width_of_a_box_is_across_the_flow():
    assert box_of(BOX, [[front(300)]]).width_m == pytest.approx(400)
    across = np.column_stack([np.linspace(1050, -50, 50), np.full(50, 200.0)])  # glacier in the south
    assert box_of(BOX, [[across]]).width_m == pytest.approx(1000)
    slanted = shapely.Polygon([(0, 0), (1000, 0), (1000, 300), (0, 500)])
    assert box_of(slanted, [[front(300)]]).width_m == pytest.approx(400), "the mean"


def test_flow_runs_from_glacier_to_ocean():
    np.testing.assert_allclose(flow_direction([[front(0)], [], [front(9, 0, 400, wave_m=50)]]), [1, 0], atol=1e-9)
    np.testing.assert_allclose(flow_direction([[turned(front(0))]]), turned(np.array([1, 0])), atol=1e-9)
    with pytest.raises(InputError, match="closed lines"):
        flow_direction([[np.array([[0, 0], [1, 0], [0, 1], [0.0, 0]])]])


def test_box_of_its_own_holds_all_fronts_and_measures_their_retreat():
    fronts = [[turned(front(500 - 100 * i, south_m=-50 + 5 * i, wave_m=20))] for i in range(4)]
    box = box_from_fronts(fronts)
    assert 400 < box.width_m < 480
    positions = [glacier_area_m2(box.polygon, lines) / box.width_m for lines in fronts]
    np.testing.assert_allclose(np.diff(positions), -100, rtol=0.02)


def test_fronts_that_share_no_stretch_need_a_box():
    with pytest.raises(InputError, match="`box`"):
        box_from_fronts([[front(0, 0, 100)], [front(0, 200, 300)]])


def test_centreline_tells_where_it_leaves_the_glacier():
    centreline = np.array([[-1000.0, 100], [2000, 100]])
    assert position_m(centreline, [front(300)]) == pytest.approx(1300, abs=0.1)
    assert position_m(centreline, [front(300, 200)]) is None
    tongue = np.array([[300.0, 0], [300, 90], [500, 90], [500, 110], [300, 110], [300, 200]])
    bay = np.concatenate([[[600.0, -50]], [[600, 99], [400, 99], [400, 101], [600, 101], [600, 200]]])
    assert position_m(centreline, [tongue]) == pytest.approx(1500)
    assert position_m(centreline, [bay]) == pytest.approx(1400)
    winding = [front(300), front(400)[::-1], front(500)]  # glacier, water, glacier, water
    assert [leaves for _, leaves in crossings_m(centreline, winding)] == [True, False, True]
    assert position_m(centreline, winding) == pytest.approx(1500)


def test_centreline_may_be_drawn_either_way():
    centreline = np.array([[-1000.0, 100], [500, 130], [2000, 100]])
    fronts = [[front(300)], [front(200)], []]
    for drawn in (centreline, centreline[::-1]):
        np.testing.assert_array_equal(towards_ocean(drawn, fronts), centreline)
