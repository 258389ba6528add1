"""What is known of a front without its truth has the values that were drawn."""

import numpy as np
import pytest

from glacierjax.core.zones import Zone
from glacierjax.fronts.extract import front_of_border, ocean_glacier_border
from glacierjax.fronts.indicators import NEAR_M, indicators_of
from glacierjax.fronts.lines import trace_front

SPACING_M = 20.0


def known(zones, entropy=None, deviation=None, allowed=None):
    front = front_of_border(ocean_glacier_border(zones), SPACING_M)
    if allowed is not None:
        front &= allowed
    entropy = np.zeros(zones.shape, np.float32) if entropy is None else entropy
    return indicators_of(front, trace_front(zones, front), zones, SPACING_M, entropy, deviation, None, allowed)


def straight(rows=80, columns=100, border=50):
    """Glacier left of a column, ocean right of it."""
    zones = np.full((rows, columns), Zone.OCEAN_ICE_MELANGE, np.uint8)
    zones[:, :border] = Zone.GLACIER
    return zones


def test_a_straight_front_has_one_piece_its_length_and_no_windings():
    found = known(straight())
    assert (found.pieces, found.gap_share) == (1, 0)
    assert found.length_m == pytest.approx(80 * SPACING_M, rel=0.02)
    assert found.sinuosity == pytest.approx(1, abs=0.02)
    assert found.deviation is None and found.closed_share is None


def test_no_front_has_no_indicators():
    assert known(np.full((40, 40), Zone.GLACIER, np.uint8)) is None


def test_doubt_counts_near_the_front_only():
    entropy = np.zeros((80, 100), np.float32)
    far = np.abs(np.arange(100) - 50) * SPACING_M > NEAR_M + SPACING_M
    entropy[:, far] = 1
    assert known(straight(), entropy).entropy == 0
    assert known(straight(), 1 - entropy).entropy == 1


def test_doubt_beyond_the_area_and_in_na_does_not_count():
    zones = straight()
    zones[:, 52:] = Zone.NA
    entropy = np.where(zones == Zone.NA, 1, 0).astype(np.float32)
    assert known(zones, entropy).entropy == 0
    allowed = np.zeros(zones.shape, bool)
    allowed[20:60] = True
    outside = np.where(allowed, 0, 1).astype(np.float32)
    assert known(straight(), outside, allowed=allowed).entropy == 0


def test_the_deviation_of_members_is_averaged_near_the_front():
    assert known(straight(), deviation=np.full((80, 100), 0.25, np.float16)).deviation == pytest.approx(0.25)


def test_rock_in_the_middle_makes_two_pieces():
    zones = straight(rows=200)
    zones[100:160, :] = Zone.ROCK
    found = known(zones)
    assert found.pieces == 2
    assert found.gap_share == pytest.approx(40 / 140, abs=0.02)


@pytest.mark.parametrize("width_px", [10.0, 40.0])
def test_the_blur_is_the_width_of_the_passage_from_glacier_to_ocean(width_px):
    zones = straight()
    lean = np.clip((50 - np.arange(100) - 0.5) / width_px * 2, -1, 1).astype(np.float16)
    front = front_of_border(ocean_glacier_border(zones), SPACING_M)
    maps = np.zeros(zones.shape, np.float32), None, np.broadcast_to(lean, zones.shape)
    found = indicators_of(front, trace_front(zones, front), zones, SPACING_M, *maps)
    assert found.blur_m == pytest.approx(width_px * SPACING_M, rel=0.05)


@pytest.mark.parametrize("along_row", [True, False])
def test_pixels_that_are_not_square_change_no_indicator(along_row):
    """The same ground in square pixels and in those of a scene in degrees at 70 degrees north."""
    sides_m = (SPACING_M / np.sqrt(3), SPACING_M * np.sqrt(3))
    found = []
    for side_x_m, side_y_m in ((SPACING_M, SPACING_M), sides_m):
        y, x = np.mgrid[0 : round(3000 / side_y_m), 0 : round(3000 / side_x_m)]
        y_m, x_m = (y + 0.5) * side_y_m, (x + 0.5) * side_x_m
        across_m = (y_m if along_row else x_m) - 1500
        zones = np.where(across_m < 0, Zone.GLACIER, Zone.OCEAN_ICE_MELANGE).astype(np.uint8)
        front = ocean_glacier_border(zones)
        lean, entropy = np.clip(-across_m / 150, -1, 1), np.exp(-np.abs(across_m) / 200)
        allowed = (y_m if not along_row else x_m) < 2000
        front &= allowed
        how = (entropy.astype(np.float32), None, lean.astype(np.float32), allowed)
        lines = trace_front(zones, front)
        found.append(indicators_of(front, lines, zones, SPACING_M, *how, sides_m=(side_x_m, side_y_m)))
    square, other = found
    assert (square.blur_m, square.length_m) == (pytest.approx(300, rel=0.05), pytest.approx(2000, rel=0.02))
    for name in ("blur_m", "entropy", "sinuosity", "closed_share", "length_m"):
        assert getattr(other, name) == pytest.approx(getattr(square, name), rel=0.06), name


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_half_a_box_is_closed_whichever_way_the_front_runs(turn):
    zones = straight(rows=100)
    zones[50:] = Zone.ROCK
    zones = np.rot90(zones, turn)
    allowed = np.ones(zones.shape, bool)
    assert known(zones, allowed=allowed).closed_share == pytest.approx(0.5, abs=0.02)


def test_a_front_beside_na_or_the_edge_runs_along_the_rim():
    zones = straight()
    assert known(zones).rim_share == pytest.approx(6 / 80, abs=1e-6)  # three pixels at either end
    zones[:, 52:] = Zone.NA
    assert known(zones).rim_share == 1
    assert known(straight(border=98)).rim_share == 1
    # The same wherever the front lies in the image.
    assert known(straight(columns=300, border=150)).rim_share == pytest.approx(6 / 80, abs=1e-6)


def test_a_front_that_winds_is_longer_than_it_spans():
    zones = np.full((120, 200), Zone.OCEAN_ICE_MELANGE, np.uint8)
    columns = 100 + (40 * np.sin(np.arange(120) / 120 * 4 * np.pi)).astype(int)
    zones[np.arange(200)[None] < columns[:, None]] = Zone.GLACIER
    assert 1.8 < known(zones).sinuosity < 4
