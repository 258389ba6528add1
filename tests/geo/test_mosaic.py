"""Bursts, slices and tiles of one pass on one grid, and areas of interest cut out of them."""

import json

import numpy as np
import pytest
import rasterio
from rasters_for_tests import LEFT, SPACING_M, TOP, power, write

from glacierjax.core.errors import InputError
from glacierjax.geo.areas import read_area
from glacierjax.geo.georeference import Georeference, crs_from_user, reproject
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.layers import source_of_file
from glacierjax.geo.mosaic import open_raster
from glacierjax.geo.regions import Interest
from glacierjax.geo.scenes import read_scene

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore:Dataset has no geotransform")
BURST = "OPERA_L2_RTC-S1_T069-14717{}-IW{}_20210205T1639{:02}Z_{}_S1A_30_v1.0"
HYP3 = "S1A_IW_20180128T1612{:02}_DVP_RTC30_G_gpuned_{}"
UTM = crs_from_user("EPSG:32622", "test")
WHOLE = power((80, 90))


def burst(number, swath=1, second=1, processed="20220101T140222Z"):
    return BURST.format(number, swath, second, processed)


def cut(rows, columns):
    """That part of `WHOLE`, and where it lies."""
    return WHOLE[rows, columns], {"left": LEFT + columns.start * SPACING_M, "top": TOP - rows.start * SPACING_M}


def write_part(path, rows, columns, **rest):
    values, place = cut(rows, columns)
    return write(path, values, **place, **rest)


def area(tmp_path, west_px, north_px, east_px, south_px, name="fjord.geojson"):
    """A GeoJSON file of a rectangle in pixels of `WHOLE`."""
    corners = np.array(
        [(west_px, north_px), (east_px, north_px), (east_px, south_px), (west_px, south_px), (west_px, north_px)]
    )
    georeference = Georeference(UTM, (SPACING_M, 0, LEFT, 0, -SPACING_M, TOP))
    ring = georeference.to_lonlat(corners.astype(float)).tolist()
    (tmp_path / name).write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    return read_area(tmp_path / name)


@pytest.fixture
def bursts(tmp_path):
    """Three bursts that overlap, with nothing outside, each in the folder of its granule."""
    parts = [(slice(0, 45), slice(0, 90)), (slice(40, 80), slice(0, 50)), (slice(40, 80), slice(45, 90))]
    for number, (rows, columns) in enumerate(parts):
        name = burst(number, second=number * 3)
        write_part(tmp_path / "in" / name / f"{name}_VV.tif", rows, columns, nodata=np.nan)
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        mask[0, 0] = 2
        write(tmp_path / "in" / name / f"{name}_mask.tif", mask, **cut(rows, columns)[1], nodata=255)
    return tmp_path / "in"


def test_bursts_of_one_pass_are_one_scene_on_one_grid(bursts, tmp_path):
    (source,) = find_sources([str(bursts)])
    assert source.name == f"{burst(0, second=0)}_mosaic_VV" and len(source.tiles) == 3
    scene = read_scene(source)
    single = read_scene(write(tmp_path / "whole.tif", WHOLE))
    assert scene.georeference == single.georeference and scene.pixel_spacing_m == pytest.approx(SPACING_M)
    affected = np.zeros(WHOLE.shape, bool)
    affected[[0, 40, 40], [0, 0, 45]] = True
    np.testing.assert_array_equal(scene.valid, ~affected)
    off = np.abs(scene.image.astype(int) - single.image)[~affected]
    assert off.max() <= 1, "the same pixels; three fewer of them make the grey"
    assert scene.reading["files"] == 3 and scene.reading["layover_shadow_masks"] == 3
    assert str(scene.facts.date) == "2021-02-05" and scene.facts.relative_orbit == 69


