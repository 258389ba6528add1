"""`glacierjax.timeseries` from files: known retreat on Earth and in pixels, and what is refused."""

import csv
import dataclasses
import datetime
import json
import shutil

import numpy as np
import pytest
import scipy.stats
import shapely
from helpers import run_here
from rasterio.crs import CRS

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import decimal_year
from glacierjax.geo.georeference import WGS84, Georeference, pixel_size, reproject
from glacierjax.geo.vectors import feature, write_geojson, write_points
from glacierjax.terminus.box import Box
from glacierjax.terminus.centreline import towards_ocean
from glacierjax.terminus.direction import one_direction
from glacierjax.terminus.fronts import Front, lay_out, read_fronts
from glacierjax.terminus.inputs import (
    choose_box,
    choose_glacier,
    choose_spacing,
    drawn_polygon,
    given_area,
    given_centreline,
    point_on_glacier,
    write_box,
)
from glacierjax.terminus.plot import draw_series
from glacierjax.terminus.series import Row, csv_text, measure, summary

UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
GROUND_M = 20 / 0.9996  # of a pixel: the scale of UTM at its central meridian
YEARS = range(2010, 2016)
RETREAT_PX = 10  # a year


def line(year, height_px=300):
    """Glacier in the west, so the line runs to the north; it retreats by `RETREAT_PX` each year."""
    y = np.linspace(height_px, 0, 61)
    return np.column_stack([200 - RETREAT_PX * (year - YEARS[0]) + 3 * np.sin(y / 20), y])


def drawn_box(path, fronts, plane):
    """The box that a file draws."""
    return choose_box(drawn_polygon(given_area(path), fronts, plane), fronts, path)


def name(year, glacier="JAC"):
    return f"{glacier}_{year}-07-01_S1_20_1_001"


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """A folder as `glacierjax.predict` leaves it: six years, and a scene without front."""
    folder = tmp_path_factory.mktemp("predictions")
    for year in YEARS:
        write_geojson(
            folder / "lines" / f"{name(year)}.geojson", [feature(UTM.to_lonlat(line(year)), {"scene": name(year)})]
        )
    write_geojson(folder / "lines" / f"{name(2016)}.geojson", [])
    write_geojson(folder / "fronts.geojson", [])  # all of them again: not to be read twice
    return folder


@pytest.fixture(scope="module")
def placed(predictions):
    return lay_out(choose_glacier(read_fronts([str(predictions)]), ""))


def test_fronts_come_by_date_with_what_their_names_say(placed):
    fronts, plane = placed
    assert [front.scene for front in fronts] == [name(year) for year in (*YEARS, 2016)]
    assert (fronts[0].glacier, fronts[0].sensor, fronts[-1].lines) == ("JAC", "S1", [])
    assert np.hypot(*np.diff(fronts[0].lines[0], axis=0).T).sum() == pytest.approx(
        np.hypot(*np.diff(line(2010), axis=0).T).sum() * GROUND_M, rel=1e-3
    )
    assert plane.crs is not None


def test_both_methods_find_the_retreat_of_fronts_on_earth(placed, tmp_path):
    fronts, plane = placed
    write_geojson(tmp_path / "flow.geojson", [feature(UTM.to_lonlat(np.array([[400, 150.0], [0, 150]])), {})])
    centreline = given_centreline(str(tmp_path / "flow.geojson"), plane)
    assert centreline is not None
    centreline = towards_ocean(centreline, [front.lines for front in fronts])
    box = choose_box(None, fronts, "")
    rows = measure(fronts, box, centreline)
    expected = [-RETREAT_PX * GROUND_M * i for i in range(len(YEARS))]
    np.testing.assert_allclose([row.box_change_m for row in rows[:-1]], expected, rtol=2e-3)
    np.testing.assert_allclose([row.centreline_change_m for row in rows[:-1]], expected, rtol=2e-3)
    np.testing.assert_allclose(
        [row.area_change_km2 for row in rows[:-1]], np.array(expected) * box.width_m / 1e6, rtol=2e-3
    )
    assert (rows[-1].box_change_m, rows[-1].centreline_change_m, rows[-1].note) == (None, None, "no front")
    found = summary(rows, box)
    assert found["box_m"]["trend_per_year"] == pytest.approx(-RETREAT_PX * GROUND_M, rel=5e-3)
    assert found["centreline_m"]["measured"] == 6 and found["scenes"] == 7
    assert list(csv.DictReader(csv_text(rows).splitlines()))[-1]["box_position_m"] == ""


