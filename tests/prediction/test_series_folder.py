"""Folders of scenes with networks of series: which scenes go together, and what is done again when the folder changes."""

import csv
import dataclasses
import json
import os

import numpy as np
import pytest
import shapely
from brightness import make_predictor, make_series_predictor

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_png
from glacierjax.datasets.caffe.meta_data import write_meta_data
from glacierjax.geo.areas import Area
from glacierjax.geo.georeference import WGS84, Georeference, crs_from_user, reproject
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.rasters import write_raster
from glacierjax.geo.scenes import ReadOptions
from glacierjax.prediction.priors import Priors
from glacierjax.prediction.series_folder import SeriesBatch, batch_for

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
UTM = crs_from_user("EPSG:32622", "test")
DAYS = ("2020-01-01", "2020-02-01", "2020-02-01b", "2020-03-01", "2020-04-01")  # two of one day
FAR = 200_000


def picture(column=40, shape=(60, 70)):
    image = np.full(shape, 30, np.uint8)
    image[:, :column] = 200
    return image


def write(folder, name, column=40, east=0.0, shape=(60, 70)):
    place = Georeference(UTM, (20, 0, 500_000 + east, 0, -20, 7_650_000))
    write_raster(folder / f"{name}.tif", picture(column, shape), place, "grey")
    return folder / f"{name}.tif"


@pytest.fixture
def scenes(tmp_path):
    """Five scenes of one place and one of another."""
    for number, day in enumerate(DAYS):
        write(tmp_path / "scenes", f"S1_{day}", 40 + number)
    write(tmp_path / "scenes", "S1_2020-02-02_elsewhere", east=FAR)
    return tmp_path / "scenes"


def run(tmp_path, *folders, predictor=None, **rest):
    batch = SeriesBatch(predictor or make_series_predictor(0.9), tmp_path / "out", ReadOptions(), **rest)
    batch.run(find_sources([str(folder) for folder in folders]))


def rows(tmp_path):
    with (tmp_path / "out" / "scenes.csv").open() as file:
        return {row["scene"]: row for row in csv.DictReader(file)}


def times(tmp_path):
    return {path.stem: path.stat().st_mtime_ns for path in (tmp_path / "out" / "records").iterdir()}


def test_a_folder_is_grouped_by_overlap_and_every_scene_has_its_files(tmp_path, scenes, caplog):
    caplog.set_level("INFO", logger="glacierjax")
    run(tmp_path, scenes)
    found = rows(tmp_path)
    assert {name: row["series_scenes"] for name, row in found.items()} == {
        **{f"S1_{day}": "3" for day in DAYS},
        "S1_2020-02-02_elsewhere": "1",
    }
    assert {row["registration"] for row in found.values()} == {"georeference"}
    assert (
        "no other scene of the same place, so the networks see 3 copies of it: S1_2020-02-02_elsewhere" in caplog.text
    )
    assert "series of 5 scenes, by georeference: S1_2020-01-01 to S1_2020-04-01" in caplog.text
    fronts = json.loads((tmp_path / "out" / "fronts.geojson").read_text())["features"]
    assert sorted(line["properties"]["scene"] for line in fronts) == sorted(found)
    for name in found:
        for kind, suffix in (("zones", "tif"), ("uncertainty", "tif"), ("fronts", "tif"), ("lines", "geojson")):
            assert (tmp_path / "out" / kind / f"{name}.{suffix}").is_file()
    assert not list((tmp_path / "out").glob(".spool*"))


def test_what_is_done_is_not_done_again_and_a_new_scene_makes_its_series_again(tmp_path, scenes):
    run(tmp_path, scenes)
    before = times(tmp_path)
    run(tmp_path, scenes)
    assert times(tmp_path) == before
    write(scenes, "S1_2020-03-15", 47)
    run(tmp_path, scenes)
    again = {name for name, time in times(tmp_path).items() if before.get(name) != time}
    # Of three at a time the last three were 2 to 4, now they are 3 to 5.
    assert again == {"S1_2020-03-01", "S1_2020-03-15", "S1_2020-04-01"}
    before = times(tmp_path)
    os.utime(scenes / "S1_2020-01-01.tif", (2_000_000_000, 2_000_000_000))
    run(tmp_path, scenes)
    again = {name for name, time in times(tmp_path).items() if before[name] != time}
    assert again == {"S1_2020-01-01", "S1_2020-02-01", "S1_2020-02-01b"}
    (tmp_path / "out" / "zones" / "S1_2020-04-01.tif").unlink()
    before = times(tmp_path)
    run(tmp_path, scenes)
    assert {name for name, time in times(tmp_path).items() if before[name] != time} == {"S1_2020-04-01"}


