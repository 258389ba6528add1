"""Plans: which scene is predicted for which glacier, what is skipped, and what is wrong with tables and lists."""

import csv
import dataclasses
import json

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from brightness import make_predictor, make_series_predictor
from small_campaign import (
    PLACES_PX,
    UTM,
    make_plan,
    polygon,
    use_stand_in,
    write_glaciers,
    write_scene,
    write_scenes,
)

from glacierjax.campaign import plan as plan_module
from glacierjax.campaign import settings as settings_module
from glacierjax.campaign.glaciers import read_glaciers
from glacierjax.campaign.plan import OVER_NONE, measured_speed
from glacierjax.campaign.scenes import find_scenes
from glacierjax.campaign.settings import CampaignSettings
from glacierjax.campaign.tasks import read_plan
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.geo.scenes import ReadOptions
from glacierjax.prediction.priors import NO_PRIORS

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    use_stand_in(monkeypatch)


def test_each_scene_becomes_a_task_of_each_glacier_that_it_shows(tmp_path):
    write_scenes(tmp_path / "scenes")
    folder, summary = make_plan(tmp_path)
    plan = read_plan(folder)
    assert [(plan.task(i).glacier, plan.task(i).name) for i in range(len(plan))] == [
        ("G1", "S1A_20200101"),
        ("G1", "S1A_20210301"),
        ("G2", "S1B_20200101"),
        ("G2", "S1B_20210301"),
    ]
    first = plan.task(0)
    assert str(first.date) == "2020-01-01" and first.sources[0].paths == (str(tmp_path / "scenes/S1A_20200101.tif"),)
    assert first.covered == pytest.approx(1, abs=1e-6)
    # The area is 50 x 40 pixels; to the east and north it is bent a little, and the context is 64 on each side.
    assert first.pixels == pytest.approx((50 + 128) * (40 + 128), rel=0.03)
    assert summary["tasks"] == 4 and summary["skipped"][OVER_NONE] == 1 and len(summary["skipped"]) == 2
    skipped = list(csv.DictReader((folder / "skipped.csv").read_text().splitlines()))
    assert [row["what"].rpartition("/")[2] for row in skipped] == [
        "S1A_20220102_damaged.tif",
        "S1A_20220101_elsewhere.tif",
    ]
    assert "not a readable GeoTIFF" in skipped[0]["reason"]


def test_the_same_plan_is_the_same_and_changed_files_settings_and_areas_change_its_tasks(tmp_path):
    scenes = write_scenes(tmp_path / "scenes")
    digests = [read_plan(make_plan(tmp_path, "a")[0]).column("digest")]
    digests.append(read_plan(make_plan(tmp_path, "b")[0]).column("digest"))
    assert digests[0] == digests[1] and len(set(digests[0])) == 4
    write_scene(scenes, "S1A_20200101", 0, 41)
    changed = read_plan(make_plan(tmp_path, "c")[0]).column("digest")
    assert [a == b for a, b in zip(changed, digests[0], strict=True)] == [False, True, True, True]
    power = CampaignSettings(("run1",), reading=ReadOptions(scale="power"))
    assert not set(read_plan(make_plan(tmp_path, "d", settings=power)[0]).column("digest")) & set(changed)
    box = tmp_path / "box.geojson"
    box.write_text(json.dumps(polygon((20, 20, 50, 40))))
    boxed = write_glaciers(tmp_path / "boxed.geojson", G1={"box": "box.geojson"})
    boxed = read_plan(make_plan(tmp_path, "e", glaciers=boxed)[0]).column("digest")
    assert [a == b for a, b in zip(boxed, changed, strict=True)] == [False, False, True, True]


def test_scenes_that_may_be_the_summer_scene_of_others_change_their_tasks(tmp_path, monkeypatch):
    use_stand_in(monkeypatch, dataclasses.replace(make_predictor(0.9), channels=("grey", "summer")))
    monkeypatch.setattr(plan_module, "digest_of", lambda batch: "same")
    monkeypatch.setattr(settings_module, "open_priors", lambda *arguments, **rest: NO_PRIORS)
    scenes = write_scenes(tmp_path / "scenes")
    before = read_plan(make_plan(tmp_path, "a")[0])
    write_scene(scenes, "S1A_20200801")
    after = read_plan(make_plan(tmp_path, "b")[0])
    digests = [dict(zip(plan.column("name"), plan.column("digest"), strict=True)) for plan in (before, after)]
    assert {name: digests[0][name] == digests[1][name] for name in digests[0]} == {
        "S1A_20200101": False,
        "S1A_20210301": False,
        "S1B_20200101": True,
        "S1B_20210301": True,
    }


