"""`glacierjax composite` from files: tables, lines, a CF-NetCDF that other programs read, pictures, and what is refused."""

import csv
import datetime
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import shapely
from helpers import run_here
from rasterio.crs import CRS

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import decimal_year
from glacierjax.fronts.verdict import REJECT
from glacierjax.geo.features import read_features
from glacierjax.geo.georeference import Georeference
from glacierjax.geo.line_columns import COLUMNS, COMPOSITE_COLUMNS
from glacierjax.geo.vectors import feature, polygon_feature, write_geojson, write_points
from glacierjax.terminus import compose, follow, mask_file
from glacierjax.terminus.compose import CompositeOptions, make_composites
from glacierjax.terminus.fronts import read_fronts
from glacierjax.terminus.open_series import SeriesOptions

UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
RATE_PX = -8.0  # a year
GAP = (datetime.date(2011, 4, 1), datetime.date(2011, 7, 1))
JUMPED = datetime.date(2011, 9, 15)


def line(date, north_px=0):
    """Glacier in the west, the line runs north; it retreats, and swings with the seasons."""
    year = decimal_year(date)
    along = 150 + RATE_PX * (year - 2010) + 5 * np.cos(2 * np.pi * year) + (60 if date == JUMPED else 0)
    y = np.linspace(300, north_px, 61)
    return np.column_stack([along + 3 * np.sin(y / 20), y])


def write_fronts(path, dates, glacier="JAC", quality=None, ids=None, **others):
    told = {"glacier": glacier, "error_m": 15.0, "quality": quality}
    members = [
        feature(
            UTM.to_lonlat(line(d, **others)),
            dict.fromkeys(COLUMNS)
            | told
            | {"scene": f"{glacier}_{d}", "date": str(d), "GlacierID": ids and ids[d.year]},
        )
        for d in dates
    ]
    write_geojson(path, members)
    return path


@pytest.fixture(scope="module")
def dates():
    days = [datetime.date(year, month, day) for year in (2010, 2011, 2012) for month in range(1, 13) for day in (5, 15)]
    return [day for day in days if not GAP[0] <= day < GAP[1]]


@pytest.fixture(scope="module")
def series(tmp_path_factory, dates):
    folder = tmp_path_factory.mktemp("series")
    write_fronts(folder / "f.geojson", dates)
    done = run_here("glacierjax.timeseries", f"--fronts={folder / 'f.geojson'}", f"--output={folder / 'S'}")
    assert done.returncode == 0, done.stderr
    return folder / "S"


@pytest.fixture(scope="module")
def composites(series):
    pytest.importorskip("netCDF4", reason="the extra [netcdf] is not installed")
    pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
    output = series.parent / "C"
    flags = ["--vector=gpkg", "--vector=shp", "--vector=parquet", "--figure=svg", "--figure=pdf", "--grid_spacing_m=40"]
    done = run_here("glacierjax.composite", f"--fronts={series}", f"--output={output}", *flags)
    assert done.returncode == 0, done.stderr
    assert "ice mask in EPSG:3413, the usual projection there; --crs chooses another one" in done.stderr
    return output


def test_the_series_keeps_its_lines_with_verdicts(series, dates):
    fronts = read_fronts([str(series)])
    assert len(fronts) == len(dates)
    assert [f.date for f in fronts if f.verdict.quality == REJECT] == [JUMPED]


def test_tables_have_the_known_motion_and_keep_gaps(composites):
    rows = list(csv.DictReader((composites / "monthly.csv").read_text().splitlines()))
    assert [row["period"] for row in rows if not row["position_m"]] == ["2011-04", "2011-05", "2011-06"]
    seen = [row for row in rows if row["position_m"]]
    assert {row["scenes"] for row in seen} == {"2", "1"}
    (alone,) = (row for row in seen if row["scenes"] == "1")
    assert alone["period"] == "2011-09", "the front that jumped is left out"
    places = np.array([float(row["position_m"]) for row in seen])
    true = [np.mean([line(datetime.date.fromisoformat(row["date"]))[:, 0].mean()]) * 20 for row in seen]
    np.testing.assert_allclose(places - places[0], np.array(true) - true[0], atol=25)
    years = list(csv.DictReader((composites / "annual.csv").read_text().splitlines()))
    assert [(year["period"], year["months"]) for year in years] == [("2010", "12"), ("2011", "9"), ("2012", "12")]
    assert float(years[1]["error_m"]) > float(years[0]["error_m"])
    found = json.loads((composites / "composite.json").read_text())
    trend = found["trend_of_months_m"]
    assert trend["trend_per_year"] == pytest.approx(RATE_PX * 20, abs=3 * trend["trend_error_per_year"] + 1)
    assert trend["season_range"] == pytest.approx(200, rel=0.1)
    assert found["months"] == {"seen": 33, "all": 36} and found["rejected"] == 1


