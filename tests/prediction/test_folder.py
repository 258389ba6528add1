"""Folders of scenes: bad files do not stop the others, finished ones are skipped."""

import csv
import dataclasses
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from brightness import make_predictor
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning
from vector_files import write_vectors

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.core.grey import GreyRule, ranges_of
from glacierjax.core.version import version
from glacierjax.geo.areas import Area
from glacierjax.geo.georeference import Georeference, crs_from_user
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.rasters import write_raster
from glacierjax.geo.scenes import ReadOptions
from glacierjax.prediction import folder
from glacierjax.prediction.folder import Batch

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
UTM = Georeference(crs_from_user("EPSG:32622", "test"), (20, 0, 500_000, 0, -20, 7_650_000))
PICTURE, MAP = "COL_2011-11-13_TSX_20_1_092", "S1A_20150309T173017"


@pytest.fixture
def scenes(tmp_path):
    """A picture and a map with a front of 60 pixels, and a damaged file between them."""
    image = np.full((60, 70), 30, np.uint8)
    image[:, :40] = 200
    where = tmp_path / "scenes"
    write_png(where / f"{PICTURE}.png", image)
    write_raster(where / f"{MAP}.tif", image, UTM, "grey")
    (where / "Jorum.png").write_bytes((where / f"{PICTURE}.png").read_bytes()[:50])
    (where / "notes.txt").write_text("no scene")
    return where


def sources(*files):
    return find_sources([str(file) for file in files])


def batch(tmp_path, predictor=None, **rest):
    return Batch(predictor or make_predictor(0.9), tmp_path / "out", rest.pop("options", ReadOptions()), **rest)


def test_a_bad_file_does_not_stop_the_others_and_is_named_at_the_end(tmp_path, scenes):
    with pytest.raises(InputError, match=r"^1 of 3 scenes could not be predicted: .*Jorum.png: not a readable image"):
        batch(tmp_path).run(find_sources([str(scenes)]))
    rows = list(csv.DictReader((tmp_path / "out" / "scenes.csv").read_text().splitlines()))
    assert [(r["scene"], r["date"], r["sensor"], r["georeferenced"]) for r in rows] == [
        (PICTURE, "2011-11-13", "TSX", "False"),
        (MAP, "2015-03-09", "S1", "True"),
    ]
    assert float(rows[0]["length_m"]) == 1200
    fronts = json.loads((tmp_path / "out" / "fronts.geojson").read_text())
    assert [f["properties"]["scene"] for f in fronts["features"]] == [MAP]


def test_what_is_done_is_not_done_again_unless_asked_or_changed(tmp_path, scenes):
    files = [scenes / f"{PICTURE}.png", scenes / f"{MAP}.tif"]
    zones = tmp_path / "out" / "zones" / f"{PICTURE}.png"
    batch(tmp_path).run(sources(*files[:1]))
    zones.write_bytes(b"mark")
    batch(tmp_path).run(sources(*files))
    assert zones.read_bytes() == b"mark" and (tmp_path / "out" / "zones" / f"{MAP}.tif").exists()
    for time in (2_000_000_000, 1_000_000_000):  # newer, then older: a file that was replaced by one of another archive
        os.utime(files[0], (time, time))
        batch(tmp_path).run(sources(*files))
        assert zones.read_bytes() != b"mark", "the scene is another"
        zones.write_bytes(b"mark")
    batch(tmp_path, overwrite=True).run(sources(*files))
    assert zones.read_bytes() != b"mark"


def test_stopped_while_all_is_made_again_with_other_settings_the_rest_is_not_done(tmp_path, scenes, caplog):
    files = [scenes / f"{PICTURE}.png", scenes / f"{MAP}.tif"]
    batch(tmp_path).run(sources(*files))
    other = {"options": ReadOptions(nodata=3), "stac": True}
    batch(tmp_path, overwrite=True, **other).run(sources(files[0]))
    rows = list(csv.DictReader((tmp_path / "out" / "scenes.csv").read_text().splitlines()))
    assert [row["scene"] for row in rows] == [PICTURE]
    assert f"{MAP}: made with other settings, so not in the tables of" in caplog.text
    assert not list((tmp_path / "out" / "stac").glob("*.json"))
    assert json.loads((tmp_path / "out" / "fronts.geojson").read_text())["features"] == []
    zones = tmp_path / "out" / "zones"
    for name in (f"{PICTURE}.png", f"{MAP}.tif"):
        (zones / name).write_bytes(b"mark")
    batch(tmp_path, **other).run(sources(*files))
    assert (zones / f"{PICTURE}.png").read_bytes() == b"mark" != (zones / f"{MAP}.tif").read_bytes()
    rows = list(csv.DictReader((tmp_path / "out" / "scenes.csv").read_text().splitlines()))
    assert [row["scene"] for row in rows] == [PICTURE, MAP]
    assert [path.stem for path in (tmp_path / "out" / "stac").iterdir()] == [MAP]


