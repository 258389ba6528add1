"""Fronts as lines: order, direction and length, for all shapes of pixel fronts."""

import numpy as np
import pytest
from helpers import unchecked

from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.fronts import clean_zones, extract_front
from glacierjax.fronts.lines import JOIN_PX, length_px, trace_front

SIZE = 200
Y, X = np.mgrid[:SIZE, :SIZE] + 0.5


def zones_of(glacier):
    return np.where(glacier, Zone.GLACIER, Zone.OCEAN_ICE_MELANGE).astype(np.uint8)


def trace(glacier, front=None):
    zones = clean_zones(zones_of(glacier))
    return trace_front(zones, extract_front(zones, 20) if front is None else front)


def test_straight_front_lies_between_glacier_and_ocean_from_border_to_border():
    (line,) = trace(X < 50)
    np.testing.assert_array_equal(line, [[50, 200], [50, 0]])


@pytest.mark.parametrize("angle_deg", range(0, 360, 15))
def test_line_has_the_glacier_on_its_left_and_the_length_of_the_front(angle_deg):
    angle = np.radians(angle_deg)
    (line,) = trace((X - 100) * np.cos(angle) + (Y - 100) * np.sin(angle) < 0.3)
    true_length = SIZE / max(abs(np.cos(angle)), abs(np.sin(angle)))
    assert length_px(line) == pytest.approx(true_length, rel=0.01)
    right, down = line[-1] - line[0]
    to_glacier = np.array([-np.cos(angle), -np.sin(angle)])
    assert np.array([down, -right]) @ to_glacier > 0, "to the left as the picture is looked at"


def test_points_of_a_bay_follow_each_other():
    (line,) = trace(100 + 40 * np.sin(Y / 15) > X)
    along = np.linspace(0, SIZE, 10_000)
    true_length = np.hypot(np.diff(along), np.diff(100 + 40 * np.sin(along / 15))).sum()
    assert length_px(line) == pytest.approx(true_length, rel=0.02), "jumps would make it longer"


def test_front_around_an_island_comes_back_to_its_start():
    (line,) = trace(np.hypot(X - 100, Y - 100) < 60)
    np.testing.assert_array_equal(line[0], line[-1])
    assert length_px(line) == pytest.approx(2 * np.pi * 60, rel=0.02)


def test_a_stray_pixel_does_not_cut_the_line_a_rock_does():
    zones = zones_of(X < 50)
    zones[100, 49] = Zone.ROCK
    assert len(trace_front(zones, extract_front(zones, 20))) == 1
    zones[100 : 100 + int(JOIN_PX) + 2, 49] = Zone.ROCK
    lines = trace_front(zones, extract_front(zones, 20))
    assert [line[:, 1].tolist() for line in lines] == [[100, 0], [200, 106]], "the longest first"


def test_glacier_pixels_that_touch_by_a_corner_give_lines_that_do_not_cross():
    zones = zones_of((X < 50) ^ ((X > 50) & (X < 52) & (Y > 100) & (Y < 101)))
    zones[101, 51:53], zones[100, 50] = Zone.GLACIER, Zone.GLACIER
    lines = trace_front(zones, extract_front(zones, 20))
    assert sum(len(line) for line in lines) > 4
    assert all((line[1:] != line[:-1]).any(axis=1).all() for line in lines)


def test_only_what_the_front_mask_holds_is_traced():
    front = extract_front(zones_of(X < 50), 20)
    front[:80] = False
    (line,) = trace(X < 50, front)
    np.testing.assert_array_equal(line, [[50, 200], [50, 80]])
    assert trace(X < 50, np.zeros_like(front)) == []


def test_sizes_must_agree():
    with unchecked(), pytest.raises(InputError, match="must agree"):
        trace_front(zones_of(X < 50), np.zeros((3, 3), bool))