@pytest.mark.parametrize(("second", "expected"), [("G7", "G7"), ("G8", None), (None, None)])
def test_lines_have_the_id_of_the_glacier_if_all_fronts_have_it(tmp_path, second, expected):
    days = [datetime.date(year, month, 5) for year in (2010, 2011) for month in range(1, 13)]
    write_fronts(tmp_path / "f.geojson", days, ids={2010: "G7", 2011: second})
    make_composites([str(tmp_path / "f.geojson")], tmp_path / "C", CompositeOptions())
    for name in ("monthly", "annual"):
        lines = read_features(tmp_path / "C" / f"{name}.geojson")
        assert lines and {facts["GlacierID"] for _, facts in lines} == {expected}


def test_lines_lie_where_the_fronts_were_in_all_formats(composites):
    for suffix in ("geojson", "gpkg", "shp", "parquet"):
        features = read_features(composites / f"monthly.{suffix}")
        assert len(features) == 33
    names = {name[:10].lower() for name in read_features(composites / "monthly.parquet")[0][1]}
    assert names == {name[:10].lower() for name in COMPOSITE_COLUMNS}
    for shape, facts in read_features(composites / "monthly.geojson"):
        first, last = (line(datetime.date.fromisoformat(facts[key])) for key in ("first_seen", "last_seen"))
        drawn = UTM.to_pixels(
            np.array(
                shapely.get_coordinates(shapely.transform(shape, lambda p: follow.reproject(p, follow.WGS84, UTM.crs)))
            )
        )
        assert facts["quality"] == "good" and facts["period"] == facts["ImageID"].split("_")[1]
        middle = drawn[len(drawn) // 2]
        between = sorted(np.interp(middle[1], of[::-1, 1], of[::-1, 0]) for of in (first, last))
        assert between[0] - 2 < middle[0] < between[1] + 2
    again = read_fronts([str(composites / "annual.geojson")])
    assert [(front.scene, front.glacier) for front in again] == [(f"JAC_{year}", "JAC") for year in (2010, 2011, 2012)]


def test_pictures_are_written_as_text_and_vectors(composites):
    svg = (composites / "composite.svg").read_text()
    assert "position (m)" in svg and "seasonal cycle" in svg
    assert (composites / "composite.pdf").read_bytes().startswith(b"%PDF")
    assert not (composites / "composite.png").exists()


def test_the_mask_is_a_cf_netcdf(composites):
    import netCDF4

    with netCDF4.Dataset(composites / "ice_mask.nc") as file:
        assert file.Conventions == mask_file.CONVENTIONS
        flags, share = file["ice_mask"], file["land_ice_area_fraction"]
        assert flags.dimensions == share.dimensions == ("time", "y", "x")
        assert flags.flag_values.dtype == flags.dtype and len(flags.flag_meanings.split()) == len(flags.flag_values)
        assert share.standard_name == "land_ice_area_fraction" and share.units == "1"
        for axis in ("x", "y"):
            assert file[axis].standard_name == f"projection_{axis}_coordinate" and (np.diff(file[axis]) > 0).all()
            bounds = file[file[axis].bounds][:]
            np.testing.assert_array_equal(bounds[1:, 0], bounds[:-1, 1])
        days = netCDF4.num2date(file["time"][:], file["time"].units, file["time"].calendar)
        assert [f"{day.year}-{day.month}" for day in days][:2] == ["2010-1", "2010-2"] and len(days) == 36
        bounds = file["time_bounds"][:]
        assert (bounds[:, 0] < file["time"][:]).all() and (file["time"][:] < bounds[:, 1]).all()
        mapping = file[flags.grid_mapping]
        assert mapping.grid_mapping_name == "polar_stereographic" and mapping.latitude_of_projection_origin == 90
        assert CRS.from_wkt(mapping.crs_wkt) == CRS.from_epsg(3413)
        scenes = file["scenes"][:].tolist()
        assert scenes.count(0) == 3
        ice = (flags[:] == 1).sum((1, 2))
        assert ice[0] > ice[-1] > 0 and all(ice[scenes.index(0) + n] > 0 for n in range(3))
        np.testing.assert_allclose(ice, np.nansum(share[:].filled(np.nan), (1, 2)), rtol=0.12)
    with rasterio.open(f"netcdf:{composites / 'ice_mask.nc'}:ice_mask") as read:
        assert read.crs == CRS.from_epsg(3413) and read.count == 36 and read.res == (40, 40)


def test_the_cf_checker_finds_nothing(composites):
    pytest.importorskip("compliance_checker", reason="compliance-checker (extra [test]) is not installed")
    checker = (
        "from compliance_checker.runner import ComplianceChecker as C, CheckSuite as S;S.load_all_available_checkers();"
    )
    options = "['cf:1.10'], 1, 'strict', output_filename='-', output_format='json'"
    run = f"C.run_checker({str(composites / 'ice_mask.nc')!r}, {options})"
    done = subprocess.run([sys.executable, "-c", checker + run], capture_output=True, text=True)
    found = json.loads(done.stdout[done.stdout.index("{") :])
    report = next(iter(found.values())) if "high_count" not in found else found
    report = report.get("cf:1.10", report)
    wrong = [p["msgs"] for kind in ("high", "medium", "low") for p in report[f"{kind}_priorities"] if p["msgs"]]
    assert wrong == [] and report["scored_points"] > 100, wrong


def test_other_lines_and_their_box_are_judged_first(dates, tmp_path, monkeypatch):
    monkeypatch.setattr(compose, "draw_composites", lambda *_: None)
    write_fronts(tmp_path / "f.geojson", dates)
    corners = UTM.to_lonlat(np.array([[20.0, 50], [260, 50], [260, 250], [20, 250]]))
    write_geojson(tmp_path / "box.geojson", [polygon_feature(shapely.Polygon(corners), {})])
    make_composites([str(tmp_path / "f.geojson")], tmp_path / "C", CompositeOptions(box=str(tmp_path / "box.geojson")))
    found = json.loads((tmp_path / "C" / "composite.json").read_text())
    assert found["rejected"] == 1 and found["ice_mask"] is None
    assert sorted(p.name for p in (tmp_path / "C").iterdir()) == sorted(
        [
            "monthly.csv",
            "annual.csv",
            "composite.json",
            "monthly.geojson",
            "annual.geojson",
            "monthly.qml",
            "annual.qml",
        ]
    )


def test_nothing_of_earlier_composites_is_left_beside_new_ones(series, composites, tmp_path):
    kept = {"gpkg": True, "shp": False, "parquet": False, "pdf": False, "svg": True}
    shutil.copytree(composites, tmp_path / "C")
    make_composites([str(series)], tmp_path / "C", CompositeOptions(vector=("gpkg",), figures=("svg",)))
    suffixes = {path.suffix[1:] for path in (tmp_path / "C").iterdir()}
    assert {suffix: suffix in suffixes for suffix in kept} == kept
    assert suffixes.isdisjoint({"nc", "dbf", "shx", "prj", "cpg"})


def test_fronts_that_are_all_rejected_are_told_and_have_no_change(dates, tmp_path):
    write_fronts(tmp_path / "f.geojson", dates[:3], quality=REJECT)
    with pytest.raises(
        InputError, match=r"all that could be measured are rejected: JAC_2010-01-05.*`threshold`"
    ) as told:
        follow.follow_terminus([str(tmp_path / "f.geojson")], tmp_path / "S", SeriesOptions())
    assert "narrower" not in str(told.value)
    rows = list(csv.DictReader((tmp_path / "S" / "timeseries.csv").read_text().splitlines()))
    assert all(row["box_position_m"] and not row["box_change_m"] and not row["area_change_km2"] for row in rows)


def test_a_series_in_a_curved_box_keeps_it(dates, tmp_path, monkeypatch):
    monkeypatch.setattr(compose, "draw_composites", lambda *_: None)
    monkeypatch.setattr(follow, "draw_series", lambda *_: None)
    write_fronts(tmp_path / "f.geojson", dates)
    bend = np.linspace(0, 1, 60)
    flow = np.column_stack([20 + 240 * bend, 150 + 20 * np.sin(3 * bend)])
    write_geojson(tmp_path / "flow.geojson", [feature(UTM.to_lonlat(flow), {})])
    options = SeriesOptions(centreline=str(tmp_path / "flow.geojson"), width_m=3000.0)
    follow.follow_terminus([str(tmp_path / "f.geojson")], tmp_path / "S", options)
    make_composites([str(tmp_path / "S")], tmp_path / "C", CompositeOptions())
    assert json.loads((tmp_path / "C" / "composite.json").read_text())["box_width_m"] == pytest.approx(3000)
    table = {row["date"]: row for row in csv.DictReader((tmp_path / "S" / "timeseries.csv").read_text().splitlines())}
    (alone,) = (
        row for row in csv.DictReader((tmp_path / "C" / "monthly.csv").read_text().splitlines()) if row["scenes"] == "1"
    )
    assert float(alone["position_m"]) == pytest.approx(float(table[alone["date"]]["box_position_m"]), rel=1e-3)


def test_a_series_in_the_folder_of_the_prediction_leaves_its_lines_alone(dates, tmp_path, monkeypatch):
    monkeypatch.setattr(compose, "draw_composites", lambda *_: None)
    monkeypatch.setattr(follow, "draw_series", lambda *_: None)
    write_fronts(tmp_path / "lines" / "f.geojson", dates)
    for _ in range(2):  # the second run sees what the first one wrote
        follow.follow_terminus([str(tmp_path)], tmp_path, SeriesOptions())
    make_composites([str(tmp_path)], tmp_path, CompositeOptions())
    found = json.loads((tmp_path / "composite.json").read_text())
    assert found["rejected"] == 1 and found["fronts"] == len(dates) - 1
    assert [path.name for path in (tmp_path / "lines").iterdir()] == ["f.geojson"]


def test_what_cannot_be_is_told_in_one_line(series, dates, tmp_path, monkeypatch):
    def refused(match, fronts, **options):
        with pytest.raises(InputError, match=match):
            make_composites([str(one) for one in fronts], tmp_path / "C", CompositeOptions(**options))

    beside = UTM.to_lonlat(np.array([[900.0, 50], [960, 50], [960, 250], [900, 250]]))
    write_geojson(tmp_path / "beside.geojson", [polygon_feature(shapely.Polygon(beside), {})])
    refused("no front lines there", [tmp_path / "nothing"])
    refused("one date only", [write_fronts(tmp_path / "one.geojson", dates[:1])])
    other = write_fronts(tmp_path / "other.geojson", dates[:9], "COL")
    refused(r"several glaciers \(COL, JAC\)", [write_fronts(tmp_path / "f.geojson", dates[:9]), other])
    refused("beside.geojson: no front lies in it", [series], box=str(tmp_path / "beside.geojson"))
    refused("glacier='SI': no front of it", [series], glacier="SI")
    for spacing_m in (0.0, -5.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match=f"grid_spacing_m={spacing_m}: give a number of metres above 0"):
            CompositeOptions(grid_spacing_m=spacing_m)
    refused("projected reference system", [series], grid_spacing_m=50.0, crs=CRS.from_epsg(4326))
    for name, wrong in (
        ("between", {"between": "cubic"}),
        ("figure", {"figures": ("jpg",)}),
        ("vector", {"vector": ("kml",)}),
    ):
        with pytest.raises(InputError, match=f"{name}='.*': choose one of"):
            CompositeOptions(**wrong)
    write_points(tmp_path / "JAC_2010-07-01_S1_20_1_001.csv", [line(dates[0])], "JAC_2010-07-01_S1_20_1_001", 20)
    refused("in pixels of scenes without a place on Earth", [tmp_path / "JAC_2010-07-01_S1_20_1_001.csv"])
    monkeypatch.setitem(sys.modules, "netCDF4", None)
    refused(
        r"`grid_spacing_m`: needs the extra \[netcdf\]; pip install 'glacierjax\[netcdf\]'",
        [series],
        grid_spacing_m=50.0,
    )
    assert not (tmp_path / "C").exists()


def test_a_mask_that_cannot_be_is_told_and_all_else_is_written(series, tmp_path, monkeypatch):
    pytest.importorskip("netCDF4", reason="the extra [netcdf] is not installed")
    monkeypatch.setattr(compose, "draw_composites", lambda *_: None)
    for spacing_m, reason in ((1e5, "the box is only"), (0.1, "do not fit into memory")):
        refused = make_composites([str(series)], tmp_path / "C", CompositeOptions(grid_spacing_m=spacing_m))
        assert refused is not None and reason in str(refused)
    assert (tmp_path / "C" / "monthly.csv").is_file() and not (tmp_path / "C" / "ice_mask.nc").exists()
    done = run_here("glacierjax.composite", f"--fronts={series}", f"--output={tmp_path / 'D'}", "--grid_spacing_m=1e5")
    assert done.returncode == 2 and "--grid_spacing_m=100000.0: the box is only" in done.stderr
    assert (tmp_path / "D" / "monthly.csv").is_file()


def test_an_output_that_is_a_file_is_told(series, tmp_path):
    (tmp_path / "C").write_text("precious")
    done = run_here("glacierjax.composite", f"--fronts={series}", f"--output={tmp_path / 'C'}")
    assert done.returncode == 2 and "C/" in done.stderr and "cannot be written" in done.stderr
    assert (tmp_path / "C").read_text() == "precious"


def test_the_command_names_what_is_missing_or_unknown(series, tmp_path):
    done = run_here("glacierjax.composite", f"--output={tmp_path}")
    assert done.returncode == 2 and done.stderr.startswith("composite: --fronts: missing; Output of timeseries")
    done = run_here("glacierjax.composite", f"--fronts={series}", f"--output={tmp_path}", "--grid_spacing_m=0")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "--grid_spacing_m=0" in done.stderr
