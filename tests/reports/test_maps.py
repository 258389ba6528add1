"""Maps: the pixels, and which parts can be distinguished without colour."""

import numpy as np
import pytest

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.zones import ZONE_COLOURS
from glacierjax.reports.maps import (
    BOX_COLOUR,
    FALSE_COLOUR,
    FRONT_LEGEND,
    MISSED_COLOUR,
    OUTLINE_COLOUR,
    PREDICTED_COLOUR,
    TRUE_COLOUR,
    compared_fronts,
    deviation_map,
    display_zoom,
    grey_map,
    laid_over,
    zone_map,
)

SHAPE = (200, 200)


def column(number, shape=SHAPE):
    front = np.zeros(shape, bool)
    front[:, number] = True
    return front


def width_px(layer, colour):
    """Pixels of a colour in the middle row."""
    return int((layer[len(layer) // 2, :, :3] == colour).all(-1).sum())


def brightness(colour):
    return float(np.dot(colour, (0.299, 0.587, 0.114)))


def test_the_true_front_is_broader_than_the_predicted_one():
    layer = compared_fronts(column(50), column(150), None, 1)
    assert width_px(layer, TRUE_COLOUR) >= 3 * width_px(layer, PREDICTED_COLOUR) > 0


def test_where_both_agree_the_predicted_front_lies_inside_the_true_one():
    layer = compared_fronts(column(50), column(50), None, 1)
    row = layer[100, :, :3]
    true = np.flatnonzero((row == TRUE_COLOUR).all(-1))
    predicted = np.flatnonzero((row == PREDICTED_COLOUR).all(-1))
    assert true.min() < predicted.min() and predicted.max() < true.max()
    assert len({tuple(row[i]) for i in (true.min(), predicted.min() - 1, predicted.min())}) == 3, "a dark line between"


def test_a_line_differs_from_its_band_and_its_outline_in_brightness():
    for strokes in FRONT_LEGEND.values():
        for stroke in strokes:
            if stroke.outlined:
                assert brightness(stroke.colour) - brightness(OUTLINE_COLOUR) > 60
    assert abs(brightness(MISSED_COLOUR) - brightness(FALSE_COLOUR)) > 60


def test_missed_and_false_parts_have_broad_bands():
    rows = np.arange(200)
    part = np.stack([rows, np.full(200, 50)], -1)
    without = compared_fronts(column(50), column(150), None, 1)
    assert width_px(without, MISSED_COLOUR) == width_px(without, FALSE_COLOUR) == 0
    layer = compared_fronts(column(50), column(150), None, 1, part[:150], part + np.array([0, 100]))
    assert width_px(layer, MISSED_COLOUR) > 6 and width_px(layer, FALSE_COLOUR) > 6
    assert width_px(layer, TRUE_COLOUR) and width_px(layer, PREDICTED_COLOUR)
    assert not (layer[-10:, :, :3] == MISSED_COLOUR).all(-1).any()


def test_one_pixel_wide_fronts_survive_shrinking_and_have_no_gaps_when_enlarged():
    for shape, zoom in (((3000, 2500), 0.2), ((60, 60), 4.0)):
        layer = compared_fronts(column(20, shape), column(50, shape), None, zoom)
        for colour in (TRUE_COLOUR, PREDICTED_COLOUR):
            assert (layer[..., :3] == colour).all(-1).any(1).all()


def test_the_box_is_dashed_and_clipped_to_the_scene():
    empty = np.zeros(SHAPE, bool)
    layer = compared_fronts(empty, empty, BoundingBox(-10, 20, 150, 900), 1)
    top = layer[20, :151]
    assert (top[:, 3] == 255).all() and {tuple(pixel[:3]) for pixel in top} == {BOX_COLOUR, OUTLINE_COLOUR}
    assert layer[100, 75, 3] == 0 and not layer[:, 151:].any()


def test_a_layer_covers_the_scene_only_where_it_is_drawn():
    layer = compared_fronts(column(50), column(50), None, 1)
    shown = laid_over(np.full(SHAPE, 90, np.uint8), layer)
    assert (shown[:, 100:] == 90).all() and (shown[100, 50] == PREDICTED_COLOUR).all()


def test_all_maps_of_a_scene_have_one_size():
    zoom = display_zoom((3000, 1300), 512)
    ids = np.zeros((3000, 1300), np.uint8)
    empty = np.zeros(ids.shape, bool)
    maps = [grey_map(ids, zoom), zone_map(ids, zoom), deviation_map(ids.astype(np.float16), zoom)]
    maps.append(compared_fronts(empty, empty, None, zoom))
    assert {one.shape[:2] for one in maps} == {(512, 222)}


def test_zones_have_their_colours_and_differ_in_brightness():
    ids = np.arange(4, dtype=np.uint8)[None]
    assert zone_map(ids, 1)[0].tolist() == [list(colour) for colour in ZONE_COLOURS]
    shades = sorted(map(brightness, ZONE_COLOURS))
    assert min(np.diff(shades)) > 50


@pytest.mark.parametrize("shape, zoom", [((100, 50), 4), ((2000, 1000), 0.45)])
def test_small_scenes_are_enlarged_four_times_at_most(shape, zoom):
    assert display_zoom(shape, 900) == pytest.approx(zoom)
