"""Multilooking: number of averaged pixels, means, their labels, and interpolation back."""

import jax
import numpy as np
import pytest

from glacierjax.core.spacing import average_looks, enlarge_looks, looks_for, middle_looks

RNG = np.random.default_rng(0)


def enlarged(coarse, looks, height, width, strip_px=1000):
    return np.concatenate(list(enlarge_looks(coarse, looks, height, width, strip_px)))


@pytest.mark.parametrize(
    ("spacing_m", "wanted_m", "looks"),
    [
        (20, 40, 2),
        (17, 40, 2),
        (12, 40, 3),
        (7, 40, 6),
        (6, 40, 7),
        (10.0, 40.0, 4),
        (40, 40, 1),
        (300, 40, 1),
        (20, 0, 1),
    ],
)
def test_so_many_pixels_come_closest_to_the_wanted_spacing_and_coarse_scenes_stay(spacing_m, wanted_m, looks):
    assert looks_for(spacing_m, wanted_m) == looks


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 2)])
def test_each_look_is_the_rounded_mean_of_its_square(shape):
    image = RNG.integers(0, 256, shape).astype(np.uint8)
    looks = average_looks(image, 3)
    assert looks.shape == (2, 3, *shape[2:]) and looks.dtype == np.uint8
    np.testing.assert_array_equal(looks[1, 2], np.rint(image[3:6, 6:9].mean((0, 1))))


def test_a_square_beyond_the_border_is_filled_by_mirroring():
    image = np.arange(5, dtype=np.uint8)[:, None] * np.ones((1, 4), np.uint8) * 10
    np.testing.assert_array_equal(
        average_looks(image, 4)[:, 0], [15, 32]
    )  # the second: (40 + 40 + 30 + 20) / 4, halves to even


def test_one_look_changes_nothing():
    image, labels = RNG.integers(0, 4, (2, 5, 7)).astype(np.uint8)
    probabilities = RNG.random((5, 7, 4), np.float32)
    np.testing.assert_array_equal(average_looks(image, 1), image)
    np.testing.assert_array_equal(middle_looks(labels, 1), labels)
    np.testing.assert_array_equal(enlarged(probabilities, 1, 5, 7), probabilities)


@pytest.mark.parametrize("looks", [2, 3, 7])
def test_a_label_is_that_of_its_squares_middle(looks):
    labels = np.repeat(np.repeat(RNG.integers(0, 4, (5, 4)).astype(np.uint8), looks, 0), looks, 1)
    np.testing.assert_array_equal(middle_looks(labels, looks), labels[::looks, ::looks])
    cut = labels[: -looks + 1, : -looks + 1]  # of the last squares one row and one column are left
    assert middle_looks(cut, looks).shape == average_looks(cut, looks).shape == (5, 4)
    np.testing.assert_array_equal(middle_looks(cut, looks), labels[::looks, ::looks])


@pytest.mark.parametrize("looks", [2, 3, 4])
@pytest.mark.parametrize("strip_px", [1, 7, 1000])
def test_the_way_back_is_bilinear_interpolation_in_strips(looks, strip_px):
    coarse = RNG.random((5, 4, 3), np.float32)
    expected = jax.image.resize(coarse, (5 * looks, 4 * looks, 3), "bilinear")
    strips = list(enlarge_looks(coarse, looks, 5 * looks - 1, 4 * looks - 1, strip_px))
    assert all(len(strip) == strip_px for strip in strips[:-1])
    assert strips[0].dtype == np.float32
    np.testing.assert_allclose(np.concatenate(strips), expected[:-1, :-1], rtol=0, atol=1e-6)


def test_a_plane_comes_back_as_it_was():
    plane = (np.arange(24)[:, None] * 4 + np.arange(36)[None] * 3).astype(np.uint8)
    back = enlarged(average_looks(plane, 3)[..., None].astype(np.float32), 3, 24, 36)[..., 0]
    np.testing.assert_allclose(back[1:-1, 1:-1], plane[1:-1, 1:-1], atol=1e-4)  # beyond the outermost means it is level
