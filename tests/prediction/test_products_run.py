"""Sentinel-1 products from the folder to zones, lines and tables."""

import csv
import json
import os
import zipfile

import numpy as np
import pytest
import rasterio
from brightness import make_predictor
from helpers import run_here
from rasterio.transform import Affine

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.geo.areas import Area, read_area
from glacierjax.geo.georeference import WGS84, Georeference, crs_from_user, reproject
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.scenes import ReadOptions
from glacierjax.prediction import model as model_module
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.model import Model
from glacierjax.prediction.scene import interest_for

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
HYP3 = "S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A"
BURSTS = [f"OPERA_L2_RTC-S1_T069-14717{i}-IW1_20210205T16390{3 * i}Z_20220101T140222Z_S1A_30_v1.0" for i in (0, 1)]
UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))
IMAGE = np.full((120, 150), 30, np.uint8)
IMAGE[:, :60] = 200


def write(path, image, rows=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff",
        "count": 1,
        "dtype": image.dtype,
        "crs": UTM.crs,
        "transform": Affine(*UTM.moved(0, rows).transform),
    }
    with rasterio.open(path, "w", height=image.shape[0], width=image.shape[1], **profile) as dataset:
        dataset.write(image, 1)


def area(tmp_path, west_px, north_px, east_px, south_px):
    corners = np.array(
        [(west_px, north_px), (east_px, north_px), (east_px, south_px), (west_px, south_px), (west_px, north_px)]
    )
    polygon = {"type": "Polygon", "coordinates": [UTM.to_lonlat(corners.astype(float)).tolist()]}
    (tmp_path / "fjord.geojson").write_text(json.dumps(polygon))
    return read_area(tmp_path / "fjord.geojson")


def rows_of(out):
    return list(csv.DictReader((out / "scenes.csv").read_text().splitlines()))


def zones_of(out, name):
    with rasterio.open(out / "zones" / f"{name}.tif") as dataset:
        return dataset.read(1), tuple(dataset.transform)[:6]


def run(tmp_path, folder, **rest):
    Batch(make_predictor(0.9), tmp_path / "out", ReadOptions(), **rest).run(find_sources([str(folder)]))
    return tmp_path / "out"


def test_layover_and_shadow_are_na_in_the_zones_and_the_table_tells_how_a_product_was_read(tmp_path):
    ls_map = np.ones(IMAGE.shape, np.uint8)
    ls_map[20:30, 100:110] = 5
    folder = tmp_path / HYP3
    for layer, values in (("VV", IMAGE), ("VH", IMAGE[:, ::-1]), ("dem", IMAGE), ("ls_map", ls_map)):
        write(folder / f"{HYP3}_{layer}.tif", values)
    out = run(tmp_path, tmp_path)
    (row,) = rows_of(out)
    expected = {
        "scene": f"{HYP3}_VV",
        "date": "2018-01-28",
        "sensor": "S1",
        "polarisation": "VV",
        "orbit": "",
        "band": "1",
        "files": "1",
        "layover_shadow_masks": "1",
    }
    assert {key: row[key] for key in expected} == expected
    zones, _ = zones_of(out, row["scene"])
    np.testing.assert_array_equal(zones == 0, ls_map == 5)


def test_a_burst_that_is_added_or_a_mask_that_changes_makes_the_mosaic_again(tmp_path):
    write(tmp_path / "in" / f"{BURSTS[0]}_VV.tif", IMAGE[:70])
    out = run(tmp_path, tmp_path / "in")
    assert [row["files"] for row in rows_of(out)] == ["1"]
    write(tmp_path / "in" / f"{BURSTS[1]}_VV.tif", IMAGE[60:], rows=60)
    out = run(tmp_path, tmp_path / "in")
    name = f"{BURSTS[0]}_VV"  # a scene keeps its name, so that the burst alone is not in the tables beside the mosaic
    assert [row["files"] for row in rows_of(out)] == ["2"]
    assert zones_of(out, name)[0].shape == IMAGE.shape and (zones_of(out, name)[0] > 0).all()
    mask = np.zeros((70, 150), np.uint8)
    mask[5] = 1
    write(tmp_path / "in" / f"{BURSTS[0]}_mask.tif", mask)
    zones, _ = zones_of(run(tmp_path, tmp_path / "in"), name)
    assert not zones[5].any() and zones[6:].all()


def test_a_zip_that_changes_is_predicted_again(tmp_path):
    for count, image in enumerate((IMAGE, IMAGE[:, ::-1])):
        write(tmp_path / f"{HYP3}_VV.tif", image)
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            archive.write(tmp_path / f"{HYP3}_VV.tif", f"{HYP3}/{HYP3}_VV.tif")
        os.utime(tmp_path / "in.zip", (1_700_000_000 + count, 1_700_000_000 + count))
        for _ in range(2):
            out = run(tmp_path, tmp_path / "in.zip")
            expected = np.where(image == 200, 127, 254)
            np.testing.assert_array_equal(zones_of(out, f"{HYP3}_VV")[0], expected)


