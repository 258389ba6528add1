"""Bands of optical images, against the reference numbers (case 9), and GeoTIFFs that cannot be used."""

import json
import warnings
import zlib

import golden_rules as rules
import numpy as np
import pytest
import rasterio
from helpers import GOLDENS, SHARED
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning

from glacierjax.core import grid
from glacierjax.core.errors import InputError
from glacierjax.datasets.ssl4sar.optical import BANDS, FILE_BANDS, Grid, read_grey_geotiff, read_optical

SHAPE = (12, 9)
UTM = "EPSG:32606"


def geotiff(bands, descriptions=None, dtype="float32", spacing=None, nodata=None) -> bytes:
    """A GeoTIFF of bands (N, H, W); georeferenced where `spacing` is given."""
    place = {"crs": UTM, "transform": Affine(spacing, 0, 5e5, 0, -spacing, 67e5)} if spacing else {}
    with rasterio.MemoryFile() as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        count, height, width = bands.shape
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=dtype, nodata=nodata, **place
        ) as file:
            file.write(bands.astype(dtype))
            if descriptions:
                file.descriptions = descriptions
        return bytes(memory.read())


def twenty_bands(shape=SHAPE):
    """Every band's values tell the band: the largest is its number, times 100."""
    ramp = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    return np.stack([100 * number * ramp for number in range(1, 21)])


def official_bands(name, rows, cols, dtype):
    """The bands of a reference file (case 9), rebuilt by rule."""
    for band in range(1, 21):
        uniform = rules.uniform(f"case9.{name}.band{band}", (rows, cols))
        if dtype == "uint16":
            yield np.floor(uniform * np.float32(500 * band + 700))
        else:
            gaps = rules.uniform(f"case9.{name}.nan{band}", (rows, cols)) < np.float32(0.03)
            yield np.where(gaps, np.nan, uniform * np.float32(0.05 * band + 0.3))


@pytest.mark.parametrize("name", ["Columbia_2020", "Mapple_2019"])
def test_prepared_and_padded_bands_are_the_official_ones(name):
    expected = json.loads((GOLDENS / "case9_optical.json").read_text())[name]
    rows, cols, dtype = expected["rows"], expected["cols"], expected["dtype"]
    made = geotiff(np.stack(list(official_bands(name, rows, cols, dtype))), dtype=dtype)
    sources = [made, path] if (path := SHARED / "goldens" / f"case9_{name}.tif").exists() else [made]
    for source in sources:
        image = read_optical(source, name)
        for tile in (64, 512):
            padding = [grid.whole_padding(size, tile, "official") for size in image.grid.shape]
            padded = grid.pad_mirrored(image.bands, *padding).transpose(2, 0, 1)
            reference = expected[f"pad{tile}"]
            assert list(padded.shape) == reference["shape"]
            assert zlib.crc32(np.ascontiguousarray(padded).tobytes()) == reference["crc32"]


def test_bands_are_found_by_description_wherever_they_lie():
    bands = twenty_bands()
    bands[:, 0, 0] = np.arange(20) * 5 + 1  # tells the bands apart after scaling
    by_position = read_optical(geotiff(bands), "x").bands
    order = np.random.default_rng(0).permutation(20)
    names = [FILE_BANDS[i] if i % 2 else FILE_BANDS[i].lower() for i in order]
    np.testing.assert_array_equal(read_optical(geotiff(bands[order], names), "x").bands, by_position)
    assert by_position.shape == (*SHAPE, len(BANDS))
    assert len(np.unique(by_position[0, 0])) > 1


def test_nan_and_nodata_become_zero():
    bands = twenty_bands() + 1
    bands[:, 2, 3] = np.nan
    assert not read_optical(geotiff(bands), "x").bands[2, 3].any()
    whole_numbers = (twenty_bands() + 7).astype(np.uint16)
    whole_numbers[:, 2, 3] = 7
    marked = read_optical(geotiff(whole_numbers, dtype="uint16", nodata=7), "x").bands
    assert not marked[2, 3].any() and marked.max() == 255


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda b: (b[:12], None), "image.tif: 12 bands without descriptions; expected the 20 of Sentinel-2"),
        (lambda b: (b[:12], FILE_BANDS[:12]), "image.tif: no band is described as WVP, SCL"),
        (
            lambda b: (np.where(np.arange(20)[:, None, None] == 3, 5.0, b), None),
            r"band 4 \(B4\): the band is constant \(5\)",
        ),
        (lambda b: (np.where(np.arange(20)[:, None, None] == 13, np.nan, b), None), r"band 14 \(WVP\): only NaN"),
    ],
    ids=["too few", "not described", "constant", "all NaN"],
)
def test_image_that_cannot_be_used_is_named(spoil, message):
    bands, descriptions = spoil(twenty_bands())
    with pytest.raises(InputError, match=message):
        read_optical(geotiff(bands, descriptions), "image.tif")


def test_file_that_is_no_geotiff_is_named():
    with pytest.raises(InputError, match=r"image.tif: not a readable GeoTIFF"):
        read_optical(b"nothing of the kind", "image.tif")
    with pytest.raises(InputError, match=r"scene.tif: 20 band\(s\) of float32; expected one of uint8"):
        read_grey_geotiff(geotiff(twenty_bands()), "scene.tif")


def test_resampling_brings_an_image_onto_another_grid():
    coarse = geotiff(twenty_bands(), spacing=20)
    fine = Grid(24, 18, UTM, (10, 0, 5e5, 0, -10, 67e5))
    image = read_optical(coarse, "x", onto=fine)
    assert image.bands.shape == (24, 18, len(BANDS)) and image.grid == fine
    original = read_optical(coarse, "x").bands.astype(int)
    scl = BANDS.index("SCL")
    np.testing.assert_array_equal(image.bands[::2, ::2, scl], original[..., scl])
    assert np.abs(image.bands[8:16:2, 6:12:2, 0] - original[4:8, 3:6, 0]).max() <= 6  # a quarter pixel beside


def test_images_without_georeference_cannot_be_resampled():
    with pytest.raises(InputError, match="x: cannot be resampled"):
        read_optical(geotiff(twenty_bands()), "x", onto=Grid(4, 4, UTM, (1, 0, 0, 0, -1, 0)))
