"""Pixels as files of every kind hold them: tags, masks, palettes, colours, transparency, and PNGs with luggage."""

import struct
import zlib

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.geo.scenes import ReadOptions, read_scene

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore:Dataset has no geotransform")
SPACING = ReadOptions(pixel_spacing_m=20)
RNG = np.random.default_rng(0)
GREY = RNG.integers(1, 250, (60, 80)).astype(np.uint8)
AMPLITUDE = np.sqrt(np.where(np.arange(80) < 40, 0.01, 0.16) * RNG.gamma(5, 0.2, (60, 80))).astype(np.float32)
DB = 20 * np.log10(AMPLITUDE)
HIDDEN = np.zeros(GREY.shape, bool)
HIDDEN[10:30, 50:] = True


def write_tiff(path, array, colormap=None, scale=None, offset=None, unit=None, description=None, **profile):
    stack = array if array.ndim == 3 else array[None]
    profile = {"driver": "GTiff", "dtype": stack.dtype, "count": len(stack), "crs": "EPSG:32622", **profile}
    size = {"height": stack.shape[1], "width": stack.shape[2], "transform": Affine(20, 0, 500_000, 0, -20, 7_650_000)}
    with rasterio.open(path, "w", **size, **profile) as dataset:
        dataset.write(stack)
        if colormap:
            dataset.write_colormap(1, colormap)
        if scale is not None:
            dataset.scales, dataset.offsets = [scale], [offset]
        if unit:
            dataset.units = [unit]
        if description:
            dataset.set_band_description(1, description)
    return path


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(array, colour_type, bits, *extra):
    """A PNG of samples (H, W) or (H, W, channels), made chunk by chunk."""
    height, width = array.shape[:2]
    rows = array.reshape(height, -1)
    if bits < 8:
        rows = np.packbits(
            ((rows[..., None] >> np.arange(bits)[::-1]) & 1).astype(np.uint8).reshape(height, -1), axis=1
        )
    lines = b"".join(b"\0" + row.astype(">u2" if bits == 16 else np.uint8).tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def read(tmp_path, data, name="scene.png"):
    (tmp_path / name).write_bytes(data)
    return read_scene(tmp_path / name, SPACING)


def test_scale_and_offset_of_a_band_are_applied(tmp_path):
    numbers = np.round((DB + 50) / 0.001).astype(np.uint16)
    tagged = read_scene(write_tiff(tmp_path / "tagged.tif", numbers, scale=0.001, offset=-50.0))
    plain = read_scene(write_tiff(tmp_path / "plain.tif", DB))
    assert tagged.reading["scale"] == "db" and np.abs(tagged.image.astype(int) - plain.image).max() <= 1
    assert tagged.reading["grey_255"] == pytest.approx(np.percentile(DB, 99), abs=0.1), "in decibels"
    numbers[:20] = 0  # -50 dB: nothing lies below
    assert not read_scene(write_tiff(tmp_path / "outside.tif", numbers, scale=0.001, offset=-50.0)).valid[:20].any()
    bytes_of_db = np.round((DB + 40) / 0.2).astype(np.uint8)
    scene = read_scene(write_tiff(tmp_path / "bytes.tif", bytes_of_db, scale=0.2, offset=-40.0))
    assert scene.reading["scale"] == "db" and np.abs(scene.image.astype(int) - plain.image).mean() < 3
    with pytest.raises(InputError, match=r"odd.tif: scale 0 and offset 0 of its band make no sense"):
        read_scene(write_tiff(tmp_path / "odd.tif", numbers, scale=0.0, offset=0.0))


@pytest.mark.parametrize(
    ("told", "scale"),
    [({"description": "Gamma0_VV"}, "power"), ({"description": "Amplitude_VV"}, "amplitude"), ({"unit": "dB"}, "db")],
)
def test_the_band_says_what_its_values_are(tmp_path, told, scale):
    scene = read_scene(write_tiff(tmp_path / "scene.tif", DB if scale == "db" else AMPLITUDE, **told))
    assert scene.reading["scale"] == scale and scene.reading["guessed"] == ""


def test_the_name_says_what_its_values_are(tmp_path):
    names = {
        "S1A_IW_20180605T233148_DVP_RTC30_G_gpuned_FD6A_VV": "power",
        "x_gauned": "amplitude",
        "vv_amp": "amplitude",
    }
    for name, scale in names.items():
        assert read_scene(write_tiff(tmp_path / f"{name}.tif", AMPLITUDE)).reading["scale"] == scale
    assert read_scene(write_tiff(tmp_path / "x_pwr.tif", DB)).reading["scale"] == "db", "values against a name"


def test_no_data_value_of_the_file_and_of_the_user(tmp_path):
    values = np.where(HIDDEN, np.float32(5), DB)
    declared = read_scene(write_tiff(tmp_path / "declared.tif", values, nodata=5.0))
    np.testing.assert_array_equal(declared.valid, ~HIDDEN)
    assert declared.reading["nodata"] == "5" and "no data" not in declared.reading["guessed"]
    overridden = read_scene(tmp_path / "declared.tif", ReadOptions(nodata="none"))
    assert overridden.valid.all() and overridden.reading["nodata"] == ""
    given = read_scene(write_tiff(tmp_path / "plain.tif", values), ReadOptions(nodata=5.0))
    np.testing.assert_array_equal(given.valid, ~HIDDEN)


def test_undeclared_no_data_is_warned_of_and_recorded(tmp_path):
    values = np.round(100 * DB).astype(np.int16)
    values[:, :30] = -32768
    scene = read_scene(write_tiff(tmp_path / "scene.tif", values))
    assert not scene.valid[:, :30].any() and scene.valid[:, 30:].all() and scene.reading["nodata"] == "-32768"
    (warning,) = scene.warnings
    assert "no data -32768 (38 % of the pixels)" in warning and "`nodata` override" in warning


def test_palettes_are_looked_up(tmp_path):
    inverted = {i: (255 - i,) * 3 + (255,) for i in range(256)}
    scene = read_scene(write_tiff(tmp_path / "grey.tif", 255 - GREY, inverted, photometric="PALETTE"))
    np.testing.assert_array_equal(scene.image, GREY)
    colours = {i: (i, 255 - i, 7, 255) for i in range(256)}
    with pytest.raises(InputError, match=r"colour.tif: a palette of colours"):
        read_scene(write_tiff(tmp_path / "colour.tif", GREY, colours, photometric="PALETTE"))


def test_palette_of_a_png_with_transparency(tmp_path):
    order = RNG.permutation(256).astype(np.uint8)
    table = np.empty(256, np.uint8)
    table[order] = np.arange(256)  # grey of each index
    seen = bytes(0 if grey < 100 else 255 for grey in table)
    palette = chunk(b"PLTE", np.repeat(table, 3).tobytes())
    scene = read(tmp_path, png(order[GREY], 3, 8, palette, chunk(b"tRNS", seen)))
    np.testing.assert_array_equal(scene.valid, GREY >= 100)
    np.testing.assert_array_equal(scene.image, np.where(GREY >= 100, GREY, 0))


def test_white_is_zero_is_turned_round(tmp_path):
    scene = read_scene(write_tiff(tmp_path / "bytes.tif", 255 - GREY, photometric="MINISWHITE"))
    np.testing.assert_array_equal(scene.image, GREY)
    deep = np.round(3000 * AMPLITUDE).astype(np.uint16)
    usual = read_scene(write_tiff(tmp_path / "usual.tif", deep))
    scene = read_scene(write_tiff(tmp_path / "deep.tif", 65535 - deep, photometric="MINISWHITE"))
    np.testing.assert_array_equal(scene.image, usual.image)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_fewer_than_8_bits_fill_the_range(tmp_path, bits):
    levels = GREY % 2**bits
    for name, data in (("x.png", png(levels, 0, bits)), ("x.tif", None)):
        scene = (
            read_scene(write_tiff(tmp_path / name, levels, nbits=bits)) if data is None else read(tmp_path, data, name)
        )
        np.testing.assert_array_equal(scene.image, levels * (255 // (2**bits - 1)))


def test_colours_are_refused_and_grey_in_three_bands_is_grey(tmp_path):
    scene = read_scene(write_tiff(tmp_path / "grey.tif", np.stack([GREY] * 3)))
    np.testing.assert_array_equal(scene.image, GREY)
    colour = np.stack([GREY, GREY[::-1], GREY])
    with pytest.raises(InputError, match=r"colour.tif: a colour image; .*`band`"):
        read_scene(write_tiff(tmp_path / "colour.tif", colour))
    second = read_scene(tmp_path / "colour.tif", ReadOptions(band=2))
    np.testing.assert_array_equal(second.image, GREY[::-1])
    assert second.reading["band"] == 2
    with pytest.raises(InputError, match=r"colour.png: a colour image"):
        read(tmp_path, png(np.moveaxis(colour, 0, -1), 2, 8), "colour.png")


def test_transparent_pixels_are_no_data(tmp_path):
    alpha = np.where(HIDDEN, 0, 255).astype(np.uint8)
    white = np.where(HIDDEN, 255, GREY).astype(np.uint8)
    deep = np.where(HIDDEN, 65535, np.round(3000 * AMPLITUDE)).astype(np.uint16)
    bright = chunk(b"tRNS", struct.pack(">H", 65535))
    pictures = {
        "grey and alpha": (png(np.dstack([white, alpha]), 4, 8), GREY),
        "colours and alpha": (png(np.dstack([white] * 3 + [alpha]), 6, 8), GREY),
        "one grey": (png(white, 0, 8, chunk(b"tRNS", struct.pack(">H", 255))), GREY),
        "deep grey and alpha": (png(np.dstack([deep, alpha * np.uint16(257)]), 4, 16), None),
        "one deep grey": (png(deep, 0, 16, bright), None),
    }
    clean = read(tmp_path, png(np.where(HIDDEN, 0, deep), 0, 16))
    for kind, (data, expected) in pictures.items():
        scene = read(tmp_path, data)
        np.testing.assert_array_equal(scene.valid, ~HIDDEN, kind)
        np.testing.assert_array_equal(
            scene.image, np.where(HIDDEN, 0, clean.image if expected is None else expected), kind
        )
        if expected is not None:
            np.testing.assert_array_equal(read_grey_png(data), scene.image, kind)
    masked = write_tiff(tmp_path / "alpha.tif", np.stack([white, alpha]), photometric="MINISBLACK", alpha="YES")
    np.testing.assert_array_equal(read_scene(masked).valid, ~HIDDEN)


@pytest.mark.parametrize(
    "luggage",
    [
        chunk(b"tEXt", b"note\0" + b"x" * 3_000_000),
        chunk(b"zTXt", b"note\0\0" + zlib.compress(b"x" * 3_000_000)),
        chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(200_000_000), 1)),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(RNG.bytes(2_000_000))),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(200_000_000), 1)),
        chunk(b"iCCP", b"no profile"),
    ],
    ids=["text", "packed text", "text bomb", "profile", "profile bomb", "damaged profile"],
)
def test_texts_and_profiles_of_a_png_do_not_matter(tmp_path, luggage):
    data = png(GREY, 0, 8, luggage)
    np.testing.assert_array_equal(read_grey_png(data, "x"), GREY)
    np.testing.assert_array_equal(read(tmp_path, data).image, GREY)