@pytest.mark.parametrize("epsg", [None, 4326, 3413], ids=["on one line", "WGS84", "another system"])
def test_lines_that_another_program_saved_again_stay_among_all_fronts(tmp_path, scenes, epsg):
    out, file = tmp_path / "out", sources(scenes / f"{MAP}.tif")
    batch(tmp_path, vector=["parquet"]).run(file)
    lines, before = out / "lines" / f"{MAP}.geojson", (out / "fronts.geojson").read_text()
    assert before == lines.read_text()
    document = json.loads(before)
    if epsg is None:
        lines.write_text(json.dumps(document))
    else:
        (feature,) = document["features"]
        del feature["properties"]["Author"]
        feature["properties"]["date"] = "2015/03/09"
        write_vectors(lines, [shapely.geometry.shape(feature["geometry"])], [feature["properties"]], epsg)
    batch(tmp_path, vector=["parquet"]).run(file)
    (again,) = json.loads((out / "fronts.geojson").read_text())["features"]
    (first,) = json.loads(before)["features"]
    np.testing.assert_allclose(again["geometry"]["coordinates"], first["geometry"]["coordinates"], atol=1e-6)
    if epsg is None:
        assert (out / "fronts.geojson").read_text() == before
    else:
        assert again["properties"] == first["properties"] | {"Author": None}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"features": [1]}',
        '{"features": [{"geometry": null, "properties": {}}]}',
        '{"features": [{"geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": {}}]}',
        '{"features": [{"geometry": {"type": "LineString", "coordinates": [[0, 0], [0, NaN]]}, "properties": {}}]}',
        '{"type": "FeatureCollection", "crs": {}, "features": [{"type": "Feature"}]}',
    ],
)
def test_a_damaged_file_of_lines_is_one_clear_problem(tmp_path, scenes, text):
    batch(tmp_path).run(sources(scenes / f"{MAP}.tif"))
    (tmp_path / "out" / "lines" / f"{MAP}.geojson").write_text(text)
    with pytest.raises(InputError, match=rf"lines/{MAP}.geojson: (damaged|not a readable)") as raised:
        batch(tmp_path).run(sources(scenes / f"{MAP}.tif"))
    assert "\n" not in str(raised.value)


def test_other_weights_in_the_same_folder_are_other_settings(tmp_path, scenes):
    file = sources(scenes / f"{PICTURE}.png")
    for fingerprint in ("one", "two"):
        predictor = dataclasses.replace(make_predictor(0.9), fingerprints=[fingerprint])
        if fingerprint == "two":
            with pytest.raises(InputError, match=r"holds results of other settings \(networks\)"):
                batch(tmp_path, predictor).run(file)
        else:
            batch(tmp_path, predictor).run(file)


def test_any_output_that_is_missing_is_made_again(tmp_path, scenes):
    file, out = scenes / f"{MAP}.tif", tmp_path / "out"
    batch(tmp_path, vector=["shp"]).run(sources(file))
    written = [path for path in out.rglob("*") if path.is_file() and path.parent != out]
    assert len(written) >= 10
    for path in written:
        path.unlink()
        batch(tmp_path, vector=["shp"]).run(sources(file))
        assert path.is_file(), path
    (out / "records" / f"{MAP}.json").write_text("{")
    batch(tmp_path, vector=["shp"]).run(sources(file))
    record = json.loads((out / "records" / f"{MAP}.json").read_text())
    assert record["row"]["scene"] == MAP and record["version"] == version()
    (out / "lines" / f"{MAP}.geojson").unlink()
    batch(tmp_path, vector=["shp"]).run(sources(scenes / f"{PICTURE}.png"))
    assert json.loads((out / "fronts.geojson").read_text())["features"] == []