def test_settings_come_back_from_the_plan(tmp_path):
    write_scenes(tmp_path / "scenes")
    reading = ReadOptions(20.0, None, "db", -9999.0, "HH")
    settings = CampaignSettings(("a", "b"), "last", "whole", True, ("gpkg",), "me", reading)
    assert read_plan(make_plan(tmp_path, settings=settings)[0]).settings == settings


def test_networks_of_series_get_one_task_a_glacier(tmp_path, monkeypatch):
    use_stand_in(monkeypatch, make_series_predictor(0.9))
    write_scenes(tmp_path / "scenes")
    plan = read_plan(make_plan(tmp_path)[0])
    assert [(plan.task(i).glacier, [s.name for s in plan.task(i).sources]) for i in range(len(plan))] == [
        ("G1", ["S1A_20200101", "S1A_20210301"]),
        ("G2", ["S1B_20200101", "S1B_20210301"]),
    ]
    assert plan.task(0).label == "G1/series of 2"


def test_scenes_that_cover_too_little_are_skipped(tmp_path):
    write_scene(tmp_path / "scenes", "S1A_20200101", 0)
    write_scene(tmp_path / "scenes", "S1A_20200102", 35)  # from the middle of the area on
    folder, summary = make_plan(tmp_path, least_covered=0.6)
    assert read_plan(folder).column("name") == ["S1A_20200101"]
    assert summary["skipped"] == {"covers 50 % of G1, less than `least_covered`": 1}
    assert summary["glaciers_without_scene"] == ["G2"]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "txt"])
def test_lists_name_scenes_and_may_tell_where_they_lie(tmp_path, suffix):
    scenes = write_scenes(tmp_path / "scenes")
    (west, north), (east, south) = UTM.to_lonlat(np.array([[0.0, 0], [70, 60]])).tolist()
    rows = [
        {"path": "scenes/S1A_20200101.tif", "west": west, "south": south, "east": east, "north": north},
        {"path": str(scenes / "S1B_20200101.tif"), "west": None, "south": None, "east": None, "north": None},
        {"path": "scenes/missing.tif", "west": None, "south": None, "east": None, "north": None},
    ]
    path = tmp_path / f"list.{suffix}"
    if suffix == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif suffix == "csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    else:
        path.write_text("".join(f"{row['path']}\n" for row in rows))
    placed, skipped = find_scenes([str(path)], ReadOptions())
    assert [scene.source.name for scene in placed] == ["S1A_20200101", "S1B_20200101"]
    assert placed[0].pixel_spacing_m == (pytest.approx(20) if suffix == "txt" else None), "told, so it is not opened"
    assert [one.what.rpartition("/")[2] for one in skipped] == ["missing.tif"]
    folder, summary = make_plan(tmp_path, scenes=[path])
    assert read_plan(folder).column("glacier") == ["G1", "G2"]
    assert summary["tasks_without_pixels"] == (0 if suffix == "txt" else 1)


