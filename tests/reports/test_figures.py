"""Overlays and contact sheets."""

import numpy as np
import pytest

from glacierjax.core.boxes import BoundingBox
from glacierjax.reports.figures import (
    BOTH_COLOUR,
    BOX_COLOUR,
    FALSE_COLOUR,
    MISSED_COLOUR,
    PAPER,
    PICTURE_PX,
    PREDICTED_COLOUR,
    TRUE_COLOUR,
    UNCERTAINTY_COLOURS,
    contact_sheet,
    front_picture,
    overlay,
    uncertainty_picture,
)


def has_colour(picture, colour):
    """Below the two header lines and above the legend."""
    return (picture[60:-50] == colour).all(-1).any()


def draw(shape, true_column, predicted_column, box=None, **parts):
    fronts = [np.zeros(shape, bool) for _ in range(2)]
    for front, column in zip(fronts, (true_column, predicted_column), strict=True):
        if column is not None:
            front[:, column] = True
    return overlay(np.full(shape, 90, np.uint8), *fronts, box, 20, "NAME", "mean distance error 100 m", **parts)


@pytest.mark.parametrize("shape", [(1, 1), (40, 60), (300, 200), (3000, 2500), (5, 2000)])
def test_overlays_of_any_size_fit_the_page(shape):
    picture = draw(shape, 0, 0, BoundingBox(-5.5, 1, 3000, 2999))
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert max(picture.shape) <= PICTURE_PX + 120


def test_one_pixel_wide_fronts_survive_shrinking():
    picture = draw((3000, 2500), 701, 1403)
    assert has_colour(picture, TRUE_COLOUR) and has_colour(picture, PREDICTED_COLOUR)
    assert not has_colour(picture, BOTH_COLOUR)


def test_common_fronts_have_a_colour_of_their_own():
    picture = draw((200, 200), 50, 50)
    assert has_colour(picture, BOTH_COLOUR) and not has_colour(picture, PREDICTED_COLOUR)


def test_no_predicted_front_draws_none():
    picture = draw((200, 200), 50, None)
    assert has_colour(picture, TRUE_COLOUR) and not has_colour(picture, PREDICTED_COLOUR)


def test_missed_and_false_parts_have_broad_borders():
    column = np.stack([np.arange(200), np.full(200, 50)], -1)
    assert not has_colour(draw((200, 200), 50, 150), MISSED_COLOUR)
    picture = draw((200, 200), 50, 150, missed_rc=column[:100], false_rc=column + np.array([0, 100]))
    wide = {colour: (picture[60:-50] == colour).all(-1).sum() for colour in (MISSED_COLOUR, FALSE_COLOUR)}
    assert 0 < wide[MISSED_COLOUR] < wide[FALSE_COLOUR]
    assert has_colour(picture, TRUE_COLOUR) and has_colour(picture, PREDICTED_COLOUR)


def test_uncertainty_stands_beside_the_scene_dark_to_bright():
    deviation = np.zeros((100, 150), np.float16)
    deviation[:, 75:] = 0.5
    picture = uncertainty_picture(np.full((100, 150), 90, np.uint8), deviation, 20, "NAME")
    assert picture.dtype == np.uint8
    row = picture[150]  # through the scene and the map
    places = {colour: np.flatnonzero((row == colour).all(-1)) for colour in UNCERTAINTY_COLOURS}
    dark, bright = places[UNCERTAINTY_COLOURS[0]], places[UNCERTAINTY_COLOURS[-1]]
    grey = np.flatnonzero((row == 90).all(-1))
    assert len(grey) > 400 and grey.max() < dark.min() and dark.max() < bright.min()
    assert len(dark) == pytest.approx(len(bright), abs=2)


def test_contact_sheet_holds_every_picture():
    pictures = [np.full((90, 90, 3), 10 * i, np.uint8) for i in range(4)]
    sheet = contact_sheet(pictures, columns=3, tile_px=100)
    assert sheet.shape == (200, 300, 3)
    assert [sheet[50, 50 + 100 * i].tolist() for i in range(3)] == [[10 * i] * 3 for i in range(3)]
    assert sheet[150, 50].tolist() == [30] * 3 and sheet[150, 150].tolist() == list(PAPER)
    assert contact_sheet(pictures[:1], columns=3, tile_px=100).shape == (100, 100, 3)


def test_a_contact_sheet_is_no_larger_than_its_pictures_ask_for():
    wide, square = np.zeros((40, 160, 3), np.uint8), np.zeros((80, 80, 3), np.uint8)
    assert contact_sheet([wide, wide, square, wide], columns=2, tile_px=90).shape == (20 + 10 + 80 + 10, 180, 3)
    assert contact_sheet([square, square], columns=2, tile_px=500).shape == (90, 180, 3)


def test_a_front_without_truth_is_drawn_with_the_area_where_it_was_sought():
    front, area = np.zeros((200, 150), bool), np.zeros((200, 150), bool)
    front[:, 70], area[20:180, 30:120] = True, True
    picture = front_picture(np.full((200, 150), 90, np.uint8), front, area, 20, "NAME", "calving front, 4.0 km")
    assert has_colour(picture, PREDICTED_COLOUR) and not has_colour(picture, TRUE_COLOUR)
    alone = front_picture(np.full((200, 150), 90, np.uint8), front & False, None, 20, "NAME", "no front")
    assert not has_colour(alone, PREDICTED_COLOUR)
    outlined, plain = ((shown == BOX_COLOUR).all(-1).sum() for shown in (picture, alone))
    assert outlined - plain > 2 * (160 + 90)
