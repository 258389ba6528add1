"""Post-processing and front extraction: reference case 8 (small arrays), stated rules, and properties."""

import json

import numpy as np
import pytest
from helpers import GOLDENS, unchecked
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.fronts import CLEAN, OFFICIAL, PROTOCOLS, clean_zones, distance_errors, extract_front
from glacierjax.fronts.extract import MIN_FRONT_LENGTH_M, drop_short, inside_box, ocean_glacier_border

NA, GLACIER, OCEAN = int(Zone.NA), int(Zone.GLACIER), int(Zone.OCEAN_ICE_MELANGE)
SHAPES = [(40, 48), (9, 11), (7, 7)]


@pytest.fixture(scope="module")
def units():
    with np.load(GOLDENS / "case8_units.npz") as file:
        return dict(file)


def unpack(bits, shape):
    return np.unpackbits(bits, count=int(np.prod(shape))).reshape(shape).astype(bool)


@pytest.mark.parametrize("shape", SHAPES)
def test_cleaned_zones_equal_the_reference(units, shape):
    key = f"{shape[0]}x{shape[1]}"
    for zones, expected in zip(units[f"{key}/zones"], units[f"{key}/cleaned"], strict=True):
        np.testing.assert_array_equal(clean_zones(zones), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("start, end", [("cleaned", "front"), ("zones", "raw_front")])
def test_fronts_under_the_official_protocol_equal_the_reference(units, shape, start, end):
    key = f"{shape[0]}x{shape[1]}"
    zones, thresholds = units[f"{key}/{start}"], units[f"{key}/threshold"]
    expected = unpack(units[f"{key}/{end}"], zones.shape)
    for one, min_length_px, front in zip(zones, thresholds, expected, strict=True):
        np.testing.assert_array_equal(drop_short(ocean_glacier_border(one), min_length_px, OFFICIAL), front)


def test_the_clean_protocol_keeps_a_front_that_the_official_one_takes_for_background(units):
    """In two of the 7 x 7 arrays the background has fewer pixels than the shortest front may have."""
    differing = 0
    for zones, min_length_px in zip(units["7x7/cleaned"], units["7x7/threshold"], strict=True):
        border = ocean_glacier_border(zones)
        clean, official = (drop_short(border, min_length_px, protocol) for protocol in PROTOCOLS)
        if (clean != official).any():
            differing += 1
            assert (~border).sum() < min_length_px <= border.sum()
            assert clean.any() and not official.any()
    assert differing == 2


def test_boxes_under_the_official_protocol_equal_the_reference(units):
    front = np.ones((30, 44), bool)
    kept = unpack(units["box/kept"], (len(units["box/corners"]), *front.shape))
    for corners, expected in zip(units["box/corners"], kept, strict=True):
        np.testing.assert_array_equal(inside_box(front, corners.tolist(), OFFICIAL), expected, err_msg=str(corners))


def test_the_protocols_differ_only_for_boxes_that_leave_the_image(units):
    front = np.ones((30, 44), bool)
    for xmin, ymin, xmax, ymax in units["box/corners"]:
        box = (xmin, ymin, xmax, ymax)
        same = (inside_box(front, box, CLEAN) == inside_box(front, box, OFFICIAL)).all()
        leaves = round(xmax) > 44 or round(ymax) > 30 or round(xmax) < 0 or round(ymax) < 0
        assert same != leaves, box


def test_a_box_beyond_the_image_keeps_the_last_row_and_column():
    front = np.ones((30, 44), bool)
    assert inside_box(front, (0, 0, 50, 40), CLEAN).all()
    assert inside_box(front, (0, 0, 50, 40), OFFICIAL).sum() == 29 * 43


def test_a_box_outside_the_image_leaves_nothing():
    assert not inside_box(np.ones((30, 44), bool), (-20, -20, -6, -4), CLEAN).any()
    assert not inside_box(np.ones((30, 44), bool), (60, 40, 70, 50), CLEAN).any()


def test_box_bounds_are_half_open():
    kept = np.argwhere(inside_box(np.ones((30, 44), bool), (3, 5, 40, 25)))
    assert (*kept.min(0), *kept.max(0)) == (5, 3, 24, 39)


def test_distances_equal_the_reference():
    for case in json.loads((GOLDENS / "case8.json").read_text())["front_error"]:
        masks = []
        for pixels in (case["prediction_pixels"], case["target_pixels"]):
            mask = np.zeros((40, 48), bool)
            if pixels:
                mask[tuple(np.transpose(pixels))] = True
            masks.append(mask)
        found = distance_errors(*masks, pixel_spacing_m=1)
        if case["exists"]:
            np.testing.assert_allclose(found, case["distances_pixels"], rtol=0, atol=1e-9)
        else:
            assert found.shape == (0,)


def half_ocean(rows=40, columns=60):
    """Glacier in the left half, ocean in the right half: a straight front in column `columns // 2`."""
    zones = np.full((rows, columns), GLACIER, np.uint8)
    zones[:, columns // 2 :] = OCEAN
    return zones


def test_the_front_lies_on_the_ocean_side():
    front = extract_front(half_ocean(), pixel_spacing_m=20)
    assert set(np.argwhere(front)[:, 1]) == {30} and front.sum() == 40


def test_front_shorter_than_750_m_is_dropped():
    zones = half_ocean(rows=30)
    assert extract_front(zones, MIN_FRONT_LENGTH_M / 30).sum() == 30  # exactly as long as it must be
    assert not extract_front(zones, MIN_FRONT_LENGTH_M / 30.1).any()


def test_front_does_not_touch_na_or_rock():
    for other in (Zone.NA, Zone.ROCK):
        zones = half_ocean()
        zones[:, 29] = other
        assert not extract_front(zones, 20).any()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("zone", list(Zone))
def test_a_scene_of_one_zone_has_no_front(zone, protocol):
    zones = np.full((12, 15), zone, np.uint8)
    np.testing.assert_array_equal(clean_zones(zones), zones)
    assert not extract_front(zones, 20, protocol=protocol).any()


def test_holes_in_the_ocean_are_filled_and_ponds_drained():
    zones = half_ocean()
    expected = zones.copy()
    zones[10:14, 40:44] = Zone.ROCK
    zones[20:24, 5:9] = OCEAN
    np.testing.assert_array_equal(clean_zones(zones), expected)


def test_of_two_equally_large_oceans_the_upper_stays():
    zones = np.full((9, 9), GLACIER, np.uint8)
    zones[0, 2:6] = zones[8, 2:6] = OCEAN
    cleaned = clean_zones(zones)
    assert (cleaned[0, 2:6] == OCEAN).all() and (cleaned[8] == GLACIER).all()


def test_cleaning_leaves_its_input_alone():
    zones = half_ocean()
    zones[10:14, 40:44] = Zone.ROCK
    before = zones.copy()
    clean_zones(zones)
    np.testing.assert_array_equal(zones, before)


zone_maps = hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))