def test_what_is_done_later_has_the_same_numbers(tmp_path):
    write(tmp_path / "scenes", "a_2020-01-01", 40)
    write(tmp_path / "scenes", "b_2020-02-01", 42, east=133.0)
    place = Georeference(UTM, (11, 0, 500_050, 0, -11, 7_650_000))
    write_raster(tmp_path / "scenes" / "c_2020-03-01.tif", picture(70, (100, 120)), place, "grey")
    run(tmp_path, tmp_path / "scenes", predictor=make_series_predictor(0.9, 0.6))
    for name in ("a_2020-01-01", "b_2020-02-01", "c_2020-03-01"):
        files = [tmp_path / "out" / kind / f"{name}.tif" for kind in ("zones", "uncertainty", "deviation", "fronts")]
        before = [file.read_bytes() for file in files]
        files[0].unlink()
        run(tmp_path, tmp_path / "scenes", predictor=make_series_predictor(0.9, 0.6))
        assert [file.read_bytes() for file in files] == before


def test_a_folder_that_was_moved_is_not_done_again(tmp_path, scenes):
    run(tmp_path, scenes)
    before = times(tmp_path)
    scenes.rename(tmp_path / "moved")
    run(tmp_path, tmp_path / "moved")
    assert times(tmp_path) == before


@pytest.mark.parametrize("how", ["groups", "reference"])
def test_a_bad_scene_leaves_its_series_and_is_named_at_the_end(tmp_path, scenes, how):
    bad = scenes / "S1_2020-02-01.tif"
    content = bad.read_bytes()
    start = (
        content.index(b"\x78\x9c") if b"\x78\x9c" in content else content.index(b"\x78\xda")
    )  # of the compressed pixels
    bad.write_bytes(content[:start] + b"\xff" * 20 + content[start + 20 :])
    with pytest.raises(InputError, match=r"^1 of 6 scenes could not be predicted: .*S1_2020-02-01.tif"):
        run(tmp_path, scenes, series=how)
    assert len(rows(tmp_path)) == 5
    bad.write_bytes(content)
    run(tmp_path, scenes, series=how)
    assert len(rows(tmp_path)) == 6


def test_pictures_are_grouped_by_glacier_and_pixel_spacing(tmp_path, caplog):
    names = [f"COL_2012-0{month}-04_TDX_7_1_024" for month in range(1, 6)] + [
        "COL_2012-03-01_S1_20_1_024",
        "plain_2012",
    ]
    for number, name in enumerate(names):
        write_png(tmp_path / "scenes" / f"{name}.png", picture(40, (60, 70 + 2 * (number % 2))))
    batch = SeriesBatch(make_series_predictor(0.9, frames=2), tmp_path / "out", ReadOptions(pixel_spacing_m=20))
    batch.run(find_sources([str(tmp_path / "scenes")]))
    found = rows(tmp_path)
    assert [found[name]["series_scenes"] for name in names] == ["2"] * 5 + ["1", "1"]
    assert {row["registration"] for row in found.values()} == {"size"}
    assert "see 2 copies of it: COL_2012-03-01_S1_20_1_024, plain_2012" in caplog.text


def test_pictures_of_caffe_lie_on_the_map_if_its_table_is_there(tmp_path):
    names = [f"COL_2012-0{month}-04_TDX_20_1_024" for month in range(1, 4)]
    bounds = MapBounds("EPSG:32606", 500_000.0, 6_000_000.0, 500_000.0 + 70 * 20, 6_000_000.0 + 60 * 20)
    for name in names:
        write_png(tmp_path / "data_raw" / "sar_images" / "test" / f"{name}.png", picture())
    write_meta_data(tmp_path, dict.fromkeys(names, bounds))
    run(tmp_path, tmp_path / "data_raw" / "sar_images" / "test")
    assert {(row["registration"], row["georeferenced"]) for row in rows(tmp_path).values()} == {
        ("georeference", "True")
    }
    assert (tmp_path / "out" / "zones" / f"{names[0]}.tif").is_file()
    write_meta_data(tmp_path, dict.fromkeys(names[:2], bounds))
    with pytest.raises(InputError, match=rf"no row for the scene {names[2]}"):
        run(tmp_path, tmp_path / "data_raw" / "sar_images" / "test", overwrite=True)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ({"registration": "georeference"}, "no date 1.png: not georeferenced, which `registration`=georeference needs"),
        ({"series": "reference"}, "no date 1.png: no date in the scene's name, which `series`=reference needs"),
        (
            {"predictor": make_series_predictor(0.9, needs_dates=True)},
            "no date 1.png: no date in the scene's name, which",
        ),
    ],
)
def test_a_scene_that_cannot_be_in_a_series_is_told_before_anything_is_predicted(tmp_path, scenes, rest, message):
    write_png(scenes / "no date 1.png", picture())
    with pytest.raises(InputError, match=message):
        SeriesBatch(
            rest.pop("predictor", make_series_predictor(0.9)), tmp_path / "out", ReadOptions(pixel_spacing_m=20), **rest
        ).run(find_sources([str(scenes)]))
    assert len(rows(tmp_path)) == 6