def test_trends_have_the_standard_error_of_regression():
    dates = [datetime.date(2010, 1, 1) + datetime.timedelta(days=d) for d in (0, 200, 500, 1000, 1100)]
    areas_m2 = np.array([5.0, 4, 4.5, 1, 0]) * 1e5
    rows = [
        Row(
            date,
            str(date),
            None,
            None,
            area / 1e6,
            (area - areas_m2[0]) / 1e6,
            area / 400,
            (area - areas_m2[0]) / 400,
            None,
            None,
            "",
        )
        for date, area in zip(dates, areas_m2, strict=True)
    ]
    box = Box(shapely.box(0, 0, 2000, 400), 400.0)
    years = [decimal_year(date) for date in dates]
    expected = scipy.stats.linregress(years, areas_m2 / 400)
    found = summary(rows, box)["box_m"]
    assert found["trend_per_year"] == pytest.approx(expected.slope)
    assert found["trend_error_per_year"] == pytest.approx(expected.stderr)
    two = summary(rows[:2], box)["box_m"]
    assert two["trend_error_per_year"] is None and two["change"] == -250
    assert summary(rows[:1], box)["box_m"]["trend_per_year"] is None


def test_the_box_that_was_used_can_be_given_again(placed, tmp_path):
    fronts, plane = placed
    box = choose_box(None, fronts, "")
    write_box(tmp_path / "box.geojson", box, plane, fronts)
    again = drawn_box(str(tmp_path / "box.geojson"), fronts, plane)
    assert again.width_m == pytest.approx(box.width_m, rel=1e-3)
    assert [r.box_change_m for r in measure(fronts, again, None)][:-1] == pytest.approx(
        [r.box_change_m for r in measure(fronts, box, None)][:-1], rel=1e-3
    )


def test_fronts_in_pixels_are_measured_with_their_spacing(tmp_path):
    for year in YEARS:
        write_points(tmp_path / f"{name(year)}.csv", [line(year)], name(year), 20)
    (tmp_path / "box.txt").write_text("x,y\n50,200\n50,100\n250,100\n250,200\n")
    fronts, plane = lay_out(read_fronts([str(tmp_path / "*.csv")]))
    box = drawn_box(str(tmp_path / "box.txt"), fronts, plane)
    assert box.width_m == pytest.approx(2000)
    changes = [row.box_change_m for row in measure(fronts, box, None)]
    np.testing.assert_allclose(changes, [-RETREAT_PX * 20 * i for i in range(len(YEARS))], atol=1e-6)
    with pytest.raises(InputError, match="in pixels"):
        write_geojson(tmp_path / "flow.geojson", [feature(np.array([[0, 0], [1, 1.0]]), {})])
        given_centreline(str(tmp_path / "flow.geojson"), plane)


def test_picture_is_drawn(placed, tmp_path):
    fronts, _ = placed
    box = choose_box(None, fronts, "")
    draw_series(tmp_path / "t.png", "JAC", fronts, measure(fronts, box, None), box, None)
    assert (tmp_path / "t.png").stat().st_size > 10_000


def front(scene, date="2011-01-01", glacier="JAC", spacing_m=None):
    lines = [np.array([[0.0, 0], [1, 1]])]
    return Front(scene, lines, date and datetime.date.fromisoformat(date), glacier, None, spacing_m)


def test_what_does_not_go_together_is_told(caplog):
    with pytest.raises(InputError, match=r"several glaciers \(COL, JAC\); choose one with `glacier`"):
        choose_glacier([front("a"), front("b", glacier="COL")], "")
    assert [f.scene for f in choose_glacier([front("a"), front("b", glacier="COL")], "COL")] == ["b"]
    choose_glacier([front("first"), front("second"), front("c", date="2011-01-02")], "")
    assert "several fronts of one date: first, second; each" in caplog.text
    with pytest.raises(InputError, match=r"glacier='SI': no front of it; there are: JAC"):
        choose_glacier([front("a")], "SI")
    with pytest.raises(InputError, match="no date in the attributes or the name"):
        choose_glacier([front("a", date=None)], "")
    with pytest.raises(InputError, match="some in pixels, some on Earth"):
        lay_out([front("a"), front("b", spacing_m=20.0)])


