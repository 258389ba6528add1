"""STAC items, links and GDAL's virtual files, read from a server on this machine."""

import functools
import http.server
import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from rasters_for_tests import LEFT, SPACING_M, TOP, power, write

from glacierjax.core.errors import InputError
from glacierjax.geo.areas import read_area
from glacierjax.geo.georeference import Georeference, crs_from_user
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.regions import Interest
from glacierjax.geo.scenes import read_scene
from glacierjax.geo.sources import gdal_path, shown_path, stem_of

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
ITEM = "S1A_IW_GRDH_1SDV_20241020T060232_20241020T060257_056182_06E074_rtc"
SIGNATURE = "?st=2024&sig=secret%3D&x=a/b"


class Server(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, in ranges as GDAL asks for them; counts what it sends."""

    sent, asked = 0, []

    def do_GET(self):
        path = self.translate_path(self.path.split("?")[0])
        type(self).asked.append(self.path)
        try:
            data = Path(path).read_bytes()
        except OSError:
            self.send_error(404)
            return
        first, last = 0, len(data) - 1
        if "Range" in self.headers:
            begin, _, end = self.headers["Range"].removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end or last), last)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if self.command == "GET":
            type(self).sent += last - first + 1
            self.wfile.write(data[first : last + 1])

    def do_HEAD(self):
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """(address, folder): what lies in the folder is at the address."""
    folder = tmp_path / "served"
    folder.mkdir()
    Server.sent, Server.asked = 0, []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


def item(identifier, assets, **properties):
    known = {"datetime": "2024-10-20T06:02:44.5Z", "platform": "SENTINEL-1A", "sat:relative_orbit": 110}
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": identifier,
        "properties": known | properties,
        "assets": {key: {"type": "image/tiff; application=geotiff", **value} for key, value in assets.items()},
    }


def collection(path, *items):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(items)}))
    return str(path)


@pytest.mark.parametrize(
    ("link", "opened", "shown", "stem"),
    [
        (
            "https://host/a/iw-vv.rtc.tiff?sig=x/y&se=1",
            "/vsicurl/https://host/a/iw-vv.rtc.tiff?sig=x/y&se=1",
            "https://host/a/iw-vv.rtc.tiff",
            "iw-vv.rtc",
        ),
        ("/vsicurl/https://host/a/VV.tif", "/vsicurl/https://host/a/VV.tif", "https://host/a/VV.tif", "VV"),
        ("s3://bucket/key_VV.tif", "/vsis3/bucket/key_VV.tif", "/vsis3/bucket/key_VV.tif", "key_VV"),
        (
            "/vsizip//data/a.zip/in?side.tif",
            "/vsizip//data/a.zip/in?side.tif",
            "/vsizip//data/a.zip/in?side.tif",
            "in?side",
        ),
        ("file:///data/a%20b.tif", "/data/a b.tif", "/data/a b.tif", "a b"),
    ],
)
def test_links_are_opened_by_gdal_and_shown_without_their_signature(link, opened, shown, stem):
    assert gdal_path(link) == opened
    assert shown_path(gdal_path(link)) == shown and stem_of(gdal_path(link)) == stem


def test_a_link_is_read_as_the_file_itself(served):
    address, folder = served
    path = write(folder / f"{ITEM}_VV.tif", power())
    for link in (f"{address}/{ITEM}_VV.tif{SIGNATURE}", f"/vsicurl/{address}/{ITEM}_VV.tif"):
        (source,) = find_sources([link])
        scene = read_scene(source)
        np.testing.assert_array_equal(scene.image, read_scene(path).image)
        assert source.name == f"{ITEM}_VV" and "secret" not in source.where + "".join(source.paths)


def test_a_dead_link_is_named_without_its_signature(served):
    with pytest.raises(InputError, match=r"nothing_VV.tif: not a readable GeoTIFF") as error:
        read_scene(find_sources([f"{served[0]}/nothing_VV.tif{SIGNATURE}"])[0])
    assert "secret" not in str(error.value)


def test_virtual_files_of_gdal_are_read(tmp_path):
    path = write(tmp_path / "in_VV.tif", power())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, "folder/in_VV.tif")
    (source,) = find_sources([f"/vsizip/{tmp_path}/a.zip/folder/in_VV.tif"])
    np.testing.assert_array_equal(read_scene(source).image, read_scene(path).image)
    text = (
        '<VRTDataset rasterXSize="50" rasterYSize="40"><SRS>EPSG:32622</SRS>'
        "<GeoTransform>500000,20,0,7650000,0,-20</GeoTransform><VRTRasterBand dataType='Float32' band='1'><SimpleSource>"
        "<SourceFilename relativeToVRT='1'>in_VV.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    (tmp_path / "fjord.vrt").write_text(text)
    np.testing.assert_array_equal(
        read_scene(find_sources([str(tmp_path / "fjord.vrt")])[0]).image, read_scene(path).image
    )


def test_of_a_large_scene_behind_a_link_only_the_area_of_interest_is_fetched(served, tmp_path):
    address, folder = served
    values = np.random.default_rng(0).random((4096, 4096), np.float32) + 0.01
    path = write(folder / "large_2020-01-05_VV.tif", values, tiled=True, blockxsize=256, blockysize=256)
    corners = np.array([(2000, 2000), (2100, 2000), (2100, 2100), (2000, 2100), (2000, 2000)], float)
    grid = Georeference(crs_from_user("EPSG:32622", "test"), (SPACING_M, 0, LEFT, 0, -SPACING_M, TOP))
    polygon = {"type": "Polygon", "coordinates": [grid.to_lonlat(corners).tolist()]}
    (tmp_path / "fjord.json").write_text(json.dumps(polygon))
    interest = Interest(read_area(tmp_path / "fjord.json"), context_px=64)
    scene = read_scene(find_sources([f"{address}/large_2020-01-05_VV.tif"])[0], interest=interest)
    np.testing.assert_array_equal(scene.image, read_scene(path, interest=interest).image)
    assert Server.sent < 0.06 * 4 * values.size, "a hundredth of the scene, and whole blocks around it"


def test_items_give_id_date_orbit_and_the_co_polarised_asset(served, tmp_path):
    address, folder = served
    path = write(folder / "iw-vv.rtc.tiff", power(), nodata=-32768)
    assets = {
        "vh": {"href": f"{address}/iw-vh.rtc.tiff"},
        "vv": {"href": f"{address}/iw-vv.rtc.tiff{SIGNATURE}"},
        "thumbnail": {"href": f"{address}/vv.png", "type": "image/png", "roles": ["thumbnail"]},
    }
    (source,) = find_sources([collection(tmp_path / "items.json", item(ITEM, assets))])
    scene = read_scene(source)
    assert scene.name == f"{ITEM}_VV"
    facts = scene.facts
    assert (str(facts.date), facts.sensor, facts.polarisation) == ("2024-10-20", "S1", "VV")
    assert (facts.orbit, facts.relative_orbit) == (56182, 110)
    np.testing.assert_array_equal(scene.image, read_scene(path).image)
    assert all(path.startswith("/iw-vv.rtc.tiff?") for path in Server.asked), "nothing else is downloaded"


def test_items_link_files_beside_them_and_their_mask(tmp_path):
    burst = "OPERA_L2_RTC-S1_T069-147170-IW1_20210205T163901Z_20220101T140222Z_S1A_30_v1.0"
    mask = np.zeros((40, 50), np.uint8)
    mask[:, :5] = 2
    write(tmp_path / "data" / f"{burst}_VV.tif", power())
    write(tmp_path / "data" / f"{burst}_mask.tif", mask, nodata=255)
    assets = {"0_VV": {"href": f"./data/{burst}_VV.tif"}, "mask": {"href": f"data/{burst}_mask.tif"}}
    (source,) = find_sources(
        [collection(tmp_path / "items.json", item(burst, assets, datetime=None, start_datetime="2021-02-05T16:39:01Z"))]
    )
    scene = read_scene(source)
    assert scene.name == f"{burst}_VV" and str(scene.facts.date) == "2021-02-05"
    assert not scene.valid[:, :5].any() and scene.valid[:, 5:].all()


def test_a_wide_footprint_across_180_degrees_is_taken_the_short_way_round(tmp_path):
    ring = [[172, -78.0], [-171, -77.5], [-170, -79.5], [171, -80.0], [172, -78.0]]
    wide = {**item("S1A_20200101", {"hh": {"href": "a.tif"}}), "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (source,) = find_sources([collection(tmp_path / "items.json", wide)])
    covered = source.tiles[0].coverage.polygons
    assert shapely.contains_xy(covered, [179.9, -179.9, 0, 160], -79).tolist() == [True, True, False, False]


def test_asset_and_polarisation_choose(tmp_path):
    for name in ("a_vv", "a_vh", "a_sum"):
        write(tmp_path / f"{name}.tif", power())
    assets = {key: {"href": f"a_{key}.tif"} for key in ("vv", "vh", "sum")}
    path = collection(tmp_path / "items.json", item("fjord_1", assets), item("fjord_1", assets))
    assert [s.name for s in find_sources([path])] == ["fjord_1_VV"]
    assert [s.name for s in find_sources([path], polarisation="VH")] == ["fjord_1_VH"]
    (chosen,) = find_sources([path], asset="sum")
    assert chosen.name == "fjord_1_sum" and chosen.tiles[0].path.endswith("a_sum.tif")


def test_items_may_be_files_of_their_own(tmp_path):
    for number in (1, 2):
        write(tmp_path / f"{number}.tif", power())
        found = item(f"fjord_{number}", {"hh": {"href": f"{number}.tif"}})
        (tmp_path / f"item{number}.json").write_text(json.dumps(found))
    assert [s.name for s in find_sources([str(tmp_path / "item*.json")])] == ["fjord_1_HH", "fjord_2_HH"]


@pytest.mark.parametrize(
    ("assets", "choice", "message"),
    [
        ({"vv": {"href": "a.tif"}}, {"asset": "hh"}, "no asset 'hh'; there are: vv"),
        ({"vh": {"href": "a.tif"}}, {}, "no co-polarised asset, only VH; give `polarisation`=VH"),
        ({"B04": {"href": "a.tif"}, "meta": {"href": "a.xml", "type": "text/xml"}}, {}, r"choose with `asset`=B04"),
        ({}, {}, "no asset tells its polarisation"),
        ({"vv": {}}, {}, "not readable"),
    ],
)
def test_an_item_that_cannot_be_read_is_named_and_stops_no_other(tmp_path, assets, choice, message):
    good = item("good_2020-01-05", {"vv": {"href": "a.tif"}, "hh": {"href": "a.tif"}, "B04": {"href": "b.tif"}})
    bad, _ = find_sources([collection(tmp_path / "items.json", item("bad", assets), good)], **choice)
    with pytest.raises(InputError, match=rf"items.json: item bad: .*{message}"):
        read_scene(bad)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"type": "FeatureCollection", "features": []}',
        '{"type": "Feature"}',
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null}]}',
    ],
)
def test_other_json_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=r"x.json'?: not a STAC item"):
        find_sources([str(tmp_path / "x.json")])
    with pytest.raises(InputError, match=r"y.json'?: no such file"):
        find_sources([str(tmp_path / "y.json")])


def test_slices_of_one_pass_from_a_catalogue_are_joined(tmp_path):
    second = ITEM.replace("20241020T060232_20241020T060257", "20241020T060257_20241020T060322")
    items = []
    for number, name in enumerate((ITEM, second)):
        write(tmp_path / f"{number}.tif", power(), top=TOP - 700 * number)
        items.append(item(name, {"vv": {"href": f"{number}.tif"}}))
    (source,) = find_sources([collection(tmp_path / "items.json", *items)])
    assert source.name == f"{ITEM.removesuffix('_rtc')}_mosaic_rtc_VV" and read_scene(source).image.shape == (75, 50)