def test_two_files_of_one_name_in_one_folder_are_refused_and_the_others_done(tmp_path, scenes):
    write_png(scenes / f"{MAP}.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match=rf"2 of 4 .*{MAP}.tif: would be written under the name of .*{MAP}.png"):
        batch(tmp_path, options=ReadOptions(pixel_spacing_m=20)).run(find_sources([str(scenes)]))
    assert (tmp_path / "out" / "zones" / f"{PICTURE}.png").exists()


def test_whatever_happens_in_one_scene_the_others_are_done(tmp_path, scenes, monkeypatch):
    (scenes / "Jorum.png").unlink()
    (scenes / "._hidden.tif").write_bytes(b"\0\5\x16\7")
    (scenes / ".DS_Store").write_bytes(b"\0")
    read = folder.read_scene

    def fail_for_maps(source, *rest):
        if source.where.endswith(".tif"):
            raise TypeError("a library's own words\nand more")
        return read(source, *rest)

    monkeypatch.setattr(folder, "read_scene", fail_for_maps)
    with pytest.raises(
        InputError, match=rf"^1 of 2 .*{MAP}.tif: cannot be predicted \(TypeError: a library's own words\)$"
    ):
        batch(tmp_path).run(find_sources([str(scenes)]))
    assert (tmp_path / "out" / "zones" / f"{PICTURE}.png").exists()
    monkeypatch.undo()
    batch(tmp_path).run(find_sources([str(scenes)]))
    assert (tmp_path / "out" / "zones" / f"{MAP}.tif").exists(), "the next start does what is left"


def tiff(path, array, **profile):
    """A GeoTIFF of any kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        height, width = array.shape
        with rasterio.open(
            path, "w", driver="GTiff", count=1, height=height, width=width, dtype=array.dtype, **profile
        ) as file:
            file.write(array, 1)


def test_a_folder_of_all_kinds_gives_the_good_scenes_and_names_the_others(tmp_path, caplog):
    where, out = tmp_path / "mixed", tmp_path / "out"
    image = np.full((60, 70), 30, np.uint8)
    image[:, :40] = 200
    good = [f"JAC_{year}-07-01_S1_20_1_001" for year in range(2010, 2020)]
    for number, name in enumerate(good):
        if number % 2:
            write_png(where / f"{name}.png", image)
        else:
            write_raster(where / f"{name}.tif", image, UTM, "grey")
    on_map = {"crs": UTM.crs, "transform": Affine(*UTM.transform)}
    (where / "nothing.png").write_bytes(b"")
    (where / "empty.tif").write_bytes(b"")
    (where / "text.tif").write_text("not a TIFF")
    (where / "cut.tif").write_bytes((where / f"{good[0]}.tif").read_bytes()[:300])
    (where / "COL_2011-11-13_TSX_20_1_092.png").write_bytes((where / f"{good[1]}.png").read_bytes()[:50])
    write_png(where / "COL_2011-11-13_TSX_20_1_093.png", np.dstack([image, 255 - image, image]))
    write_png(where / "no_spacing.png", image)
    tiff(where / "complex.tif", image.astype(np.complex64), **on_map)
    tiff(where / "no_map.tif", image)
    tiff(where / "no_data.tif", np.full((60, 70), np.nan, np.float32), **on_map)
    tiff(where / "on_a_line.tif", image, crs=UTM.crs, transform=Affine(20, 20, 0, 20, 20, 0))
    (where / "link.tif").symlink_to("nowhere.tif")
    bad = {file.stem for file in where.iterdir()} - set(good)
    (where / "folder.tif").mkdir()
    for hidden in (".DS_Store", "._x.tif", ".x.png"):
        (where / hidden).write_bytes(b"\0\5\x16\7")
    (where / "Thumbs.db").write_bytes(b"\0")
    for done in ("", "10 of 22 scenes are done already"):
        caplog.clear()
        with caplog.at_level("INFO", logger="glacierjax"), pytest.raises(InputError, match="12 of 22 scenes could not"):
            batch(tmp_path).run(find_sources([str(where)]))
        assert done in caplog.text
        assert all(f"{name}." in caplog.text for name in bad), caplog.text
        rows = list(csv.DictReader((out / "scenes.csv").read_text().splitlines()))
        assert [row["scene"] for row in rows] == good and {row["front_lines"] for row in rows} == {"1"}


def test_scenes_without_a_front_are_counted_and_named(tmp_path, scenes, caplog):
    write_png(scenes / "water.png", np.full((40, 40), 30, np.uint8))
    (scenes / "Jorum.png").unlink()
    with caplog.at_level("INFO", logger="glacierjax"):
        batch(tmp_path, options=ReadOptions(pixel_spacing_m=20)).run(find_sources([str(scenes)]))
    assert "3 scenes: 2 with a front, 1 without one" in caplog.text and "no front in water" in caplog.text


def test_a_box_beside_the_scene_is_warned_of(tmp_path, scenes, caplog):
    beside = Area("fjord.geojson", polygons=shapely.MultiPolygon([shapely.box(-40, 60, -39, 61)]))
    batch(tmp_path, area=beside).run(sources(scenes / f"{MAP}.tif"))
    assert f"{MAP}: no pixel of it lies inside of fjord.geojson" in caplog.text


def test_results_of_other_settings_are_not_mixed(tmp_path, scenes):
    files = [scenes / f"{PICTURE}.png"]
    batch(tmp_path).run(sources(*files))
    for other in ({"predictor": make_predictor(0.9, 0.5)}, {"options": ReadOptions(scale="db")}):
        with pytest.raises(
            InputError, match=r"out: holds results of other settings \((checkpoints|scale)\); .*`overwrite`"
        ):
            batch(tmp_path, **other).run(sources(*files))
        batch(tmp_path, overwrite=True, **other).run(sources(*files))
        batch(tmp_path, **other).run(sources(*files))
        batch(tmp_path, overwrite=True).run(sources(*files))


def test_scenes_are_found_by_file_folder_and_pattern(scenes):
    names = [Path(source.where).name for source in find_sources([str(scenes)])]
    assert names == [f"{PICTURE}.png", "Jorum.png", f"{MAP}.tif"]
    assert [source.name for source in find_sources([str(scenes / "*.tif"), str(scenes / f"{MAP}.tif")])] == [MAP]


@pytest.mark.parametrize("pattern", ["nothing.png", "*.jpg", ""])
def test_what_names_no_scene_is_told(tmp_path, pattern):
    (tmp_path / "empty").mkdir()
    target = str(tmp_path / "empty" / pattern) if pattern else str(tmp_path / "empty")
    with pytest.raises(InputError, match=r"input=.*: no "):
        find_sources([target])


def test_scenes_that_are_uncertain_nearly_everywhere_are_named(tmp_path, scenes, caplog):
    with caplog.at_level("INFO", logger="glacierjax"):
        batch(tmp_path, make_predictor(0.4)).run(sources(scenes / f"{PICTURE}.png"))
        assert f"uncertain over most of the scene: {PICTURE}" in caplog.text
        caplog.clear()
        batch(tmp_path, make_predictor(0.9), overwrite=True).run(sources(scenes / f"{PICTURE}.png"))
        assert "uncertain" not in caplog.text


def test_scenes_with_a_grey_unlike_that_of_the_training_are_named(tmp_path, caplog):
    caplog.set_level("WARNING", logger="glacierjax")
    grey = np.random.default_rng(0).rayleigh(50, (64, 80)).clip(0, 255).astype(np.uint8)
    dull = (180 + grey // 5).astype(np.uint8)
    for number, image in enumerate((grey, dull), 1):
        write_png(tmp_path / "scenes" / f"COL_2011-11-1{number}_TSX_20_1_092.png", image)
    ranges = ranges_of([grey])
    predictor = dataclasses.replace(make_predictor(0.9), grey=GreyRule(ranges=ranges))
    batch(tmp_path, predictor).run(find_sources([str(tmp_path / "scenes")]))
    (warning,) = [line for line in caplog.messages if "unlike that of the training" in line]
    assert "COL_2011-11-12" in warning and "COL_2011-11-11" not in warning
    rows = list(csv.DictReader((tmp_path / "out" / "scenes.csv").read_text().splitlines()))
    distances = [float(row["grey_distance"]) for row in rows]
    assert distances[0] == 0 and distances[1] == pytest.approx(180 + ranges[0][1] // 5 - ranges[0][1], abs=3)


def test_missing_data_do_not_hide_that_a_network_is_uncertain(tmp_path, caplog):
    image = np.full((80, 70), 30, np.float32)
    image[:, :40] = 200
    image[45:] = np.nan
    write_raster(tmp_path / f"{MAP}.tif", image, UTM, "amplitude")
    batch(tmp_path, make_predictor(0.4)).run(sources(tmp_path / f"{MAP}.tif"))
    (row,) = csv.DictReader((tmp_path / "out" / "scenes.csv").read_text().splitlines())
    expected = -(0.4 * np.log(0.4) + 3 * 0.2 * np.log(0.2)) / np.log(4)
    assert float(row["mean_uncertainty"]) == pytest.approx(expected, abs=1e-3), "not of all pixels"
    assert f"uncertain over most of the scene: {MAP}" in caplog.text
