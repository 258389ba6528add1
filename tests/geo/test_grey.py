"""How values of any kind become the grey that networks were trained with."""

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.geo.grey import SAMPLES, fit_rule, grey_from_array, sample_step

DB = np.linspace(-30, 5, 10_000, dtype=np.float32).reshape(100, 100)


def test_8_bit_is_taken_as_it_is():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    grey, valid = grey_from_array(values)
    np.testing.assert_array_equal(grey, values)
    assert valid.all()


def test_decibels_are_stretched_from_the_1st_to_the_99th_percentile():
    grey, valid = grey_from_array(DB)
    low, high = np.percentile(DB, (1, 99))
    expected = np.round(np.clip((DB - low) / (high - low), 0, 1) * 255)
    assert grey.dtype == np.uint8 and valid.all()
    assert np.abs(grey - expected).max() <= 1
    assert (grey.min(), grey.max()) == (0, 255) and 120 < grey.mean() < 135


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("intensity", 10 ** (DB / 10)),
        ("amplitude", 10 ** (DB / 20)),
        ("16-bit amplitude", np.round(5000 * 10 ** (DB / 20)).astype(np.uint16)),
        ("decibels times 100", np.round(100 * DB).astype(np.int16)),
        ("double precision", DB.astype(np.float64)),
    ],
)
def test_the_same_backscatter_gives_the_same_grey_in_any_unit(name, values):
    grey = grey_from_array(values)[0].astype(int)
    assert np.abs(grey - grey_from_array(DB)[0]).max() <= 1, name


def test_what_is_no_data_is_invalid_and_black():
    values = DB.copy()
    values[0, :4] = np.nan, -np.inf, -99, -9999
    grey, valid = grey_from_array(values)
    assert not valid[0, :4].any() and valid.sum() == values.size - 4 and not grey[0, :4].any()
    grey, valid = grey_from_array(np.where(np.isfinite(values) & (values > -80), 10 ** (values / 10), 0))
    assert not valid[0, :4].any() and valid.sum() == values.size - 4, "linear backscatter is never 0"


def test_the_scale_can_be_said():
    positive = DB + 40
    as_linear, as_decibel = (grey_from_array(positive, scale)[0] for scale in ("auto", "db"))
    np.testing.assert_allclose(as_decibel, grey_from_array(DB)[0], atol=1)
    assert np.abs(as_linear.astype(int) - as_decibel).max() > 20


def test_one_value_everywhere_is_no_error():
    assert len(np.unique(grey_from_array(np.full((8, 8), 3.0))[0])) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((4, 4), np.nan), "no pixel holds data"),
        (np.zeros((4, 4), np.uint16), "no pixel holds data"),
        (np.ones((4, 4), np.complex64), "complex values"),
        (np.ones((4, 4, 3)), r"shape \(4, 4, 3\)"),
        (np.array([["a"]]), "expected numbers"),
    ],
)
def test_what_cannot_be_grey_is_named(values, message):
    with pytest.raises(InputError, match=rf"scene.tif: .*{message}"):
        grey_from_array(values, where="scene.tif")


def test_percentiles_of_a_huge_scene_come_from_a_sample():
    step = sample_step((30_000, 40_000))
    assert (30_000 // step) * (40_000 // step) <= SAMPLES
    assert sample_step((1000, 1000)) == 1
    thin, full = (fit_rule([(v, np.ones(v.shape, bool))], "db", "x") for v in (DB[::3, ::3], DB))
    assert thin.low == pytest.approx(full.low, abs=0.5) and thin.high == pytest.approx(full.high, abs=0.5)
