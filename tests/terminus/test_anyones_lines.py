"""Lines of other programs and people: any format, reference system, attributes and direction, with a known retreat."""

import datetime
import json
import logging

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS
from vector_files import write_vectors

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.geo.features import read_features
from glacierjax.geo.georeference import WGS84, Georeference
from glacierjax.geo.line_columns import COLUMNS
from glacierjax.geo.vectors import feature, point_feature, polygon_feature, write_geojson, write_layer
from glacierjax.terminus import follow
from glacierjax.terminus.compose import CompositeOptions, make_composites
from glacierjax.terminus.follow import follow_terminus
from glacierjax.terminus.fronts import read_fronts
from glacierjax.terminus.open_series import SeriesOptions

UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
GROUND_M = 20 / 0.9996
YEARS = range(2010, 2016)
RETREAT_PX = 10
TRUE_CHANGE_M = -RETREAT_PX * GROUND_M * (len(YEARS) - 1)


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    """The picture of a series has its own test, and takes a second."""
    monkeypatch.setattr(follow, "draw_series", lambda path, *_: write_text(path, ""))


def line(year, north_px=0, south_px=300, east_px=0):
    """Glacier in the west, the line runs north."""
    y = np.linspace(south_px, north_px, 61)
    return np.column_stack([200 + east_px - RETREAT_PX * (year - YEARS[0]) + 3 * np.sin(y / 20), y])


def write_lines(path, lines_lonlat, rows, epsg=4326):
    return write_vectors(path, [shapely.LineString(points) for points in lines_lonlat], rows, epsg)


