"""Front lines in every format: columns, types, reference systems, and the layer of a whole run."""

import datetime
import json
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS
from vector_files import write_vectors

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.scene_names import decimal_year, parse_date
from glacierjax.geo.features import SUFFIXES, read_features
from glacierjax.geo.georeference import WGS84, Georeference, reproject
from glacierjax.geo.glacier_ids import read_outlines
from glacierjax.geo.line_columns import COLUMNS, name_in, termpicks_columns
from glacierjax.geo.run_layer import write_run
from glacierjax.geo.vectors import feature, write_geojson, write_layer

UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
LINE = np.array([[10.0, 90], [12, 50], [11, 3]])
POLAR = CRS.from_epsg(3413)


def facts(date=datetime.date(2015, 1, 2), quality="good", number=1):
    own = {
        "scene": "å_2015-01-02",
        "line": number,
        "glacier": None,
        "date": date and date.isoformat(),
        "sensor": "S1",
        "length_m": 1.5,
        "pixel_spacing_m": 20.0,
        "checkpoint": "run",
        "error_m": None,
        "error_low_m": None,
        "error_high_m": 3.5,
        "quality": quality,
        "reasons": "",
    }
    return {**own, **termpicks_columns("å_2015-01-02", date, "S1", quality, "RGI-7", "me")}


def test_columns_are_told_apart_in_every_format():
    for suffix, longest in (("shp", 10), ("gpkg", 63)):
        names = [name_in(name, suffix).lower() for name in COLUMNS]
        assert len(set(names)) == len(names) and max(map(len, names)) <= longest
    assert list(facts()) == list(COLUMNS)


def test_the_table_of_columns_names_each_of_them():
    table = (Path(__file__).parents[2] / "docs" / "reference" / "columns.md").read_text(encoding="utf-8")
    for name, column in COLUMNS.items():
        assert f"`{name}`" in table and (not column.short or f"`{column.short}`" in table), name


@pytest.mark.parametrize("kind", ["gpkg", "shp", "parquet"])
@pytest.mark.parametrize("lines", [[LINE, LINE + 5], []], ids=["two lines", "no front"])
def test_layers_keep_values_types_and_reference_system(tmp_path, kind, lines):
    pyogrio = pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    path = tmp_path / f"front.{kind}"
    on_map = [shapely.LineString(UTM.to_crs(line)) for line in lines]
    written = write_layer(path, on_map, [facts(), facts(None, None, 2)][: len(lines)], UTM.crs)
    assert written[0] == path and all(file.is_file() for file in written)
    assert set(tmp_path.iterdir()) == set(written)
    found = read_features(path)
    assert len(found) == len(lines)
    for (shape, known), line, given in zip(found, lines, (facts(), facts(None, None, 2)), strict=False):
        np.testing.assert_allclose(shapely.get_coordinates(shape), UTM.to_lonlat(line), atol=1e-7)
        for name, value in given.items():
            there = known[name_in(name, kind)]
            assert (there or None) == (value or None), (name, there)
    if kind != "parquet":  # which pyogrio's own GDAL may lack
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings(
                "ignore", "The 'generic' unit for NumPy timedelta", DeprecationWarning
            )  # pyogrio with NumPy 2.5
            info = pyogrio.read_info(path)
            pyogrio.raw.read(path)
        assert CRS.from_user_input(info["crs"]) == UTM.crs
        types = dict(zip(info["fields"], info["dtypes"], strict=True))
        assert types["date"].startswith("datetime64[D]") or types["date"] == "datetime64[D]"
        assert types["Year"].startswith("int") and types["DecDate"] == "float64"


def test_the_layer_of_a_run_is_in_the_system_that_was_asked_for(tmp_path):
    pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
    across = np.array([[179.0, -77], [179.5, -77.1], [-179.5, -77.3], [-179, -77]])
    lonlat = UTM.to_lonlat(LINE)
    write_geojson(tmp_path / "fronts.geojson", [feature(lonlat, facts()), feature(across, facts(number=2))])
    written = write_run(tmp_path / "fronts.geojson", ["gpkg"], WGS84)
    assert [file.name for file in written] == ["fronts.gpkg", "fronts.qml"]
    assert [shape.geom_type for shape, _ in read_features(written[0])] == ["MultiLineString"] * 2
    write_geojson(tmp_path / "fronts.geojson", [feature(lonlat, facts())])
    (path, _) = write_run(tmp_path / "fronts.geojson", ["gpkg"], POLAR)
    import pyogrio

    assert CRS.from_user_input(pyogrio.read_info(path)["crs"]) == POLAR
    geometry = shapely.from_wkb(pyogrio.raw.read(path)[2][0])
    np.testing.assert_allclose(shapely.get_coordinates(geometry), reproject(lonlat, WGS84, POLAR), atol=0.05)


