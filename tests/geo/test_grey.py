"""How values of any kind become the grey that networks were trained with."""

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from glacierjax.core.errors import InputError
from glacierjax.core.grey import CAFFE_GREY, UNLIKE_FROM, GreyRule, ranges_of, rule_of_record
from glacierjax.geo.arrays import grey_from_anything
from glacierjax.geo.grey import grey_from_array
from glacierjax.geo.nodata import FLOAT_FILLS
from glacierjax.geo.stretch import SAMPLED_PIXELS, take_sample
from glacierjax.geo.values import ValueOptions, nodata_from_text


def sar(seed=0, shape=(120, 150), looks=5):
    """Amplitude with speckle: dark sea on the left, bright ice on the right, 12 dB apart."""
    rng = np.random.default_rng(seed)
    power = np.where(np.arange(shape[1]) < shape[1] // 2, 0.01, 0.16) * np.ones(shape)
    return np.sqrt(power * rng.gamma(looks, 1 / looks, shape)).astype(np.float32)


AMPLITUDE = sar()
DB = 20 * np.log10(AMPLITUDE)


def stretched(amplitude, seen=...):
    low, high = np.percentile(amplitude[seen], (1, 99))
    return np.round(np.clip((amplitude - low) / (high - low), 0, 1) * 255)


def options(**values):
    return ValueOptions(**values)


def test_8_bit_is_taken_as_it_is():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    grey = grey_from_array(values)
    np.testing.assert_array_equal(grey.image, values)
    assert grey.valid.all() and grey.reading.scale == "8-bit" and grey.reading.guessed == ()


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        ("amplitude", AMPLITUDE),
        ("amplitude", 300 * AMPLITUDE.astype(np.float64)),
        ("amplitude", np.round(3000 * AMPLITUDE).astype(np.uint16)),
        ("amplitude", np.round(3000 * AMPLITUDE).astype(np.int16)),
        ("power", AMPLITUDE**2),
        ("power", (1e4 * AMPLITUDE**2).astype(np.float64)),
        ("power", np.round(1e8 * AMPLITUDE**2).astype(np.uint32)),
        ("db", DB),
        ("db", DB.astype(np.float64)),
        ("db", np.round(100 * DB).astype(np.int16)),
        ("db", 10 * DB),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.dtype),
)
def test_the_same_backscatter_gives_the_same_grey_in_any_unit(scale, values):
    grey = grey_from_array(values)
    assert grey.reading.scale == scale and grey.valid.all()
    assert np.abs(grey.image - stretched(AMPLITUDE)).max() <= 1
    assert grey.reading.guessed == (f"scale {scale}",)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("looks", [3, 5])
def test_amplitude_and_power_are_told_apart_in_other_scenes_too(seed, looks):
    amplitude = sar(seed + 1, looks=looks)
    for gain in (1e-3, 1, 1e3):
        assert grey_from_array(amplitude * np.float32(gain)).reading.scale == "amplitude"
        assert grey_from_array((amplitude * np.float32(gain)) ** 2).reading.scale == "power"


def test_the_values_that_become_0_and_255_are_told_in_the_units_of_the_scene():
    for values in (AMPLITUDE, AMPLITUDE**2, DB, 100 * DB):
        reading = grey_from_array(values).reading
        np.testing.assert_allclose([reading.grey_0, reading.grey_255], np.percentile(values, (1, 99)), rtol=2e-3)


def test_power_with_a_few_negatives_is_power():
    power = AMPLITUDE**2
    power[::20, ::25] = -0.001  # thermal noise was subtracted
    power[:, :12] = 0  # outside the swath
    grey = grey_from_array(power)
    assert grey.reading.scale == "power" and not grey.valid[:, :12].any() and grey.valid[:, 12:].all()
    assert (grey.image[:, 12:][power[:, 12:] < 0] == 0).all(), "dark, but data"
    assert grey.reading.nodata == (0.0,) and "no data 0 (8 % of the pixels)" in grey.reading.guessed