def test_pixels_of_several_sizes_are_a_choice():
    both = [front("a", spacing_m=7.0), front("b", spacing_m=20.0), front("c", spacing_m=20.0)]
    with pytest.raises(InputError, match=r"7 m \(1 scenes\), 20 m \(2 scenes\); choose one with `pixel_spacing_m`"):
        choose_spacing(both, None)
    assert [f.scene for f in choose_spacing(both, 20.0)] == ["b", "c"]
    with pytest.raises(InputError, match="no front of it; there are: 7 m"):
        choose_spacing(both, 12.0)
    on_earth = [front("a"), front("b")]
    assert choose_spacing(on_earth, None) == on_earth


def test_files_that_are_no_fronts_are_told(tmp_path, predictions):
    with pytest.raises(InputError, match=r"fronts=.*nothing'?: no front lines there"):
        read_fronts([str(tmp_path / "nothing")])
    square = '{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}'
    (tmp_path / "area.geojson").write_text(square)
    with pytest.raises(InputError, match=r"area.geojson: a Polygon in it; fronts are lines"):
        read_fronts([str(tmp_path / "area.geojson")])
    twice = tmp_path / "copy.geojson"
    twice.write_text((predictions / "lines" / f"{name(2010)}.geojson").read_text())
    with pytest.raises(InputError, match=rf"copy.geojson: a second front of the scene {name(2010)}"):
        read_fronts([str(predictions), str(twice)])


def test_nothing_found_is_told(tmp_path):
    write_geojson(tmp_path / f"{name(2010)}.geojson", [])
    with pytest.raises(InputError, match="none of the scenes has a front"):
        lay_out(read_fronts([str(tmp_path)]))


def changes(fronts, plane, on_glacier=None):
    straight, turned = one_direction(fronts, on_glacier)
    return [row.box_change_m for row in measure(straight, choose_box(None, straight, ""), None)], turned


def reversed_scenes(fronts, names):
    return [dataclasses.replace(f, lines=[line[::-1] for line in f.lines]) if f.scene in names else f for f in fronts]


def test_a_front_drawn_the_other_way_round_is_turned_and_named(placed):
    fronts, plane = placed
    right, nothing = changes(fronts, plane)
    assert nothing == [] and right[5] == pytest.approx(-5 * RETREAT_PX * GROUND_M, rel=2e-3)
    for wrong in ([name(2015)], [name(2010)], [name(2011), name(2014)]):
        found, turned = changes(reversed_scenes(fronts, wrong), plane)
        assert turned == wrong
        assert found[:-1] == pytest.approx(right[:-1])


def test_pieces_of_a_front_that_run_against_the_rest_are_turned(placed):
    fronts, plane = placed
    cut = [
        dataclasses.replace(f, lines=[f.lines[0][:31], f.lines[0][30:][::-1]]) if f.scene == name(2012) else f
        for f in fronts
    ]
    assert changes(cut, plane)[1] == [name(2012)]
    assert changes(cut, plane)[0][:-1] == pytest.approx(changes(fronts, plane)[0][:-1])


def test_a_point_on_the_glacier_decides_for_all_fronts(placed, tmp_path):
    fronts, plane = placed
    box = choose_box(None, fronts, "")
    write_box(tmp_path / "box.geojson", box, plane, fronts)
    on_glacier = point_on_glacier(str(tmp_path / "box.geojson"), plane)
    all_wrong = reversed_scenes(fronts, [f.scene for f in fronts])
    found, turned = changes(all_wrong, plane, on_glacier)
    assert turned == [name(year) for year in YEARS]
    assert found[:-1] == pytest.approx(changes(fronts, plane)[0][:-1])
    half = reversed_scenes(fronts, [name(year) for year in (2010, 2012, 2014)])
    with pytest.raises(InputError, match=r"nobody knows on which side the glacier is; .*point on the glacier"):
        one_direction(half)
    assert changes(half, plane, on_glacier)[0][:-1] == pytest.approx(changes(fronts, plane)[0][:-1])