def measured(patterns, output, **options):
    follow_terminus([str(pattern) for pattern in patterns], output, SeriesOptions(**options))
    return json.loads((output / "summary.json").read_text())


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".parquet", ".geojson"])
@pytest.mark.parametrize("epsg", [4326, 3413, 32622])
def test_the_retreat_is_found_in_any_format_and_reference_system(tmp_path, suffix, epsg):
    rows = [{"Date": f"{year}-07-01", "QualFlag": 1} for year in YEARS]
    path = write_lines(tmp_path / f"fronts{suffix}", [UTM.to_lonlat(line(y)) for y in YEARS], rows, epsg)
    found = measured([path], tmp_path / "out")["box_m"]
    assert found["measured"] == len(YEARS)
    assert found["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)
    pieces, of_pieces = [], []
    for year, row in zip(YEARS, rows, strict=True):
        whole = line(year)[:: -1 if year % 2 else 1]
        pieces += [
            UTM.to_lonlat(whole[:20]),
            UTM.to_lonlat(whole[19:]) if year % 3 else UTM.to_lonlat(whole[19:])[::-1],
        ]
        of_pieces += [row, row]
    cut = write_lines(tmp_path / f"pieces{suffix}", pieces, of_pieces, epsg)
    mark = write_vectors(
        tmp_path / f"mark{suffix}", [shapely.Point(UTM.to_lonlat(np.array([[20.0, 150]]))[0])], rows[:1], epsg
    )
    found = measured([cut], tmp_path / "cut", box=str(mark))["box_m"]
    assert found["measured"] == len(YEARS)
    assert found["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)


@pytest.mark.parametrize(
    ("attribute", "value"), [("Name", "Kangilerngata"), ("source", "Sentinel-1"), ("scene", "Helheim"), ("image", "S1")]
)
def test_a_name_that_all_lines_share_is_a_front_on_each_date(tmp_path, caplog, attribute, value):
    rows = [{attribute: value, "date": f"{year}-07-01"} for year in YEARS]
    path = write_lines(tmp_path / "f.geojson", [UTM.to_lonlat(line(year)) for year in YEARS], rows)
    with caplog.at_level(logging.INFO, logger="glacierjax"):
        found = measured([path], tmp_path / "out")
    assert found["scenes"] == len(YEARS)
    assert found["box_m"]["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)
    assert f"fronts of several dates have the name {value}" in caplog.text
    assert read_fronts([str(path)])[0].scene == f"{value} 2010-07-01"


def test_a_name_that_files_of_several_dates_share_is_a_front_on_each_date(tmp_path):
    for year in YEARS:
        row = {"name": "Kangilerngata", "date": f"{year}-07-01"}
        write_lines(tmp_path / f"{year}.geojson", [UTM.to_lonlat(line(year))], [row])
    assert [front.date and front.date.year for front in read_fronts([str(tmp_path)])] == [*YEARS]


def test_a_piece_without_a_date_belongs_to_the_front_of_its_name(tmp_path):
    rows = [{"scene": "a", "date": "2010-07-01"}, {"scene": "a", "date": None}]
    pieces = [UTM.to_lonlat(line(2010)[:20]), UTM.to_lonlat(line(2010)[19:])]
    (front,) = read_fronts([str(write_lines(tmp_path / "f.geojson", pieces, rows))])
    assert (front.scene, front.date, len(front.lines)) == ("a", datetime.date(2010, 7, 1), 2)


def test_lines_of_others_with_a_scene_and_a_quality_are_not_taken_for_our_own(tmp_path, caplog):
    rows = [{"scene": f"a{year}", "date": f"{year}-07-01", "quality": "fair", "error_m": "low"} for year in YEARS]
    path = write_lines(tmp_path / "f.geojson", [UTM.to_lonlat(line(year)) for year in YEARS], rows)
    assert measured([path], tmp_path / "out")["box_m"]["measured"] == len(YEARS)
    assert "the glacier is taken to lie on the left" in caplog.text
    far = [UTM.to_lonlat(line(year, east_px=2000)) for year in YEARS]
    path = write_lines(tmp_path / "far.geojson", far, [row | {"scene": f"b{row['scene']}"} for row in rows])
    with pytest.raises(InputError, match="several glaciers"):
        measured([tmp_path / "f.geojson", path], tmp_path / "both")


def test_lines_without_a_glacier_are_told_apart_by_place(tmp_path, caplog):
    far = [UTM.to_lonlat(line(year, east_px=2000)) for year in YEARS]
    near = [UTM.to_lonlat(line(year)) for year in YEARS]
    rows = [{"src": f"{year}0701_30m.tif"} for year in YEARS]
    path = write_lines(tmp_path / "all.geojson", near + far, rows * 2)
    with pytest.raises(InputError, match=r"several glaciers \(\d\d\.\d\dN \d\d\.\d\dW, .*\); choose one"):
        measured([path], tmp_path / "out")
    first = read_fronts([str(path)])[0].glacier
    assert measured([path], tmp_path / "one", glacier=first)["scenes"] == len(YEARS)
    corners = UTM.to_lonlat(np.array([[100.0, 50], [260, 50], [260, 250], [100, 250]]))
    write_geojson(tmp_path / "box.geojson", [polygon_feature(shapely.Polygon(corners), {})])
    with caplog.at_level(logging.INFO, logger="glacierjax"):
        found = measured([path], tmp_path / "box", box=str(tmp_path / "box.geojson"))
    assert "the only one of 2 with fronts in" in caplog.text
    assert found["box_m"]["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)


def test_the_other_lines_are_measured_when_a_file_is_damaged(tmp_path):
    (tmp_path / "in").mkdir()
    for year in YEARS:
        write_lines(tmp_path / "in" / f"{year}-07-01.geojson", [UTM.to_lonlat(line(year))], [{}])
    write_text(tmp_path / "in" / "2030-07-01.geojson", '{"type": "Feature')
    written = r"written without 1 file\(s\) of lines: .*2030-07-01.geojson: not a readable GeoJSON file"
    with pytest.raises(InputError, match=written):
        measured([tmp_path / "in"], tmp_path / "out")
    found = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert found["box_m"]["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)
    assert len(found["files_left_out"]) == 1 and found["scenes"] == len(YEARS)
    with pytest.raises(InputError, match=written):
        make_composites([str(tmp_path / "in")], tmp_path / "composites", CompositeOptions())
    assert json.loads((tmp_path / "composites" / "composite.json").read_text())["fronts"] == len(YEARS)


def test_scenes_of_our_own_without_a_glacier_are_told_apart_by_place_but_not_their_parts(tmp_path):
    own = dict.fromkeys(COLUMNS)
    shapes, rows = [], []
    for year in YEARS:
        for place, north_px in (("near", 0), ("far", 3000)):
            parts = [line(year) - (0, north_px)]
            if place == "near":  # an error of the network, far off
                parts.append(line(year, east_px=3000)[:5])
            shapes.append(shapely.MultiLineString([UTM.to_lonlat(part) for part in parts]))
            rows.append(own | {"scene": f"{place}_{year}", "line": 1, "date": f"{year}-07-01"})
    path = write_vectors(tmp_path / "f.geojson", shapes, rows, 4326)
    fronts = read_fronts([str(path)])
    assert len(fronts) == 2 * len(YEARS)
    assert len({(front.scene.split("_")[0], front.glacier) for front in fronts}) == 2
    with pytest.raises(InputError, match=r"several glaciers \(\d\d\.\d\dN \d\d\.\d\dW, .*\); choose one"):
        measured([path], tmp_path / "out")


@pytest.mark.parametrize("kind", ["in pieces", "all reversed", "mixed"])
def test_lines_whose_direction_says_nothing_are_measured_with_a_point_on_the_glacier(tmp_path, kind):
    members = []
    for year in YEARS:
        pieces = [line(year)[:25], line(year)[24:]] if kind == "in pieces" else [line(year)]
        for number, piece in enumerate(pieces):
            turned = kind == "all reversed" or (kind == "mixed" and year % 2) or (kind == "in pieces" and number)
            members.append(feature(UTM.to_lonlat(piece[::-1] if turned else piece), {"Date": f"{year}-07-01"}))
    write_geojson(tmp_path / "f.geojson", members)
    corners = UTM.to_lonlat(np.array([[100.0, 50], [260, 50], [260, 250], [100, 250]]))
    box = polygon_feature(shapely.Polygon(corners), {})
    for mark in (
        point_feature(UTM.to_lonlat(np.array([[20.0, 150]]))[0], {}),
        feature(UTM.to_lonlat(np.array([[20.0, 100], [20, 200]])), {}),
    ):
        for name, file_members in (("box", [box, mark]), ("mark", [mark])):
            write_geojson(tmp_path / f"{name}.geojson", file_members)
            found = measured([tmp_path / "f.geojson"], tmp_path / name, box=str(tmp_path / f"{name}.geojson"))
            assert found["box_m"]["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)
            assert found["glacier_side_from"] == "point on the glacier" and found["scenes"] == len(YEARS)


@pytest.mark.parametrize("suffix", [".geojson", ".shp"])
def test_a_series_keeps_whose_lines_they_are_and_of_which_glacier(tmp_path, suffix):
    rows = [{"Date": f"{year}-07-01", "Author": "Goliber", "GlacierID": 7} for year in YEARS]
    write_lines(tmp_path / f"f{suffix}", [UTM.to_lonlat(line(year)) for year in YEARS], rows)
    measured([tmp_path / f"f{suffix}"], tmp_path / "out")
    for _, facts in read_features(tmp_path / "out" / "judged.geojson"):
        assert (facts["Author"], facts["GlacierID"]) == ("Goliber", "7")
    measured([tmp_path / "out"], tmp_path / "again")
    assert (tmp_path / "again" / "judged.geojson").read_text() == (tmp_path / "out" / "judged.geojson").read_text()


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
def test_a_series_keeps_the_columns_of_a_prediction(tmp_path, suffix):
    told = {"checkpoint": "RUN", "pixel_spacing_m": 20.0, "error_m": 90.0, "error_low_m": 40.0, "error_high_m": 200.0}
    told |= {"GlacierID": "G7", "Author": "Me", "quality": "good", "reasons": ""}
    shapes, rows = [], []
    for year in YEARS:
        shapes.append(shapely.LineString(UTM.to_lonlat(line(year))))
        rows.append(dict.fromkeys(COLUMNS) | told | {"scene": f"S1_{year}", "line": 1, "date": f"{year}-07-01"})
    if suffix == ".geojson":
        write_vectors(tmp_path / "f.geojson", shapes, rows, 4326)
    else:
        write_layer(tmp_path / f"f{suffix}", shapes, rows, WGS84)
    measured([tmp_path / f"f{suffix}"], tmp_path / "out")
    for _, facts in read_features(tmp_path / "out" / "judged.geojson"):
        assert {name: facts[name] for name in told} == told


@pytest.mark.parametrize("colour", ["no number", True, None])
def test_columns_of_a_prediction_that_somebody_spoilt_are_empty(tmp_path, colour):
    rows = [
        {"scene": f"S1_{year}", "line": 1, "checkpoint": None, "date": f"{year}-07-01", "error_low_m": colour}
        for year in YEARS
    ]
    write_lines(tmp_path / "f.geojson", [UTM.to_lonlat(line(year)) for year in YEARS], rows)
    measured([tmp_path / "f.geojson"], tmp_path / "out")
    assert all(facts["error_low_m"] is None for _, facts in read_features(tmp_path / "out" / "judged.geojson"))


@pytest.mark.parametrize(
    ("pixel", "swapped", "message"),
    [((20.0, 150.0), True, "km from the front"), ((150.0, 900.0), False, "beyond the front's end")],
    ids=["longitude and latitude exchanged", "ahead of the end"],
)
def test_a_point_that_tells_no_side_of_a_series_is_refused(tmp_path, pixel, swapped, message):
    members = [feature(UTM.to_lonlat(line(year)), {"Date": f"{year}-07-01"}) for year in YEARS]
    write_geojson(tmp_path / "f.geojson", members)
    lonlat = UTM.to_lonlat(np.array([pixel]))[0]
    write_geojson(tmp_path / "mark.geojson", [point_feature(lonlat[::-1] if swapped else lonlat, {})])
    with pytest.raises(InputError, match=message):
        measured([tmp_path / "f.geojson"], tmp_path / "out", box=str(tmp_path / "mark.geojson"))


def test_the_box_of_a_prediction_is_clipped_to_where_fronts_reach(tmp_path, caplog):
    members = [
        feature(UTM.to_lonlat(line(year, north_px=40, south_px=260)), {"Date": f"{year}-07-01"}) for year in YEARS
    ]
    write_geojson(tmp_path / "f.geojson", members)
    corners = UTM.to_lonlat(np.array([[50.0, 20], [300, 20], [300, 280], [50, 280]]))
    write_geojson(tmp_path / "box.geojson", [polygon_feature(shapely.Polygon(corners), {})])
    found = measured([tmp_path / "f.geojson"], tmp_path / "out", box=str(tmp_path / "box.geojson"))
    assert "clipped to where they reach (box.geojson), 6 dates are measured" in caplog.text
    assert found["box_m"]["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)
    assert found["box"]["width_m"] == pytest.approx(220 * 20 * 0.96, rel=0.01)


def test_a_series_without_a_measurement_is_an_error_that_leaves_its_plot(tmp_path):
    members = [
        feature(UTM.to_lonlat(line(year, 150 + 20 * (year % 2), 160 + 20 * (year % 2))), {"Date": f"{year}-07-01"})
        for year in YEARS
    ]
    write_geojson(tmp_path / "f.geojson", members)
    corners = UTM.to_lonlat(np.array([[50.0, 20], [300, 20], [300, 280], [50, 280]]))
    write_geojson(tmp_path / "box.geojson", [polygon_feature(shapely.Polygon(corners), {})])
    with pytest.raises(InputError, match=r"box.geojson: none of 6 fronts could be measured: .* draw `box` narrower"):
        measured([tmp_path / "f.geojson"], tmp_path / "out", box=str(tmp_path / "box.geojson"))
    assert (tmp_path / "out" / "timeseries.png").exists()
    beside = shapely.transform(shapely.Polygon(corners), lambda points: points + np.array([5, 0]))
    write_geojson(tmp_path / "beside.geojson", [polygon_feature(beside, {})])
    with pytest.raises(InputError, match=r"beside.geojson: no front lies in it"):
        measured([tmp_path / "f.geojson"], tmp_path / "out", box=str(tmp_path / "beside.geojson"))


@pytest.mark.parametrize("named", [{}, {"glacier": "JAC"}], ids=["no glacier", "a glacier"])
def test_lines_without_length_are_left_out_and_told(tmp_path, caplog, named):
    lines = [UTM.to_lonlat(line(year)) for year in YEARS]
    point = np.repeat(lines[0][:1], 2, axis=0)
    rows = [{"Date": f"{year}-07-01", **named} for year in YEARS]
    path = write_lines(tmp_path / "fronts.geojson", [*lines, point], [*rows, {"Date": "2020-07-01", **named}])
    found = measured([path], tmp_path / "out")
    assert found["box_m"]["change"] == pytest.approx(TRUE_CHANGE_M, rel=0.01)
    assert found["scenes"] == len(YEARS) + 1 and "1 line(s) without length left out" in caplog.text


@pytest.mark.parametrize("error", [-5, float("inf"), "much"])
def test_an_error_that_is_no_distance_is_refused_before_anything_is_written(tmp_path, error):
    own = {"line": 1, "checkpoint": "run"}
    features = [
        feature(UTM.to_lonlat(line(year)), {"scene": f"s_{year}-07-01", "error_m": 30.0, **own}) for year in YEARS
    ]
    features[1]["properties"]["error_m"] = error
    path = tmp_path / "fronts.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    with pytest.raises(InputError, match=r"fronts\.geojson: error_m .* is no number of metres"):
        measured([path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_centreline_that_measures_nothing_is_told(tmp_path, caplog):
    rows = [{"Date": f"{year}-07-01"} for year in YEARS]
    path = write_lines(tmp_path / "fronts.geojson", [UTM.to_lonlat(line(y)) for y in YEARS], rows)
    beside = np.array([[0.0, 900.0], [400.0, 900.0]])
    write_lines(tmp_path / "beside.geojson", [UTM.to_lonlat(beside)], [{}])
    write_lines(tmp_path / "across.geojson", [UTM.to_lonlat(beside - (0, 750))], [{}])
    write_lines(tmp_path / "point.geojson", [UTM.to_lonlat(beside[[0, 0]])], [{}])
    across = measured([path], tmp_path / "out", centreline=str(tmp_path / "across.geojson"))
    assert across["centreline_m"]["measured"] == len(YEARS) and "measures nothing" not in caplog.text
    assert measured([path], tmp_path / "out", centreline=str(tmp_path / "beside.geojson"))["box_m"]["measured"]
    assert "beside.geojson: no front leaves the glacier on it, so it measures nothing" in caplog.text
    for more in ({}, {"width_m": 500.0}):
        with pytest.raises(InputError, match=r"point\.geojson: all points of the line are the same"):
            measured([path], tmp_path / "out", centreline=str(tmp_path / "point.geojson"), **more)


def test_a_series_of_centuries_has_composites_with_a_picture(tmp_path):
    years = dict(zip((1700, 1800, 1900, 1950, 2000, 2015), YEARS, strict=True))
    rows = [{"Date": f"{year}-07-01"} for year in years]
    path = write_lines(tmp_path / "fronts.geojson", [UTM.to_lonlat(line(place)) for place in years.values()], rows)
    measured([path], tmp_path / "out")
    make_composites([str(tmp_path / "out")], tmp_path / "composites", CompositeOptions())
    assert (tmp_path / "composites" / "composite.png").is_file()