def test_what_no_tile_covers_is_no_data(tmp_path):
    for number, rows in enumerate((slice(0, 30), slice(50, 80))):
        write_part(tmp_path / f"{burst(number)}_VV.tif", rows, slice(0, 90))
    scene = read_scene(find_sources([str(tmp_path)])[0])
    assert scene.valid[:30].all() and not scene.valid[30:50].any() and scene.valid[50:].all()


def test_other_passes_satellites_and_dates_stay_apart(tmp_path):
    names = [
        burst(0),
        burst(1),
        burst(0).replace("T069", "T070"),
        burst(0).replace("S1A", "S1B"),
        burst(0).replace("20210205", "20210217"),
        burst(0).replace("T1639", "T1739"),
    ]
    for name in names:
        write(tmp_path / f"{name}_VV.tif", power())
    sources = find_sources([str(tmp_path)])
    assert sorted(len(source.tiles) for source in sources) == [1, 1, 1, 1, 2]
    assert len({source.name for source in sources}) == 5


def test_of_a_burst_that_is_there_twice_the_later_processing_is_taken(tmp_path):
    old, new = burst(0), burst(0, processed="20230101T000000Z")
    for name in (old, new):
        write(tmp_path / f"{name}_VV.tif", power())
    assert [source.name for source in find_sources([str(tmp_path)])] == [f"{new}_VV"]


def test_slices_are_joined_and_cut_outs_of_one_product_are_not(tmp_path):
    write_part(tmp_path / "a" / f"{HYP3.format(1, 'FD6A')}_VV.tif", slice(0, 50), slice(0, 90), nodata=0)
    write_part(tmp_path / "a" / f"{HYP3.format(26, '11AA')}_VV.tif", slice(40, 80), slice(0, 90), nodata=0)
    (source,) = find_sources([str(tmp_path / "a")])
    assert source.name == f"{HYP3.format(1, 'FD6A')}_mosaic_VV" and read_scene(source).image.shape == WHOLE.shape
    for product in ("FD6A", "11AA"):
        write(tmp_path / "b" / f"{HYP3.format(1, product)}_VV.tif", power())
    assert len(find_sources([str(tmp_path / "b")])) == 2


def test_the_tiles_of_an_earth_engine_export_are_one_scene_with_bands_by_their_description(tmp_path):
    for row in (0, 40):
        for column in (0, 45):
            values, place = cut(slice(row, row + 40), slice(column, column + 45))
            bands = np.stack([values[::-1], values, np.full_like(values, 39)])
            path = tmp_path / f"fjord_20200701-{row:010}-{column:010}.tif"
            write(path, bands, **place, descriptions=("VH", "VV", "angle"))
    (source,) = find_sources([str(tmp_path)])
    scene = read_scene(source)
    assert scene.name == "fjord_20200701" and scene.facts.polarisation == "VV" and scene.reading["band"] == 2
    np.testing.assert_array_equal(scene.image, read_scene(write(tmp_path / "whole.tif", WHOLE)).image)


def test_a_tile_of_the_next_utm_zone_is_resampled_to_the_grid_of_the_others(tmp_path):
    names = [f"{burst(number)}_VV.tif" for number in range(3)]
    write_part(tmp_path / names[0], slice(0, 40), slice(0, 90), nodata=0)
    write_part(tmp_path / names[1], slice(40, 80), slice(0, 50), nodata=0)
    other = crs_from_user("EPSG:32621", "test")
    corner = reproject(np.array([[LEFT + 40 * SPACING_M, TOP - 35 * SPACING_M]]), UTM, other)[0]
    x, y = corner + np.array([0, 400])
    columns, rows = np.meshgrid(np.arange(70) + 0.5, np.arange(70) + 0.5)
    points = np.column_stack([x + columns.ravel() * SPACING_M, y - rows.ravel() * SPACING_M])
    on_grid = np.floor((reproject(points, other, UTM) - (LEFT, TOP)) / (SPACING_M, -SPACING_M)).astype(int)
    inside = ((on_grid >= (45, 38)) & (on_grid < (90, 80))).all(1)
    column, row = on_grid.T
    tile = np.where(inside, WHOLE[np.clip(row, 0, 79), np.clip(column, 0, 89)], 0).reshape(70, 70)
    write(tmp_path / names[2], tile, left=x, top=y, crs=other, nodata=0)
    scene = read_scene(find_sources([str(tmp_path)])[0])
    assert all((tmp_path / name).is_file() for name in names), "reading changes nothing"
    assert scene.georeference is not None and scene.georeference.crs == UTM
    _, _, west, _, _, north = scene.georeference.transform
    top, left = round((north - TOP) / SPACING_M), round((LEFT - west) / SPACING_M)
    covered = scene.valid[top + 40 : top + 80, left + 50 : left + 90]
    assert covered.mean() > 0.97 and scene.valid[top : top + 40, left : left + 90].all()
    bright = scene.image[top + 45 : top + 75, left + 20 : left + 44].mean()
    dark = scene.image[top + 45 : top + 75, left + 55 : left + 85]
    assert dark[dark > 0].mean() < bright / 1.5