@settings(deadline=None, max_examples=60)
@given(zone_maps)
def test_cleaning_twice_is_cleaning_once(zones):
    once = clean_zones(zones)
    np.testing.assert_array_equal(clean_zones(once), once)


@settings(deadline=None, max_examples=60)
@given(zone_maps, st.data())
def test_adding_na_never_creates_a_border(zones, data):
    """Setting pixels to NA can only remove front pixels (before gaps are filled and short pieces dropped)."""
    lost = data.draw(hnp.arrays(bool, zones.shape))
    fewer = ocean_glacier_border(np.where(lost, np.uint8(NA), zones))
    assert not (fewer & ~ocean_glacier_border(zones)).any()


@settings(deadline=None, max_examples=60)
@given(zone_maps, st.sampled_from(PROTOCOLS))
def test_fronts_lie_on_cleaned_ocean(zones, protocol):
    front = extract_front(zones, MIN_FRONT_LENGTH_M, protocol=protocol)
    assert (clean_zones(zones)[front] == OCEAN).all()


masks = hnp.arrays(bool, (9, 11)).filter(lambda mask: mask.any())


@settings(deadline=None, max_examples=60)
@given(masks, masks)
def test_swapping_prediction_and_truth_changes_no_distance(one, other):
    np.testing.assert_array_equal(np.sort(distance_errors(one, other, 7)), np.sort(distance_errors(other, one, 7)))


@settings(deadline=None, max_examples=60)
@given(masks, masks, st.integers(0, 9), st.integers(0, 9))
def test_shifting_both_fronts_together_changes_no_distance(one, other, rows, columns):
    shifted = [np.pad(mask, ((rows, 9 - rows), (columns, 9 - columns))) for mask in (one, other)]
    np.testing.assert_array_equal(distance_errors(*shifted, 20), distance_errors(one, other, 20))


@settings(deadline=None, max_examples=30)
@given(masks, st.floats(0.5, 100))
def test_equal_fronts_have_no_error(mask, spacing_m):
    errors_m = distance_errors(mask, mask, spacing_m)
    assert len(errors_m) == 2 * mask.sum() and not errors_m.any()


def test_distances_are_in_metres():
    one, other = np.zeros((5, 9), bool), np.zeros((5, 9), bool)
    one[2, 1] = other[2, 5] = True
    np.testing.assert_array_equal(distance_errors(one, other, 20), [80, 80])


@pytest.mark.parametrize("empty", [0, 1])
def test_no_front_gives_no_distances(empty):
    fronts = [np.ones((4, 4), bool), np.ones((4, 4), bool)]
    fronts[empty] = np.zeros((4, 4), bool)
    assert distance_errors(*fronts, 20).shape == (0,)


@pytest.mark.parametrize(
    "call, named",
    [
        (lambda: clean_zones(np.full((3, 3), 254, np.uint8)), "class ids 0..3"),
        (lambda: clean_zones(np.zeros((3, 3, 1), np.uint8)), "(3, 3, 1)"),
        (lambda: clean_zones(np.zeros((3, 3))), "float64"),
        (lambda: clean_zones(np.zeros((0, 3), np.uint8)), "(0, 3)"),
        (lambda: extract_front(half_ocean(), 0), "pixel spacing 0"),
        (lambda: extract_front(half_ocean(), float("nan")), "pixel spacing nan"),
        (lambda: extract_front(half_ocean(), 20, (1, 2, 3)), "four finite numbers"),
        (lambda: extract_front(half_ocean(), 20, (1, 2, float("inf"), 3)), "four finite numbers"),
        (lambda: extract_front(half_ocean(), 20, protocol="paper"), "clean or official"),
        (lambda: distance_errors(np.ones((3, 3)), np.ones((3, 4)), 20), "(3, 3) and (3, 4)"),
        (lambda: distance_errors(np.ones((3, 3)), np.ones((3, 3)), -1), "pixel spacing -1"),
    ],
)
def test_bad_input_is_named(call, named):
    with unchecked(), pytest.raises(InputError) as error:
        call()
    assert named in str(error.value)
