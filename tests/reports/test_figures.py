"""Overlays and contact sheets."""

import numpy as np
import pytest

from glacierjax.core.boxes import BoundingBox
from glacierjax.reports.figures import (
    BOTH_COLOUR,
    PICTURE_PX,
    PREDICTED_COLOUR,
    TRUE_COLOUR,
    contact_sheet,
    overlay,
)


def has_colour(picture, colour):
    """Below the two header lines and above the legend."""
    return (picture[60:-50] == colour).all(-1).any()


def draw(shape, true_column, predicted_column, box=None):
    fronts = [np.zeros(shape, bool) for _ in range(2)]
    for front, column in zip(fronts, (true_column, predicted_column), strict=True):
        if column is not None:
            front[:, column] = True
    return overlay(np.full(shape, 90, np.uint8), *fronts, box, 20, "NAME", "mean distance error 100 m")


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


def test_contact_sheet_holds_every_picture():
    pictures = [draw((50, 40 + 20 * i), 5, 9) for i in range(4)]
    assert contact_sheet(pictures, columns=3, tile_px=100).shape == (200, 300, 3)
    assert contact_sheet(pictures[:1], columns=3, tile_px=100).shape == (100, 100, 3)
