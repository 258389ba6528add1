"""Scenes from files: pixel spacing, no data, bands, and what is refused."""

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from helpers import SHARED
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.core.zones import ZONE_COLOURS, ZONE_TITLES
from glacierjax.geo.georeference import Georeference
from glacierjax.geo.pixels import BLOCK_PIXELS
from glacierjax.geo.rasters import write_raster
from glacierjax.geo.scenes import ReadOptions, read_scene
from glacierjax.prediction.scene import LOOKS

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore:Dataset has no geotransform")
UTM = CRS.from_epsg(32622)
TRANSFORM = (20.0, 0.0, 500_000.0, 0.0, -20.0, 7_650_000.0)
DB = np.random.default_rng(0).normal(-12, 4, (40, 50)).astype(np.float32)
SENTINEL = SHARED / "data" / "sentinel1_geotiff" / "S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif"


def write_tiff(path, array, crs=UTM, transform=TRANSFORM, nodata=None):
    stack = array if array.ndim == 3 else array[None]
    profile = {"driver": "GTiff", "dtype": stack.dtype, "count": len(stack), "nodata": nodata, "crs": crs}
    if transform:
        profile["transform"] = Affine(*transform)
    with rasterio.open(path, "w", height=stack.shape[1], width=stack.shape[2], **profile) as dataset:
        dataset.write(stack)
    return path


def test_geotiff_says_where_it_lies_and_how_large_a_pixel_is(tmp_path):
    scene = read_scene(write_tiff(tmp_path / "scene.tif", DB))
    assert scene.name == "scene" and scene.pixel_spacing_m == pytest.approx(20)
    assert scene.georeference == Georeference(UTM, TRANSFORM)
    assert scene.image.dtype == np.uint8 and scene.image.shape == DB.shape and scene.valid.all()


def test_no_data_of_the_file_is_invalid(tmp_path):
    values = DB.copy()
    values[:5] = -40
    scene = read_scene(write_tiff(tmp_path / "scene.tif", values, nodata=-40))
    assert not scene.valid[:5].any() and scene.valid[5:].all() and not scene.image[:5].any()
    grey = np.full((8, 9), 7, np.uint8)
    grey[0] = 3
    scene = read_scene(write_tiff(tmp_path / "grey.tif", grey, nodata=3))
    np.testing.assert_array_equal(scene.image, np.where(grey == 3, 0, 7))
    assert scene.valid.sum() == 63


def test_reading_in_blocks_changes_nothing(tmp_path, monkeypatch):
    path = write_tiff(tmp_path / "scene.tif", DB)
    whole = read_scene(path)
    assert DB.size < BLOCK_PIXELS
    monkeypatch.setattr("glacierjax.geo.pixels.BLOCK_PIXELS", 150)
    np.testing.assert_array_equal(read_scene(path).image, whole.image)


def test_band_can_be_chosen(tmp_path):
    path = write_tiff(tmp_path / "scene.tif", np.stack([DB, DB[::-1]]))
    second = read_scene(path, ReadOptions(band=2))
    np.testing.assert_array_equal(second.image, read_scene(path).image[::-1])
    with pytest.raises(InputError, match=r"band=3: .*scene.tif has 2 band"):
        read_scene(path, ReadOptions(band=3))


def test_degrees_are_worked_out_and_stretched_pixels_are_told(tmp_path):
    transform = (0.0001, 0, -50, 0, -0.0001, 70)
    scene = read_scene(write_tiff(tmp_path / "scene.tif", DB, CRS.from_epsg(4326), transform))
    assert scene.pixel_spacing_m == pytest.approx(6.54, abs=0.05)
    assert "not square" in scene.warnings[0]


@pytest.mark.parametrize(("crs", "transform"), [(None, TRANSFORM), (None, None), (UTM, None)])
def test_tiff_without_georeference_is_asked_for_its_pixel_spacing(tmp_path, crs, transform):
    path = write_tiff(tmp_path / "scene.tif", DB, crs, transform)
    with pytest.raises(InputError, match=r"scene.tif: neither georeference nor name .* `pixel_spacing_m`"):
        read_scene(path)
    scene = read_scene(path, ReadOptions(pixel_spacing_m=12.5))
    assert scene.pixel_spacing_m == 12.5 and scene.georeference is None


def test_control_points_alone_are_no_georeference(tmp_path):
    path = tmp_path / "scene.tif"
    points = [
        rasterio.control.GroundControlPoint(0, 0, -50, 70),
        rasterio.control.GroundControlPoint(9, 9, -49, 69),
        rasterio.control.GroundControlPoint(0, 9, -49, 70),
    ]
    with rasterio.open(path, "w", driver="GTiff", height=40, width=50, count=1, dtype="float32") as dataset:
        dataset.gcps = (points, CRS.from_epsg(4326))
        dataset.write(DB, 1)
    with pytest.raises(InputError, match=r"only 3 ground control points.*gdalwarp"):
        read_scene(path)


