"""Scenes with flipped bytes, cut ends and changed tags: one line that names the file, or a scene; never anything else."""

import time
import warnings

import numpy as np
import pytest
from helpers import damaged
from PIL import Image
from rasters_for_tests import LEFT, TOP, power, write
from test_pixels import AMPLITUDE, DB, GREY, png, write_tiff

from glacierjax.core.errors import InputError
from glacierjax.geo import scenes
from glacierjax.geo.scenes import ReadOptions, Scene, read_scene

LONGEST_S = 10
TAG_BYTES = 200  # the header of a TIFF and its first tags


def originals(folder):
    palette = {i: (i, i, i, 255) for i in range(256)}
    deep = np.round(3000 * AMPLITUDE).astype(np.uint16)
    (folder / "deep.png").write_bytes(png(deep, 0, 16))
    (folder / "alpha.png").write_bytes(png(np.dstack([GREY, GREY]), 4, 8))
    Image.fromarray(GREY).save(folder / "grey.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        write_tiff(folder / "db.tif", DB, compress="deflate")
        write_tiff(folder / "deep.tif", deep, compress="lzw", nodata=0)
        write_tiff(folder / "plain.tif", GREY)
        write_tiff(folder / "palette.tif", GREY, palette, photometric="PALETTE")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("copies", [8, pytest.param(50, marks=pytest.mark.slow)])
def test_damage_is_one_line_or_a_scene(tmp_path, copies):
    (tmp_path / "originals").mkdir()
    rng = np.random.default_rng(copies)
    for original in originals(tmp_path / "originals"):
        for number in range(copies):
            file = tmp_path / f"{number}_{original.name}"
            file.write_bytes(damaged(original.read_bytes(), rng, TAG_BYTES))
            started = time.monotonic()
            try:
                assert isinstance(read_scene(file, ReadOptions(pixel_spacing_m=20)), Scene)
            except InputError as error:
                assert str(file) in str(error) or file.name in str(error)
            assert time.monotonic() - started < LONGEST_S, file


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_large_virtual_raster_is_not_taken_for_a_damaged_file(tmp_path, monkeypatch):
    """Its text is small whatever it shows; tests have no file of 67 megapixels."""
    write(tmp_path / "one.tif", power())
    size = 'rasterXSize="50" rasterYSize="40"'
    band = '<SimpleSource><SourceFilename relativeToVRT="1">one.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>'
    crs, place = "<SRS>EPSG:32622</SRS>", f"<GeoTransform>{LEFT}, 20, 0, {TOP}, 0, -20</GeoTransform>"
    (tmp_path / "all.vrt").write_text(
        f'<VRTDataset {size}>{crs}{place}<VRTRasterBand dataType="Float32" band="1">{band}</VRTRasterBand></VRTDataset>'
    )
    monkeypatch.setattr(scenes, "LARGE_PIXELS", 100)
    monkeypatch.setattr(scenes, "MOST_COMPRESSED", 1)
    assert read_scene(tmp_path / "all.vrt").image.shape == (40, 50)
    monkeypatch.setattr(scenes, "MOST_PIXELS", 1000)
    with pytest.raises(InputError, match=r"50 x 40 pixels .* too large: `aoi` reads a part of it"):
        read_scene(tmp_path / "all.vrt")