def test_what_a_list_names_wrongly_is_skipped_and_stops_no_plan(tmp_path):
    write_scenes(tmp_path / "scenes")
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged.json").write_text("{")
    path = tmp_path / "list.txt"
    path.write_text("empty\ndamaged.json\nscenes\nnone.tif\n")
    placed, skipped = find_scenes([str(path)], ReadOptions())
    assert len(placed) == 5
    reasons = {one.what.rpartition("/")[2]: one.reason for one in skipped}
    assert "file in this folder; it stands in" in reasons["empty"]
    assert "not a STAC item" in reasons["damaged.json"] and "no such file" in reasons["none.tif"]
    path.write_text("empty\n")
    with pytest.raises(InputError, match="no file of it can be used"):
        find_scenes([str(path)], ReadOptions())


def test_a_plan_of_relative_paths_is_the_same_from_another_folder(tmp_path, monkeypatch):
    write_scenes(tmp_path / "scenes")
    (tmp_path / "list.txt").write_text("scenes/S1B_20200101.tif\n")
    wanted = read_plan(make_plan(tmp_path, "a")[0]).column("digest")
    monkeypatch.chdir(tmp_path)
    plans = [
        make_plan(tmp_path, f"plan {number}", scenes=scenes)[0]
        for number, scenes in enumerate(
            (["scenes"], ["./scenes/*.tif"], ["x/../scenes/S1A*.tif", "list.txt", "scenes"])
        )
    ]
    monkeypatch.chdir("/")
    for plan in map(read_plan, plans):
        assert plan.column("digest") == wanted
        assert plan.task(0).sources[0].paths == (str(tmp_path / "scenes" / "S1A_20200101.tif"),)


def test_stac_items_are_placed_by_their_geometry_without_opening_a_file(tmp_path):
    item = {
        "type": "Feature",
        "id": "S1A_20200101",
        "geometry": polygon((0, 0, 70, 60)),
        "properties": {"datetime": "2020-01-01T00:00:00Z", "sar:pixel_spacing_range": 20},
        "assets": {"hh": {"href": "https://nowhere.invalid/S1A_20200101_hh.tif?signature=1", "type": "image/tiff"}},
    }
    path = tmp_path / "items.json"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [item, {**item, "id": "b", "geometry": None}]})
    )
    placed, skipped = find_scenes([str(path)], ReadOptions())
    assert [(scene.source.name, scene.pixel_spacing_m) for scene in placed] == [("S1A_20200101_HH", 20.0)]
    assert len(skipped) == 1, "an item without geometry has to be opened, and there is no such host"
    plan = read_plan(make_plan(tmp_path, scenes=[path])[0])
    assert plan.column("glacier") == ["G1"]
    assert plan.task(0).sources == (placed[0].source,), "with the signature of its link"


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"G2": {"id": "g1"}}, "two glaciers have the id g1"),
        ({"G2": {"id": "a/b"}}, "'a/b' cannot be the id of a glacier"),
        ({"G2": {"hemisphere": "south"}}, "its hemisphere is south, but its area lies at latitude 68.9"),
        ({"G2": {"hemisphere": "up"}}, "hemisphere 'up'"),
        ({"G2": {"rock": "missing.gpkg"}}, "missing.gpkg: no such file"),
        ({"G2": {"checkpoint": "default;missing"}}, "missing: no such file"),
    ],
)
def test_what_is_wrong_with_a_glacier_is_told_with_its_id(tmp_path, properties, message):
    with pytest.raises(InputError, match=r"glaciers.geojson: .*") as error:
        read_glaciers(write_glaciers(tmp_path / "glaciers.geojson", **properties))
    assert message in str(error.value)


def test_a_table_in_csv_names_files_from_its_own_folder(tmp_path):
    for glacier in ("G1", "G2"):
        (tmp_path / f"{glacier}.geojson").write_text(json.dumps(polygon((0, 0, 9, 9))))
    (tmp_path / "run").mkdir()
    path = tmp_path / "table.csv"
    path.write_text("glacier_id,name,aoi,rock,checkpoint\nG1,One,G1.geojson,none,default\nG2,,G2.geojson,,run;run\n")
    one, two = read_glaciers(path)
    assert (one.name, one.rock, one.checkpoints, one.region) == ("One", "none", (), "unknown")
    assert (two.name, two.checkpoints) == ("G2", (str(tmp_path / "run"),) * 2)
    for text, message in (
        ("id,name\nG1,One\n", "no column aoi"),
        ("id,aoi,name\nG1,G1.geojson,Big, northern\n", "line 2: more cells than columns"),
        ("id,aoi,name\nG1,G1.geojson,Big\nG2,G3.geojson,One\n", r"line 3: .*G3.geojson: no such file"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=r"table.csv: .*" + message):
            read_glaciers(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.tif,1,2,3,", "are no bounds"),
        ("a.tif,x,2,3,4", "are numbers or empty"),
        (",1,2,3,4", "no path"),
    ],
)
def test_rows_of_lists_that_make_no_sense_are_named(tmp_path, row, message):
    path = tmp_path / "list.csv"
    path.write_text(f"path,west,south,east,north\n{row}\n")
    with pytest.raises(InputError, match=r"list.csv: row 1: .*" + message):
        find_scenes([str(path)], ReadOptions())