def test_other_settings_of_series_need_another_folder(tmp_path, scenes):
    run(tmp_path, scenes)
    for rest in (
        {"series": "reference"},
        {"registration": "georeference"},
        {"predictor": make_series_predictor(0.9, frames=4)},
    ):
        with pytest.raises(InputError, match="holds results of other settings"):
            run(tmp_path, scenes, **rest)


def test_networks_of_single_scenes_take_no_series(tmp_path):
    single = make_predictor(0.9), tmp_path, ReadOptions(), None, (), False, None
    assert not isinstance(batch_for(*single), SeriesBatch)
    for rest in ({"series": "groups"}, {"registration": "size"}):
        with pytest.raises(InputError, match="run1 takes single scenes; leave it out"):
            batch_for(*single, **rest)
    assert isinstance(batch_for(make_series_predictor(0.9), *single[1:]), SeriesBatch)


def test_control_networks_that_see_each_scene_alone_say_nothing_of_copies(tmp_path, scenes, caplog):
    run(tmp_path, scenes, predictor=make_series_predictor(0.9, frames=1))
    assert "copies" not in caplog.text
    assert {row["series_scenes"] for row in rows(tmp_path).values()} == {"1"}


def test_a_prediction_that_fails_is_named_and_the_other_series_are_done(tmp_path, scenes):
    def network(images, days):
        if (images[:, :, :1] == 199).any():
            raise RuntimeError("broken")
        return make_predictor(0.9).networks[0](images)

    write(scenes, "S1_2021-01-01_third", east=-FAR)
    image = picture()
    image[image == 200] = 199
    place = Georeference(UTM, (20, 0, 500_000 - FAR, 0, -20, 7_650_000))
    write_raster(scenes / "S1_2021-01-01_third.tif", image, place, "grey")
    predictor = dataclasses.replace(make_series_predictor(0.9), networks=[network])
    with pytest.raises(InputError, match=r"^1 of 7 scenes .*third.tif: cannot be predicted \(RuntimeError: broken\)"):
        run(tmp_path, scenes, predictor=predictor)
    assert len(rows(tmp_path)) == 6


def test_a_scene_whose_answer_cannot_be_used_leaves_those_of_its_series(tmp_path):
    """Polygons on Earth cannot be laid on the middle scene, which the networks have seen with the others."""
    names = [f"COL_2012-0{month}-04_TDX_20_1_024" for month in range(1, 4)]
    for name in (names[0], names[2]):
        write(tmp_path / "scenes", name)
    write_png(tmp_path / "scenes" / f"{names[1]}.png", picture())
    corners = np.array([(500_000, 7_640_000), (510_000, 7_640_000), (510_000, 7_650_000), (500_000, 7_650_000)], float)
    area = Area("box.geojson", polygons=shapely.MultiPolygon([shapely.Polygon(reproject(corners, UTM, WGS84))]))
    with pytest.raises(InputError, match=r"^1 of 3 scenes could not be predicted: box.geojson: polygons on Earth"):
        run(tmp_path, tmp_path / "scenes", registration="size", area=area)
    assert {name: row["series_scenes"] for name, row in rows(tmp_path).items()} == {names[0]: "3", names[2]: "3"}


class OnePriorFails(Priors):
    """Priors that cannot be laid on one of the scenes."""

    def of(self, scene, source):
        if scene.name == "S1_2020-02-01":
            raise InputError(f"{source.where}: not where the rock is")
        return super().of(scene, source)


def test_a_scene_without_its_priors_leaves_its_series_and_stops_no_other(tmp_path, scenes):
    with pytest.raises(InputError, match=r"^1 of 6 scenes could not be predicted: .*: not where the rock is"):
        run(tmp_path, scenes, priors=OnePriorFails())
    assert len(rows(tmp_path)) == 5


def test_made_again_each_scene_is_made_once_though_another_cannot_be_read(tmp_path, scenes, monkeypatch):
    run(tmp_path, scenes, series="reference")
    (scenes / "S1_2020-04-01.tif").write_bytes(b"no image")
    made = []
    write_one = SeriesBatch._write
    monkeypatch.setattr(
        SeriesBatch, "_write", lambda self, one, *rest: (made.append(one), write_one(self, one, *rest))[1]
    )
    with pytest.raises(InputError, match=r"S1_2020-04-01.tif"):
        run(tmp_path, scenes, series="reference", overwrite=True)
    names = [one.scene.name for one in made]
    assert len(names) == len(set(names)) == 5
