"""Pictures that stand alone: overlays, deviation, contact sheets."""

import numpy as np
import pytest

from glacierjax.core.boxes import BoundingBox
from glacierjax.reports.figures import (
    FOOT_PX,
    MARGIN_PX,
    PAPER,
    PICTURE_PX,
    contact_sheet,
    deviation_picture,
    front_picture,
    length_text,
    overlay,
    round_down,
)
from glacierjax.reports.maps import NO_PIXELS, PREDICTED_COLOUR, TRUE_COLOUR, Colour


def has_colour(picture, colour: Colour):
    """In the scene, without the lines above it and the legend below it."""
    return (picture[70:-FOOT_PX] == colour).all(-1).any()


def draw(shape, true_column, predicted_column, box=None, name="NAME"):
    fronts = [np.zeros(shape, bool) for _ in range(2)]
    for front, column in zip(fronts, (true_column, predicted_column), strict=True):
        if column is not None:
            front[:, column] = True
    return overlay(np.full(shape, 90, np.uint8), *fronts, box, 20, name, "mean distance error 100 m")


@pytest.mark.parametrize("shape", [(1, 1), (300, 200), (3000, 2500), (5, 2000)])
def test_overlays_of_any_size_fit_the_page(shape):
    picture = draw(shape, 0, 0, BoundingBox(-5.5, 1, 3000, 2999))
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    assert max(picture.shape) <= PICTURE_PX + 120


def test_the_legend_of_a_narrow_scene_is_whole():
    foot = draw((200, 40), 10, 20)[-FOOT_PX:]
    assert (foot != PAPER).any() and (foot[:, -3:] == PAPER).all()


def test_the_scene_is_drawn_pixel_by_pixel():
    image = np.random.default_rng(0).integers(0, 256, (PICTURE_PX, PICTURE_PX)).astype(np.uint8)
    empty = np.zeros(image.shape, bool)
    picture = overlay(image, empty, empty, None, 20, "NAME", "no front", NO_PIXELS, NO_PIXELS)
    scene = picture[-FOOT_PX - PICTURE_PX : -FOOT_PX, MARGIN_PX : MARGIN_PX + PICTURE_PX]
    np.testing.assert_array_equal(scene, np.repeat(image[..., None], 3, axis=-1))


def test_a_front_that_was_not_predicted_is_not_drawn():
    picture = draw((200, 200), 50, None)
    assert has_colour(picture, TRUE_COLOUR) and not has_colour(picture, PREDICTED_COLOUR)


def test_a_long_name_widens_the_page_and_dollar_signs_are_no_formula():
    name = "a_scene_of_$two$_dollars_" * 5
    assert draw((40, 40), 5, 6, name=name).shape[1] > draw((40, 40), 5, 6).shape[1]


def test_the_deviation_of_an_ensemble_stands_beside_the_scene_dark_to_bright():
    deviation = np.zeros((100, 150), np.float16)
    deviation[:, 75:] = 0.5
    picture = deviation_picture(np.full((100, 150), 90, np.uint8), deviation, 20, "NAME")
    row = picture[150]  # through the scene and the map
    places = [np.flatnonzero((row == colour).all(-1)) for colour in ((90, 90, 90), (68, 1, 84), (253, 231, 36))]
    grey, dark, bright = places  # the ends of Viridis
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


def test_a_front_without_truth_is_drawn_with_the_area_where_it_may_be():
    front, area = np.zeros((200, 150), bool), np.zeros((200, 150), bool)
    front[:, 70], area[20:180, 30:120] = True, True
    image = np.full((200, 150), 90, np.uint8)
    picture = front_picture(image, front, area, 20, "NAME", "calving front, 4.0 km")
    assert has_colour(picture, PREDICTED_COLOUR) and not has_colour(picture, TRUE_COLOUR)
    alone = front_picture(image, front & False, None, 20, "NAME", "no front")
    assert not has_colour(alone, PREDICTED_COLOUR)
    outlined, plain = ((shown == 255).all(-1).sum() for shown in (picture, alone))
    assert outlined - plain > 2 * (160 + 90)


@pytest.mark.parametrize("longest_m, length_m, text", [(1900, 1000, "1 km"), (99, 50, "50 m"), (2000, 2000, "2 km")])
def test_scale_bars_have_round_lengths(longest_m, length_m, text):
    assert round_down(longest_m) == length_m and length_text(length_m) == text