def test_a_list_without_the_column_and_one_that_is_missing_are_named(tmp_path):
    (tmp_path / "list.csv").write_text("path\na,b.tif\n")
    with pytest.raises(InputError, match="line 2: more cells than columns"):
        find_scenes([str(tmp_path / "list.csv")], ReadOptions())
    (tmp_path / "list.csv").write_text("file\na.tif\n")
    with pytest.raises(InputError, match="expected a column path"):
        find_scenes([str(tmp_path / "list.csv")], ReadOptions())
    (tmp_path / "list.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        find_scenes([str(tmp_path / "list.parquet")], ReadOptions())
    with pytest.raises(InputError, match="no such file"):
        find_scenes([str(tmp_path / "none.parquet")], ReadOptions())


def test_a_plan_is_whole_or_not_there(tmp_path):
    write_scene(tmp_path / "scenes", "S1A_20200101", 5000)
    with pytest.raises(InputError, match=r"no scene of a glacier of .* \(1 over no glacier's area\)"):
        make_plan(tmp_path)
    assert not (tmp_path / "plan").exists()
    write_scene(tmp_path / "scenes", "S1A_20200101")
    make_plan(tmp_path)
    with pytest.raises(InputError, match="exists already"):
        make_plan(tmp_path)
    (tmp_path / "plan" / "plan.json").write_text("{}")
    with pytest.raises(InputError, match="not a readable plan"):
        read_plan(tmp_path / "plan")


def test_the_speed_of_networks_of_series_is_not_measured(tmp_path, monkeypatch):
    use_stand_in(monkeypatch, make_series_predictor(0.9))
    write_scenes(tmp_path / "scenes")
    with pytest.raises(
        InputError, match="pixels_per_second='measure': networks of series are not measured; give a number"
    ):
        make_plan(tmp_path, pixels_per_second="measure")
    assert not (tmp_path / "plan").exists()


def test_hours_follow_from_a_given_speed_and_a_measured_one(tmp_path):
    write_scenes(tmp_path / "scenes")
    _, summary = make_plan(tmp_path, "a", pixels_per_second="1000")
    assert summary["process_hours"] == pytest.approx(summary["pixels"] / 1000 / 3600)
    _, measured = make_plan(tmp_path, "b", pixels_per_second="measure")
    assert 0 < measured["process_hours"] < 1 and make_plan(tmp_path, "c")[1]["process_hours"] is None
    assert measured_speed(dataclasses.replace(make_predictor(0.9), mode="whole")) > 0
    with pytest.raises(InputError, match="pixels_per_second='fast'"):
        make_plan(tmp_path, "d", pixels_per_second="fast")


def test_each_ensemble_is_loaded_once_and_its_tasks_follow_each_other(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(settings_module, "open_predictor", lambda *of: opened.append(of[0]) or make_predictor(0.9))
    settings_module.forget_networks()
    for name in "ABC":
        (tmp_path / name).mkdir()
    write_scenes(tmp_path / "scenes")
    areas = {f"G{i}": polygon(PLACES_PX["G1"]) for i in range(6)}
    features = [
        {"type": "Feature", "geometry": area, "properties": {"id": name, "checkpoint": "ABC"[i % 3]}}
        for i, (name, area) in enumerate(areas.items())
    ]
    table = tmp_path / "glaciers.geojson"
    table.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    plan, _ = make_plan(tmp_path, glaciers=table, pixels_per_second="1000")
    assert opened == [(str(tmp_path / name),) for name in "ABC"]
    assert list(dict.fromkeys(read_plan(plan).column("glacier"))) == ["G0", "G3", "G1", "G4", "G2", "G5"]


def test_glaciers_without_networks_are_named(tmp_path):
    write_scenes(tmp_path / "scenes")
    with pytest.raises(InputError, match="glacier G1 names no networks of its own"):
        make_plan(tmp_path, settings=CampaignSettings())


def test_what_one_glacier_lacks_for_its_networks_is_told_before_anything_is_planned(tmp_path, monkeypatch):
    use_stand_in(monkeypatch, dataclasses.replace(make_predictor(0.9), channels=("grey", "rock", "rock")))
    write_scenes(tmp_path / "scenes")
    rock = tmp_path / "rock.geojson"
    rock.write_text(json.dumps(polygon((0, 0, 5, 5))))
    table = write_glaciers(tmp_path / "glaciers.geojson", G1={"rock": "rock.geojson"})
    with pytest.raises(InputError, match=r"glaciers.geojson: glacier G2: .*expects a rock mask"):
        make_plan(tmp_path, glaciers=table)
    assert not (tmp_path / "plan").exists()


def test_pictures_without_a_map_grid_are_skipped(tmp_path):
    write_scenes(tmp_path / "scenes")
    write_png(tmp_path / "scenes" / "COL_2011-11-13_TSX_20_1_092.png", np.zeros((9, 9), np.uint8))
    _, summary = make_plan(tmp_path)
    assert summary["skipped"]["a PNG, of which no area can be read; convert it to GeoTIFF"] == 1