def test_an_area_of_interest_gives_the_same_front_on_its_own_grid(tmp_path):
    write(tmp_path / "in" / "fjord_2020-01-05.tif", IMAGE)
    predictor, fjord = make_predictor(0.9), area(tmp_path, 40.5, 20.5, 99.5, 89.5)
    out = run(tmp_path, tmp_path / "in", interest=interest_for(predictor, fjord))
    zones, transform = zones_of(out, "fjord_2020-01-05")
    assert zones.shape == (70, 60) and transform == (20, 0, 500_800, 0, -20, 7_649_600)
    (front,) = json.loads((out / "fronts.geojson").read_text())["features"]
    on_map = reproject(np.array(front["geometry"]["coordinates"]), WGS84, UTM.crs)
    np.testing.assert_allclose(on_map[:, 0], 501_200, atol=0.02)
    np.testing.assert_allclose(sorted(on_map[[0, -1], 1]), [7_648_200, 7_649_600], atol=0.02)
    with pytest.raises(InputError, match=r"holds results of other settings \(aoi\)"):
        run(tmp_path, tmp_path / "in")


def test_a_box_in_pixels_does_not_go_with_an_area_of_interest(tmp_path):
    box = Area("box.txt", box=BoundingBox(0, 0, 10, 10))
    with pytest.raises(InputError, match=r"box.txt: a box in pixels of the whole scene, of which `aoi` reads a part"):
        interest_for(make_predictor(0.9), area(tmp_path, 0, 0, 10, 10), box)


def test_one_product_is_predicted_in_python_too(tmp_path):
    for one, image in (("VV", IMAGE), ("VH", IMAGE[:, ::-1])):
        write(tmp_path / HYP3 / f"{HYP3}_{one}.tif", image)
    model = Model(make_predictor(0.9))
    assert model.predict(tmp_path / HYP3).scene.name == f"{HYP3}_VV"
    found = model.predict(
        tmp_path / HYP3, polarisation="VH", aoi=str(tmp_path / area(tmp_path, 1.5, 1.5, 29.5, 29.5).where)
    )
    assert found.scene.facts.polarisation == "VH" and found.zones.shape == (29, 29)
    assert (found.zones == Zone.OCEAN_ICE_MELANGE).all(), "the sea of the mirrored image"
    write(tmp_path / "fjord.tif", IMAGE)
    with pytest.raises(InputError, match=r"2 scenes \(.*\); give one of them"):
        model.predict(tmp_path)


@pytest.fixture
def predict(monkeypatch):
    """Runs the command in this process with a network that needs no checkpoint; gives exit code and messages."""
    monkeypatch.setattr(model_module, "load", lambda *_, **__: Model(make_predictor(0.9)))

    def run(*arguments):
        done = run_here("glacierjax.predict", "--checkpoint=RUN", *arguments)
        return done.returncode, done.stderr

    return run


def test_the_command_reads_what_can_be_read_and_names_the_rest_with_what_to_do(predict, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    for one in ("VV", "VH"):
        write(folder / HYP3 / f"{HYP3}_{one}.tif", IMAGE)
    write(folder / f"{BURSTS[0]}_VH.tif", IMAGE)
    write(folder / "fjord_2020-01-05.tif", IMAGE)
    write(folder / "fjord_dem.tif", IMAGE)
    (folder / "S1A_IW_SLC__1SDV_20200701T120000_20200701T120025_033260_03DA5B_ABCD.SAFE").mkdir()
    fjord = tmp_path / area(tmp_path, 10.5, 10.5, 99.5, 89.5).where
    for done in (0, 2):
        code, said = predict(f"--input={folder}", f"--output={out}", f"--aoi={fjord}")
        assert code == 2 and "Traceback" not in said and (f"{done} of 2 scenes are done already" in said) == bool(done)
        last = said.splitlines()[-1]
        assert last.startswith("predict: 2 of 4 scenes could not be predicted: ")
        assert "only VH; give --polarisation=VH" in last and "order it as RTC" in last
        assert {row["scene"]: row["polarisation"] for row in rows_of(out)} == {
            f"{HYP3}_VV": "VV",
            "fjord_2020-01-05": "",
        }
    assert zones_of(out, f"{HYP3}_VV")[0].shape == (80, 90)
    code, said = predict(f"--input={folder}", f"--output={tmp_path / 'vh'}", "--polarisation=VH")
    assert code == 2 and [row["polarisation"] for row in rows_of(tmp_path / "vh")] == ["VH", "VH", "VH"]
    assert "taken as VH" in said, "nothing tells the polarisation of the fjord"


def test_the_command_takes_items_by_asset(predict, tmp_path):
    write(tmp_path / "a.tif", IMAGE)
    item = {
        "type": "Feature",
        "id": "fjord",
        "properties": {"datetime": "2024-10-20T06:02:44Z"},
        "assets": {"sum": {"href": "a.tif"}},
    }
    (tmp_path / "items.json").write_text(json.dumps(item))
    code, said = predict(f"--input={tmp_path / 'items.json'}", f"--output={tmp_path / 'out'}", "--asset=sum")
    assert code == 0, said
    assert [(row["scene"], row["date"]) for row in rows_of(tmp_path / "out")] == [("fjord_sum", "2024-10-20")]


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--aoi=nowhere.geojson", "nowhere.geojson: no such file"),
        ("--polarisation=XY", "--polarisation"),
        ("--band=1 --polarisation=VV", "give one of them"),
        ("--input=nothing.tif", "--input=nothing.tif: no such file"),
    ],
)
def test_wrong_flags_are_named(predict, tmp_path, flag, message):
    write(tmp_path / "a_2020-01-05.tif", IMAGE)
    code, said = predict(f"--input={tmp_path}", f"--output={tmp_path / 'out'}", *flag.split())
    assert code == 2 and message in said.splitlines()[-1] and not (tmp_path / "out").exists()