def test_png_takes_its_pixel_spacing_from_its_name(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)
    write_png(tmp_path / "COL_2011-11-13_TSX_7_1_092.png", grey)
    scene = read_scene(tmp_path / "COL_2011-11-13_TSX_7_1_092.png")
    assert scene.pixel_spacing_m == 7
    np.testing.assert_array_equal(scene.image, grey)
    write_png(tmp_path / "fjord.png", grey)
    with pytest.raises(InputError, match=r"fjord.png: .*`pixel_spacing_m`"):
        read_scene(tmp_path / "fjord.png")


def test_16_bit_png_is_read_as_amplitude(tmp_path):
    amplitude = np.round(5000 * 10 ** (DB / 20)).astype(np.uint16)
    Image.fromarray(amplitude).save(tmp_path / "deep.png")
    scene = read_scene(tmp_path / "deep.png", ReadOptions(pixel_spacing_m=20))
    as_db = read_scene(write_tiff(tmp_path / "db.tif", DB)).image
    assert np.abs(scene.image.astype(int) - as_db).max() <= 1


def test_damaged_and_foreign_files_are_named(tmp_path):
    path = write_tiff(tmp_path / "cut.tif", DB)
    path.write_bytes(path.read_bytes()[:300])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "scene.jpg").write_text("")
    for name, message in (
        ("cut.tif", "not a readable GeoTIFF"),
        ("text.png", "not a readable image"),
        ("scene.jpg", "not a file type"),
        ("nothing.tif", "no such file"),
    ):
        with pytest.raises(InputError, match=rf"{name}: {message}"):
            read_scene(tmp_path / name, ReadOptions(pixel_spacing_m=20))


@pytest.mark.parametrize("values", [{"pixel_spacing_m": -1.0}, {"band": 0}, {"scale": "log"}])
def test_wrong_options_are_named(values):
    with pytest.raises(InputError, match=rf"^`?{next(iter(values))}`?="):
        ReadOptions(**values)


def test_maps_are_written_where_the_scene_lies(tmp_path):
    zones = np.random.default_rng(0).choice(np.array([0, 64, 127, 254], np.uint8), (300, 280))
    write_raster(tmp_path / "z.tif", zones, Georeference(UTM, TRANSFORM), "zones")
    uncertainty = np.random.default_rng(0).random((30, 28), np.float32)
    write_raster(tmp_path / "u.tif", uncertainty, Georeference(UTM, TRANSFORM), "entropy")
    with rasterio.open(tmp_path / "z.tif") as dataset:
        assert dataset.crs == UTM and tuple(dataset.transform)[:6] == TRANSFORM and dataset.descriptions == ("zones",)
        np.testing.assert_array_equal(dataset.read(1), zones)
    with rasterio.open(tmp_path / "u.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), uncertainty)
    write_raster(tmp_path / "u.png", uncertainty, None, "entropy")
    np.testing.assert_allclose(np.asarray(Image.open(tmp_path / "u.png")) / 255, uncertainty, atol=0.002)


def test_maps_carry_colours_names_scale_and_origin(tmp_path):
    grey = np.random.default_rng(0).choice(np.array([0, 64, 127, 254], np.uint8), (600, 700))
    place = Georeference(UTM, TRANSFORM)
    look = dataclasses.replace(LOOKS["zones"], tags={"scene": "one"})
    written = write_raster(tmp_path / "z.tif", grey, place, look)
    assert [file.name for file in written] == ["z.tif", "z.tif.aux.xml"]
    with rasterio.open(tmp_path / "z.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), grey)
        assert dataset.colormap(1)[254] == (*ZONE_COLOURS[3], 255) and dataset.nodata == 0
        assert dataset.tags()["scene"] == "one" and dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.overviews(1), "cloud-optimised"
        assert set(np.unique(dataset.read(1, out_shape=(300, 350)))) <= {0, 64, 127, 254}, "zones are not averaged"
    names = [name.text or "" for name in ElementTree.parse(tmp_path / "z.tif.aux.xml").iter("Category")]
    assert (names[0], names[127], len(names)) == (ZONE_TITLES[0], ZONE_TITLES[2], 255)


def test_uncertainty_takes_a_byte_a_pixel_with_its_scale(tmp_path):
    uncertainty = np.random.default_rng(0).random((600, 700), np.float32)
    write_raster(tmp_path / "u.tif", uncertainty, Georeference(UTM, TRANSFORM), LOOKS["uncertainty"])
    with rasterio.open(tmp_path / "u.tif") as dataset:
        assert dataset.dtypes == ("uint8",)
        np.testing.assert_allclose(dataset.read(1) * dataset.scales[0], uncertainty, atol=0.5 / 255 + 1e-6)


@pytest.mark.skipif(not SENTINEL.is_file(), reason=f"the Sentinel-1 image is not at {SENTINEL}")
def test_real_sentinel_1_image():
    scene = read_scene(SENTINEL)
    assert scene.pixel_spacing_m == pytest.approx(20) and scene.image.shape == (217, 268) and scene.valid.all()
    assert scene.georeference is not None and scene.georeference.crs.to_epsg() == 32631
    np.testing.assert_allclose(scene.georeference.to_lonlat(np.array([[134, 108]])), [[4.5, 43.6]], atol=0.05)
    assert np.bincount(scene.image.ravel(), minlength=256)[[0, 255]].sum() <= 0.03 * scene.image.size