@pytest.mark.parametrize(
    ("values", "fill"),
    [
        (np.round(100 * DB).astype(np.int16), -32768),
        (np.round(100 * DB).astype(np.int16), -9999),
        (np.round(100 * DB).astype(np.int32), np.iinfo(np.int32).min),
        (np.round(100 * DB).astype(np.int16), 0),
        *((DB, fill) for fill in FLOAT_FILLS),
        (DB, np.finfo(np.float32).min),
        (DB, 0.0),
        (DB, np.nan),
        (DB, -np.inf),
        (AMPLITUDE, -9999.0),
        (AMPLITUDE, 0.0),
        (AMPLITUDE**2, 3.4e38),
        (AMPLITUDE**2, -9999.0),
        (np.round(3000 * AMPLITUDE).astype(np.uint16), 0),
        (np.round(3000 * AMPLITUDE).astype(np.uint16), 65535),
        ((stretched(AMPLITUDE) * 0.9).astype(np.uint8), 255),
    ],
    ids=lambda value: str(value) if np.ndim(value) == 0 else str(value.dtype),
)
def test_undeclared_no_data_is_found(values, fill):
    clean = grey_from_array(values)
    spoilt = values.copy()
    outside = np.add.outer(np.arange(120), np.arange(150)) < 100  # a slanted edge of the swath
    spoilt[outside] = fill
    grey = grey_from_array(spoilt)
    np.testing.assert_array_equal(grey.valid, ~outside)
    assert not grey.image[outside].any() and grey.reading.scale == clean.reading.scale
    if values.dtype != np.uint8:
        expected = stretched(AMPLITUDE, ~outside)[~outside]
        assert np.abs(grey.image[~outside] - expected).max() <= 1, "the percentiles pass over it"
    if np.isfinite(fill):
        assert grey.reading.nodata == (pytest.approx(fill),) and len(grey.reading.guessed) >= 1


def test_single_dark_pixels_and_measured_values_are_data():
    numbers = np.round(40 * np.maximum(AMPLITUDE - 0.09, 0)).astype(np.uint16)  # the sea is 0 in many places
    assert (numbers == 0).mean() > 0.1 and grey_from_array(numbers).valid.all()
    assert grey_from_array(np.where(AMPLITUDE < 0.08, np.float32(0), AMPLITUDE)).valid.all()
    assert grey_from_array(np.round(10 * DB).astype(np.int16)).valid.all(), "-99 is -9.9 dB"


def test_the_value_of_no_data_can_be_said():
    values = np.where(np.arange(150) < 20, np.float32(7), DB)
    grey = grey_from_array(values, options=options(nodata=7.0))
    assert not grey.valid[:, :20].any() and grey.valid[:, 20:].all() and grey.reading.nodata == (7.0,)
    values = np.where(np.arange(150) < 20, np.float32(0), AMPLITUDE)
    everything = grey_from_array(values, options=options(nodata="none"))
    assert everything.valid.all() and everything.reading.nodata == ()
    assert (
        nodata_from_text("-9999") == -9999 and nodata_from_text("None") == "none" and nodata_from_text("nan") == "none"
    )
    with pytest.raises(InputError, match=r"nodata='x': give a number"):
        options(nodata=nodata_from_text("x"))


def test_the_scale_can_be_said():
    positive = DB + 60
    assert np.abs(grey_from_array(positive, options=options(scale="db")).image - stretched(AMPLITUDE)).max() <= 1
    as_power = grey_from_array(AMPLITUDE, options=options(scale="power"))
    assert np.abs(as_power.image - stretched(np.sqrt(AMPLITUDE))).max() <= 1 and as_power.reading.guessed == ()
    reflectance = np.random.default_rng(0).normal(3000, 900, (80, 90)).clip(1).astype(np.int16)
    as_it_is = grey_from_array(reflectance, options=options(scale="stretch"))
    assert np.abs(as_it_is.image - stretched(reflectance)).max() <= 1
    with pytest.raises(InputError, match=r"scale='log': choose one of auto, amplitude, power, db, stretch"):
        options(scale="log")


def test_the_rule_is_that_of_the_data_set():
    grey = grey_from_array(AMPLITUDE, rule=GreyRule(low_percentile=5, high_percentile=90))
    reading = grey.reading
    np.testing.assert_allclose([reading.grey_0, reading.grey_255], np.percentile(AMPLITUDE, (5, 90)), rtol=1e-4)
    assert rule_of_record({}, "x") == CAFFE_GREY
    assert (
        rule_of_record(
            {"grey": {"quantity": "amplitude", "low_percentile": 5.0, "high_percentile": 90.0}}, "x"
        ).low_percentile
        == 5
    )
    ranges = ((1.0, 2.0), (30.0, 40.0), (250.0, 255.0))
    assert rule_of_record({"grey": {"ranges": [list(pair) for pair in ranges]}}, "x").ranges == ranges
    for strange in (
        {"quantity": "db"},
        {"colour": 1},
        {"low_percentile": 99.5},
        {"low_percentile": "1"},
        {"ranges": [[0, 1]]},
        {"ranges": 3},
        [1],
    ):
        with pytest.raises(InputError, match=r"run: its grey rule"):
            rule_of_record({"grey": strange}, "run")


