"""Which files of a folder are read as fronts, and what is said about those that are not."""

import logging

import numpy as np
import pytest
import shapely
from vector_files import write_vectors

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.geo.vectors import feature, write_geojson, write_points
from glacierjax.terminus.follow import follow_terminus
from glacierjax.terminus.front_files import files_of
from glacierjax.terminus.fronts import read_fronts
from glacierjax.terminus.open_series import SeriesOptions

LINE = np.array([[-50.0, 69], [-50, 69.01]])


def names(folder):
    return [file.name for file in files_of(str(folder))]


def write(path, date="2019-07-01"):
    return write_vectors(path, [shapely.LineString(LINE)], [{"Date": date}])


@pytest.fixture
def prediction(tmp_path):
    """A folder as predict leaves it after making two of three scenes again with other settings."""
    for name in "abc":
        write_geojson(tmp_path / "lines" / f"{name}.geojson", [feature(LINE, {"scene": name})])
    write_text(tmp_path / "scenes.csv", "scene,glacier\na,JAC\nb,JAC\n")
    return tmp_path


def test_of_a_prediction_only_the_scenes_in_its_table_are_read(prediction, caplog):
    assert [front.scene for front in read_fronts([str(prediction)])] == ["a", "b"]
    assert "scenes.csv: c.geojson; predict them again" in caplog.text
    (prediction / "scenes.csv").unlink()
    assert names(prediction) == ["a.geojson", "b.geojson", "c.geojson"]


def test_of_a_prediction_without_a_scene_in_its_table_nothing_is_read(prediction):
    write_text(prediction / "scenes.csv", "scene,glacier\n")
    with pytest.raises(InputError, match="no front lines there"):
        files_of(str(prediction))


def test_files_of_several_formats_in_a_folder_are_all_read(tmp_path):
    for name in ("a.geojson", "b.gpkg", "c.shp"):
        write(tmp_path / name)
    assert names(tmp_path) == ["a.geojson", "b.gpkg", "c.shp"]
    assert len(read_fronts([str(tmp_path)])) == 3


def test_another_format_of_the_same_name_is_read_once_and_named(tmp_path, caplog):
    for name in ("a.geojson", "a.gpkg", "b.gpkg"):
        write(tmp_path / name)
    write_points(tmp_path / "c.csv", [LINE], "c", 20)
    write(tmp_path / "c.shp")
    with caplog.at_level(logging.INFO, logger="glacierjax"):
        assert names(tmp_path) == ["a.geojson", "b.gpkg", "c.csv"]
    assert "has the same name: a.gpkg, c.shp" in caplog.text


def test_a_stray_table_or_json_file_hides_no_lines(tmp_path, caplog):
    write(tmp_path / "a.shp")
    write_text(tmp_path / "notes.csv", "date,who\n2019-07-01,me\n")
    write_text(tmp_path / "metadata.json", '{"author": "me"}')
    assert names(tmp_path) == ["a.shp"]
    assert "no front lines are in it: metadata.json, notes.csv" in caplog.text


def test_a_damaged_file_stops_no_other_one_and_is_told(tmp_path):
    write(tmp_path / "a.shp")
    write_text(tmp_path / "b.json", '{"type": "Feature')
    told = r"b.json: not a readable GeoJSON file"
    with pytest.raises(InputError, match=told):
        read_fronts([str(tmp_path)])
    problems = []
    assert [front.scene for front in read_fronts([str(tmp_path)], problems=problems)] == ["a"]
    assert len(problems) == 1 and "b.json" in problems[0]
    (tmp_path / "a.shp").unlink()
    with pytest.raises(InputError, match=told):
        read_fronts([str(tmp_path)], problems=[])


def test_a_point_that_is_no_number_is_named_with_its_file(tmp_path):
    file = tmp_path / "COL_2011-11-13_TSX_7_1_092.csv"
    write_points(file, [LINE], "c", 20)
    whole = file.read_text()
    file.write_text("\ufeff" + whole, encoding="utf-8")  # as spreadsheets save it
    assert len(read_fronts([str(file)])) == 1
    for good, bad in ((",69.0,", ",nan,"), (",69.0,", ",inf,"), (",20", ",-7"), (",20", ",0")):
        assert good in whole
        file.write_text(whole.replace(good, bad, 1))
        with pytest.raises(InputError, match=r"092\.csv: not a table of front lines \(the point"):
            read_fronts([str(file)])


@pytest.mark.parametrize("value", ["10.01.2015", 1420848000000])
def test_a_date_that_cannot_be_read_is_not_replaced_by_that_of_the_file_name(tmp_path, value):
    file = tmp_path / "KAN_fronts_v2024-01-05.geojson"
    write_vectors(file, [shapely.LineString(LINE)], [{"acq_date": value}])
    with pytest.raises(InputError, match=r"v2024-01-05.geojson: acq_date"):
        read_fronts([str(file)])
    write_vectors(file, [shapely.LineString(LINE)], [{"acq_date": value, "Year": 2015, "Month": 1, "Day": 10}])
    assert str(read_fronts([str(file)])[0].date) == "2015-01-10"


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
def test_features_without_geometry_are_counted(tmp_path, suffix, caplog):
    file = tmp_path / f"f{suffix}"
    write_vectors(file, [shapely.LineString(LINE), None], [{"Date": "2019-07-01"}, {"Date": "2020-07-01"}])
    assert len(read_fronts([str(file)])) == 1
    assert f"f{suffix}: 1 feature(s) without geometry left out" in caplog.text


def test_a_series_does_not_go_into_the_folder_of_its_lines(tmp_path):
    write(tmp_path / "a.geojson")
    with pytest.raises(InputError, match="is the folder of the lines"):
        follow_terminus([str(tmp_path)], tmp_path / "." / "", SeriesOptions())
    assert [file.name for file in tmp_path.iterdir()] == ["a.geojson"]