def test_tiles_far_apart_are_not_made_one_huge_scene(tmp_path):
    write(tmp_path / f"{burst(0)}_VV.tif", power())
    write(tmp_path / f"{burst(1)}_VV.tif", power(), left=LEFT + 1e6)
    with pytest.raises(InputError, match=r"its 2 tiles lie far apart; .* `aoi`"):
        read_scene(find_sources([str(tmp_path)])[0])


def test_an_area_of_interest_is_read_with_its_context_and_stands_where_it_lies(tmp_path):
    path = write(tmp_path / "whole.tif", np.stack([WHOLE[::-1], WHOLE]), descriptions=("VH", "VV"), nodata=0)
    interest = Interest(area(tmp_path, 40.5, 30.5, 59.5, 49.5), context_px=8)
    scene = read_scene(path, interest=interest)
    assert scene.inner == (8, 8, 28, 28) and scene.image.shape == (36, 36)
    kept = scene.without_context()
    assert kept.image.shape == (20, 20) and kept.georeference is not None
    assert kept.georeference.transform == (SPACING_M, 0, LEFT + 40 * SPACING_M, 0, -SPACING_M, TOP - 30 * SPACING_M)
    with rasterio.open(path) as dataset:
        part = dataset.read(2)[22:58, 32:68]
    alone = read_scene(write(tmp_path / "part.tif", part))
    np.testing.assert_array_equal(scene.image, alone.image)


def test_context_is_counted_in_pixels_of_the_network(tmp_path):
    path = write(tmp_path / "whole.tif", WHOLE)
    scene = read_scene(path, interest=Interest(area(tmp_path, 40.5, 35.5, 45.5, 44.5), 4, network_spacing_m=60))
    assert scene.inner == (12, 12, 22, 18), "four pixels of 60 m are twelve of 20 m"


def test_at_the_border_of_a_scene_there_is_less_context(tmp_path):
    scene = read_scene(write(tmp_path / "w.tif", WHOLE), interest=Interest(area(tmp_path, -50, -50, 9.5, 19.5), 8))
    assert scene.inner == (0, 0, 20, 10) and scene.image.shape == (28, 18)


def test_a_scene_beside_the_area_is_named(tmp_path):
    with pytest.raises(InputError, match=r"w.tif: lies beside the area of interest .*fjord.geojson; leave it out"):
        read_scene(write(tmp_path / "w.tif", WHOLE), interest=Interest(area(tmp_path, 500, 500, 600, 600), 8))
    with pytest.raises(InputError, match=r"no map grid, which the area of interest needs"):
        path = write(tmp_path / "COL_2011-11-13_TSX_7_1_092.tif", WHOLE, crs=None, transform=None)
        read_scene(path, interest=Interest(area(tmp_path, 5, 5, 20, 20), 8))