def test_a_side_wall_and_an_iceberg_keep_their_direction():
    angle = np.linspace(0, 2 * np.pi, 40)
    iceberg = np.column_stack([np.cos(angle), np.sin(angle)]) * 30
    iceberg[-1] = iceberg[0]
    straight = np.array([[0.0, 0], [0, 300]])
    lines = [straight, np.array([[0.0, 300], [100, 300]]), iceberg]
    fronts, turned = one_direction([Front("a", lines, datetime.date(2011, 1, 1), "JAC", None)])
    assert turned == [] and all(new is old for new, old in zip(fronts[0].lines, lines, strict=True))


@pytest.mark.parametrize("date", ["2016-01-05T00:00:00", "2016/01/05", "2016-01-05T23:59:59.5Z", "20160105"])
def test_dates_as_other_programs_write_them(tmp_path, date):
    properties = {"scene": "JAC_a", "date": date}
    write_geojson(tmp_path / "f.geojson", [feature(UTM.to_lonlat(line(2010)), properties)])
    assert read_fronts([str(tmp_path / "f.geojson")])[0].date == datetime.date(2016, 1, 5)
    write_geojson(tmp_path / "f.geojson", [feature(UTM.to_lonlat(line(2010)), properties | {"date": "05.01.16"})])
    with pytest.raises(InputError, match=r"JAC_a: '05.01.16' is not a date; write YYYY-MM-DD"):
        read_fronts([str(tmp_path / "f.geojson")])


def test_hidden_files_are_no_fronts(predictions, tmp_path, monkeypatch):
    shutil.copytree(predictions / "lines", tmp_path / "lines")
    for hidden in (".DS_Store", f"._{name(2010)}.geojson"):
        (tmp_path / "lines" / hidden).write_bytes(b"\0\5\x16\7")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(read_fronts(["~"])) == len(read_fronts(["~/lines/*.geojson"])) == len(YEARS) + 1


@pytest.mark.parametrize("epsg", [3031, 32601], ids=["polar stereographic", "UTM"])
def test_a_glacier_at_180_degrees_is_measured_as_any_other(tmp_path, epsg):
    crs = CRS.from_epsg(epsg)
    ((x, y),) = reproject(np.array([[180.0, -77]]), WGS84, crs)
    grid = Georeference(crs, (20, 0, x - 150 * 20, 0, -20, y + 150 * 20))
    for year in YEARS:
        write_geojson(tmp_path / f"{name(year)}.geojson", [feature(grid.to_lonlat(line(year)), {"scene": name(year)})])
    fronts, plane = lay_out(read_fronts([str(tmp_path)]))
    assert [len(f.lines) for f in fronts] == [1] * len(YEARS), "cut in the file, joined again"
    box = choose_box(None, fronts, "")
    ground_m = 20 * pixel_size(grid, (300, 300)).spacing_m / 20
    write_box(tmp_path / "box.json", box, plane, fronts)
    again = drawn_box(str(tmp_path / "box.json"), fronts, plane)
    longitudes = json.dumps(json.loads((tmp_path / "box.json").read_text()))
    assert "MultiPolygon" in longitudes and "180.0" in longitudes and "-180.0" in longitudes
    for used in (box, again):
        found = [row.box_change_m for row in measure(fronts, used, None)]
        np.testing.assert_allclose(np.diff(found), -RETREAT_PX * ground_m, rtol=0.03)
    assert again.width_m == pytest.approx(box.width_m, rel=1e-3)


def test_command_writes_its_files(predictions, tmp_path):
    done = run_here("glacierjax.timeseries", f"--fronts={predictions}", f"--output={tmp_path / 'out'}")
    assert (
        done.returncode == 0
        and "box method: -1000 m, trend -200 m a year (standard error 0" in done.stderr
        and ", 6 of 7 scenes" in done.stderr
    ), done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "box.geojson",
        "judged.geojson",
        "summary.json",
        "timeseries.csv",
        "timeseries.png",
    ]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["box_m"]["measured"] == 6
    done = run_here("glacierjax.timeseries")
    assert done.returncode == 2 and done.stderr.startswith("timeseries: --fronts: missing; Front lines (")
    assert done.stderr.count("\n") == 1