def test_damaged_pngs_are_named(tmp_path):
    whole = png(RNG.integers(0, 60_000, (200, 300)), 0, 16)
    flipped = bytearray(whole)
    flipped[5000] ^= 255
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    huge = whole[:8] + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    wrong_kind = whole.replace(b"IDAT", b"IDXT")
    for data in (whole[: len(whole) // 2], whole[:30], bytes(flipped), huge, wrong_kind, b"", b"no picture"):
        with pytest.raises(InputError, match=r"scene.png: .*(not a readable image|damaged)"):
            read(tmp_path, data)
        with pytest.raises(InputError, match=r"^x: "):
            read_grey_png(data, "x")


@pytest.mark.parametrize("kind", ["complex_int16", "complex64"])
def test_complex_values_are_refused_with_what_to_do(tmp_path, kind):
    path = write_tiff(tmp_path / "slc.tif", (AMPLITUDE * (1 + 1j)).astype(np.complex64), dtype=kind)
    with pytest.raises(InputError, match=r"slc.tif: complex values.*amplitude or intensity"):
        read_scene(path)


def test_only_images_of_the_kind_that_the_name_says_are_opened(tmp_path):
    """A file that is called .tif and holds GDAL's XML would make it open other files and links."""
    (tmp_path / "scene.tif").write_text('<VRTDataset rasterXSize="5" rasterYSize="5"></VRTDataset>')
    with pytest.raises(InputError, match="not a readable GeoTIFF"):
        read_scene(tmp_path / "scene.tif", SPACING)
    Image.fromarray(GREY).save(tmp_path / "scene.bmp")
    (tmp_path / "scene.bmp").rename(tmp_path / "bmp.png")
    with pytest.raises(InputError, match="not a readable image"):
        read_scene(tmp_path / "bmp.png", SPACING)