def test_one_value_everywhere_is_no_error():
    assert len(np.unique(grey_from_array(np.full((20, 20), 3.0)).image)) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((4, 4), np.nan), "no pixel holds data"),
        (np.zeros((40, 40), np.uint16), "no pixel holds data"),
        (np.full((40, 40), -9999.0), "no pixel holds data"),
        (np.ones((4, 4), np.complex64), "complex values"),
        (np.ones((4, 4, 3)), r"shape \(4, 4, 3\)"),
        (np.array([["a"]]), "expected numbers"),
    ],
)
def test_what_cannot_be_grey_is_named(values, message):
    with pytest.raises(InputError, match=rf"scene.tif: .*{message}"):
        grey_from_array(values, where="scene.tif")


def test_a_huge_scene_is_sampled():
    shape = (9000, 3000)
    row = np.arange(shape[1], dtype=np.float32)
    blocks = (
        (slice(top, top + 100), np.broadcast_to(row, (100, 3000)), np.ones((100, 3000), bool))
        for top in range(0, 9000, 100)
    )
    sample = take_sample(blocks, shape)
    assert SAMPLED_PIXELS / 4 < sample.values.size <= SAMPLED_PIXELS and len(sample.outermost) == 2 * 9000 + 2 * 3000
    np.testing.assert_array_equal(np.diff(sample.values[0, :5]), 1)  # neighbours stay neighbours
    np.testing.assert_allclose(np.percentile(sample.values, (1, 50, 99)), np.percentile(row, (1, 50, 99)), rtol=0.02)


def test_arrays_of_every_library_are_taken():
    image = stretched(AMPLITUDE).astype(np.uint8)
    for given in (image, jnp.asarray(image), image[None], image[..., None], Image.fromarray(image)):
        np.testing.assert_array_equal(grey_from_anything(given).image, image)
    as_list = grey_from_anything(AMPLITUDE.tolist())
    assert np.abs(as_list.image - stretched(AMPLITUDE)).max() <= 1
    deep = Image.fromarray(np.round(3000 * AMPLITUDE).astype(np.uint16))
    assert np.abs(grey_from_anything(deep).image - stretched(AMPLITUDE)).max() <= 1
    assert np.abs(grey_from_anything(Image.fromarray(DB)).image - stretched(AMPLITUDE)).max() <= 1


def test_what_is_masked_or_transparent_is_no_data():
    hidden = np.zeros(AMPLITUDE.shape, bool)
    hidden[30:50, 100:] = True
    image = stretched(AMPLITUDE).astype(np.uint8)
    for values in (DB, image, np.round(3000 * AMPLITUDE).astype(np.uint16)):
        bright = np.where(hidden, values.max(), values)
        grey = grey_from_anything(np.ma.MaskedArray(bright, hidden))
        np.testing.assert_array_equal(grey.valid, ~hidden)
        assert not grey.image[hidden].any()
    white = np.where(hidden, 255, image).astype(np.uint8)
    picture = Image.merge("LA", [Image.fromarray(white), Image.fromarray(np.where(hidden, 0, 255).astype(np.uint8))])
    grey = grey_from_anything(picture)
    np.testing.assert_array_equal(grey.valid, ~hidden)
    assert not grey.image[hidden].any()


@pytest.mark.parametrize("scene", [None, 3.0, {"a": 1}, [[1, 2], [3]], object(), [["a", "b"]], np.ones((2, 3, 4))])
def test_what_is_no_scene_is_refused(scene):
    with pytest.raises(InputError, match=r"^array: "):
        grey_from_anything(scene)
    with pytest.raises(InputError, match="colour"):
        grey_from_anything(Image.new("RGB", (20, 20), (10, 20, 30)))


def test_grey_of_another_kind_is_far_from_that_of_the_training():
    amplitude = grey_from_array(np.random.default_rng(0).rayleigh(1, (300, 300)).astype(np.float32)).image
    logarithm = (255 * np.log1p(amplitude) / np.log(256)).astype(np.uint8)
    rule = GreyRule(ranges=ranges_of([amplitude, np.minimum(amplitude, 200)]))
    assert rule.ranges[2] == (200, np.percentile(amplitude[amplitude > 0], 99))
    assert rule.distance(amplitude) == 0
    assert rule.distance(logarithm) > UNLIKE_FROM
    assert rule.distance(np.zeros((5, 5), np.uint8)) > UNLIKE_FROM