def test_only_tiles_around_the_area_are_in_its_mosaic(bursts, tmp_path):
    (source,) = find_sources([str(bursts)])
    scene = read_scene(source, interest=Interest(area(tmp_path, 60.5, 60.5, 79.5, 69.5), 4))
    kept = scene.without_context()
    assert kept.image.shape == (10, 20) and scene.reading["layover_shadow_masks"] == 1
    np.testing.assert_array_equal(scene.valid, True)


def test_scale_offset_and_no_data_survive_cutting(tmp_path):
    values = np.random.default_rng(0).integers(1, 200, (40, 50)).astype(np.uint16)
    path = write(tmp_path / "scaled.tif", values, nodata=0)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.001,), (-50.0,)
    with open_raster(source_of_file(path), Interest(area(tmp_path, 10.5, 10.5, 19.5, 19.5), 2)) as raster:
        assert (raster.dataset.scales, raster.dataset.offsets, raster.dataset.nodata) == ((0.001,), (-50.0,), 0)
        np.testing.assert_array_equal(raster.dataset.read(1), values[8:22, 8:22])


@pytest.mark.parametrize("west", [179.9, -180.1])
def test_an_area_across_180_degrees_is_found_in_degrees_of_every_count(tmp_path, west):
    """The scene reaches from 179.9 E to 179.9 W, whatever it calls them; the area is cut at 180, as RFC 7946 asks."""
    path = write(tmp_path / "w.tif", power((40, 200)), left=west, top=70, crs="EPSG:4326", spacing_m=0.001)
    parts = [
        [[x0, 69.9755], [x1, 69.9755], [x1, 69.9905], [x0, 69.9905], [x0, 69.9755]]
        for x0, x1 in ((179.9905, 180), (-180, -179.9805))
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "MultiPolygon", "coordinates": [[part] for part in parts]}))
    scene = read_scene(path, interest=Interest(read_area(tmp_path / "a.geojson"), 0))
    assert scene.image.shape == (16, 30)
    lonlat = scene.georeference.to_lonlat(np.array([[0.0, 0], [30, 16]]))
    np.testing.assert_allclose(lonlat[:, 0] % 360, [179.99, 180.02], atol=1e-9)


def test_an_area_far_away_on_the_other_side_of_the_earth_is_no_hindrance(tmp_path):
    near = area(tmp_path, 40.5, 30.5, 59.5, 49.5)
    far = [[[130, -80], [131, -80], [131, -79], [130, -80]]]
    document = {
        "type": "MultiPolygon",
        "coordinates": [[np.array(near.polygons.geoms[0].exterior.coords).tolist()], far],
    }
    (tmp_path / "two.geojson").write_text(json.dumps(document))
    scene = read_scene(write(tmp_path / "w.tif", WHOLE), interest=Interest(read_area(tmp_path / "two.geojson"), 0))
    assert scene.image.shape == (20, 20)


@pytest.mark.parametrize(
    "how", [{"photometric": "MINISWHITE"}, {"nbits": 4}, {"nbits": 4, "photometric": "MINISWHITE"}]
)
def test_a_cut_keeps_how_values_are_stored(tmp_path, how):
    values = np.random.default_rng(0).integers(0, 16 if "nbits" in how else 256, (80, 90)).astype(np.uint8)
    file = write(tmp_path / "scene.tif", values, **how)
    interest = Interest(area(tmp_path, 20.5, 10.5, 59.5, 49.5), 0)
    part, whole = read_scene(source_of_file(file), interest=interest), read_scene(file)
    np.testing.assert_array_equal(part.image, whole.image[10:50, 20:60])


def test_inverted_tiles_are_refused(tmp_path):
    for number in range(2):
        name = burst(number, second=number * 3)
        write(tmp_path / "in" / name / f"{name}_VV.tif", np.ones((40, 90), np.uint8), photometric="MINISWHITE")
    (source,) = find_sources([str(tmp_path / "in")])
    with pytest.raises(InputError, match="inverted grey"):
        read_scene(source)
