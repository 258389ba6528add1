"""The STAC collection of a run is valid, its links lead to the files, and it knows where scenes lie."""

import datetime
import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import shapely
from brightness import make_predictor

from glacierjax.core.files import write_png
from glacierjax.geo.georeference import Georeference, crs_from_user
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.rasters import RasterLook, write_raster
from glacierjax.geo.scenes import ReadOptions
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.stac import COLLECTION, ITEMS, asset_of, item_of, write_collection

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))
ACROSS_180 = Georeference(crs_from_user("EPSG:3031", "test"), (20, 0, -600, 0, -20, -1_300_000))
NAMES = ("S1A_20150309T173017", "S1A_20150402T173017")


@pytest.fixture
def run(tmp_path):
    """Two scenes on the map, one of them across 180 degrees, one without date and one without map."""
    image = np.full((60, 70), 30, np.uint8)
    image[:, :40] = 200
    where = tmp_path / "scenes"
    for name, place in zip((*NAMES, "undated"), (UTM, ACROSS_180, UTM), strict=True):
        write_raster(where / f"{name}.tif", image, place, RasterLook("grey"))
    write_png(where / "COL_2011-11-13_TSX_20_1_092.png", image)

    def again(**options):
        batch = Batch(make_predictor(0.9), tmp_path / "out", ReadOptions(), **options)
        batch.run(find_sources([str(where)]))
        return tmp_path / "out"

    return again


def links(document, folder):
    return [folder / link["href"] for link in document["links"]] + [
        folder / asset["href"] for asset in document["assets"].values()
    ]


def test_the_collection_is_valid_and_leads_to_every_file(run, caplog):
    pystac = pytest.importorskip("pystac", reason="pystac-core (extra [test]) is not installed")
    out = run(stac=True)
    collection = json.loads((out / COLLECTION).read_text())
    items = {name: json.loads((out / ITEMS / f"{name}.json").read_text()) for name in NAMES}
    assert {path.stem for path in (out / ITEMS).iterdir()} == set(NAMES)
    pystac.Collection.from_dict(collection).validate()
    for item in items.values():
        without_remote_schema = {**item, "stac_extensions": []}
        pystac.Item.from_dict(without_remote_schema).validate()
    linked = {path.resolve() for path in links(collection, out)}
    linked |= {path.resolve() for item in items.values() for path in links(item, out / ITEMS)}
    assert all(path.is_file() for path in linked)
    for kind in ("zones", "fronts", "uncertainty", "lines"):
        assert {path.stem for path in linked if path.parent.name == kind} == set(NAMES)
    assert not any(Path(link["href"]).is_absolute() or "://" in link["href"] for link in collection["links"])
    assert collection["extent"]["temporal"]["interval"] == [["2015-03-09T00:00:00Z", "2015-04-02T23:59:59Z"]]


def test_items_tell_place_day_and_grid(run):
    out = run(stac=True)
    first, second = (json.loads((out / ITEMS / f"{name}.json").read_text()) for name in NAMES)
    facts = first["properties"]
    assert (facts["datetime"], facts["platform"]) == ("2015-03-09T00:00:00Z", "S1")
    assert (facts["proj:code"], facts["proj:shape"]) == ("EPSG:32622", [60, 70])
    assert facts["proj:transform"] == list(UTM.transform)
    corner = UTM.to_lonlat(np.array([[0, 60.0], [70, 0]]))
    np.testing.assert_allclose(np.reshape(first["bbox"], (2, 2)), corner, atol=1e-3)
    west, _, east, _ = second["bbox"]
    assert west > 179 and east < -179 and second["geometry"]["type"] == "MultiPolygon"


def test_a_catalogue_is_written_on_request_and_then_kept_up_to_date(run):
    out = run()
    assert not (out / COLLECTION).exists() and not (out / ITEMS).exists()
    run(stac=True)
    (out / ITEMS / "gone.json").write_text("{}")
    (out / COLLECTION).write_text("{}")
    run()
    assert json.loads((out / COLLECTION).read_text())["type"] == "Collection"
    assert not (out / ITEMS / "gone.json").exists()


def test_all_fronts_in_a_format_of_earlier_settings_do_not_stand_beside_the_new_ones(run):
    out = run(stac=True, vector=["gpkg", "shp", "parquet"])
    own = out / "fronts.txt"
    own.write_text("of the user")
    run(vector=["parquet"], overwrite=True)
    assert {path.suffix for path in out.glob("fronts.*")} == {".geojson", ".parquet", ".qml", own.suffix}
    assets = json.loads((out / COLLECTION).read_text())["assets"]
    assert {name for name in assets if name.startswith("fronts")} == {"fronts.geojson", "fronts.parquet"}


def test_all_fronts_that_no_earlier_run_wrote_are_left_alone(run):
    out = run()
    (out / "fronts.gpkg").write_text("drawn by hand")
    run(overwrite=True)
    assert (out / "fronts.gpkg").read_text() == "drawn by hand"


def test_links_of_any_name_lead_to_their_files_and_of_no_item_there_is_a_valid_collection(tmp_path):
    pystac = pytest.importorskip("pystac", reason="pystac-core (extra [test]) is not installed")
    name, square = "A b#1 100%", shapely.MultiPolygon([shapely.box(10, 70, 11, 71)])
    days = (datetime.date(2020, 2, 28), datetime.date(2020, 2, 29))
    item = item_of(name, "all", square, days, {"title": "A"}, {"lines": asset_of(f"../lines/{name}.geojson")})
    assert item["assets"]["lines"]["href"] == "../lines/A%20b%231%20100%25.geojson"
    assert item["properties"]["datetime"] is None and item["properties"]["end_datetime"] == "2020-02-29T23:59:59Z"
    pystac.Item.from_dict(item).validate()
    write_collection(tmp_path, "all", "Of two days.", {name: item}, {})
    (link,) = (link for link in json.loads((tmp_path / COLLECTION).read_text())["links"] if link["rel"] == "item")
    assert (tmp_path / unquote(link["href"])).is_file() and link["title"] == "A"
    write_collection(tmp_path, "all", "Of nothing.", {}, {})
    assert not list((tmp_path / ITEMS).iterdir())
    collection = json.loads((tmp_path / COLLECTION).read_text())
    pystac.Collection.from_dict(collection).validate()
    assert collection["extent"]["spatial"]["bbox"] == [[-180, -90, 180, 90]]