def test_the_style_shows_each_verdict_and_the_date(tmp_path):
    write_geojson(tmp_path / "fronts.geojson", [])
    (path,) = write_run(tmp_path / "fronts.geojson", [], WGS84)
    root = ElementTree.fromstring(path.read_text().split("\n", 1)[1])
    assert [one.get("value") for one in root.iter("category")] == ["good", "doubtful", "reject"]
    assert any("DecDate" in (option.get("value") or "") for option in root.iter("Option"))


def outlines(tmp_path, *squares, field="rgi_id"):
    """A file of squares of 0.1 degrees, each from (west, south), with ids."""
    members = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shapely.box(west, south, west + 0.1, south + 0.1)),
            "properties": {field: number},
        }
        for number, (west, south) in squares
    ]
    path = tmp_path / "glaciers.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": members}))
    return path


def test_the_id_is_that_of_the_polygon_that_most_of_a_front_lies_in(tmp_path):
    found = read_outlines(outlines(tmp_path, ("A", (-50.1, 69)), ("B", (-50.0, 69)), (7.0, (20, 80))))
    assert found.find([np.array([[-50.03, 69.05], [-49.91, 69.05]])]) == "B"
    assert found.find([np.array([[20.05, 80.05], [20.06, 80.06]])]) == "7"


def test_a_front_that_has_left_its_polygon_has_the_id_of_the_nearest_one(tmp_path):
    found = read_outlines(outlines(tmp_path, ("A", (-50.1, 69)), ("B", (-50.0, 69))))
    one_km = 1000 / (111_300 * np.cos(np.radians(69)))
    assert found.find([np.array([[-49.9 + one_km, 69.02], [-49.9 + one_km, 69.08]])]) == "B"
    assert found.find([np.array([[-49.9 + 3 * one_km, 69.02], [-49.9 + 3 * one_km, 69.08]])]) is None
    assert found.find([np.array([[30.0, 10], [31, 10]])]) is None
    assert found.find([]) is None


def test_wrong_outlines_are_named(tmp_path):
    path = outlines(tmp_path, ("A", (0, 0)), field="who")
    with pytest.raises(InputError, match="who with `glacier_field`"):
        read_outlines(path)
    with pytest.raises(ArgumentError, match="there are: who"):
        read_outlines(path, "rgi_id")
    assert read_outlines(path, "who").ids == ("A",)
    write_geojson(tmp_path / "lines.geojson", [feature(np.array([[0.0, 0], [1, 1]]), {})])
    with pytest.raises(InputError, match="no polygon"):
        read_outlines(tmp_path / "lines.geojson")


@pytest.mark.parametrize("day", ["2016-01-01", "2016-02-29", "2015-12-31", "1972-07-04"])
def test_decimal_years_come_back_as_their_day(day):
    assert parse_date(f"{round(decimal_year(datetime.date.fromisoformat(day)), 5)}", "test").isoformat() == day


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"no vectors", b"\0" * 100, b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_files_that_are_no_vectors_are_named(tmp_path, suffix, content):
    (tmp_path / f"bad{suffix}").write_bytes(content)
    with pytest.raises(InputError, match=rf"bad\{suffix}: not a readable"):
        read_features(tmp_path / f"bad{suffix}")


def test_a_shapefile_without_its_reference_system_is_refused(tmp_path):
    path = write_vectors(tmp_path / "f.shp", [shapely.LineString(UTM.to_lonlat(LINE))], [{"Date": "2010-07-01"}], 32622)
    path.with_suffix(".prj").unlink()
    with pytest.raises(InputError, match=r"f.shp: no reference system in it"):
        read_features(path)
    with pytest.raises(InputError, match=r"none.shp: no such file"):
        read_features(tmp_path / "none.shp")
