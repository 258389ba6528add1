"""Lines and polygons in files."""

import json

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.geo import vectors
from glacierjax.geo.areas import LINES, read_area, read_features, read_shapes
from glacierjax.geo.georeference import Georeference
from glacierjax.geo.vectors import FIELDS, cut_at_antimeridian, feature, read_points, write_geojson, write_points

UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
LINE = np.array([[10.0, 90], [12, 50], [11, 3]])
FACTS = {"scene": "å_2015-01-02", "line": 1, "glacier": None, "date": "2015-01-02", "sensor": None,
         "length_m": 1.5, "pixel_spacing_m": 20.0, "checkpoint": "run"}  # fmt: skip
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


def write_json(path, document):
    path.write_text(json.dumps(document))
    return path


def test_geojson_holds_longitude_and_latitude_and_the_facts(tmp_path):
    lonlat = UTM.to_lonlat(LINE)
    write_geojson(tmp_path / "f.geojson", [feature(lonlat, FACTS)])
    document = json.loads((tmp_path / "f.geojson").read_text(encoding="utf-8"))
    assert document["type"] == "FeatureCollection" and "crs" not in document
    ((shape, properties),) = read_features(tmp_path / "f.geojson")
    assert properties == FACTS
    np.testing.assert_allclose(shapely.get_coordinates(shape), lonlat, atol=1e-7)
    write_geojson(tmp_path / "none.geojson", [])
    assert read_features(tmp_path / "none.geojson") == []


def test_lines_across_180_degrees_are_cut_there():
    line = np.array([[179.0, -77], [179.5, -77.1], [-179.5, -77.3], [-179, -77]])
    west, east = cut_at_antimeridian(line)
    np.testing.assert_allclose(west, [[179, -77], [179.5, -77.1], [180, -77.2]])
    np.testing.assert_allclose(east, [[-180, -77.2], [-179.5, -77.3], [-179, -77]])
    assert feature(line, {})["geometry"]["type"] == "MultiLineString"
    back, forth = cut_at_antimeridian(line[::-1])
    np.testing.assert_allclose((back, forth), (east[::-1], west[::-1]))
    (whole,) = cut_at_antimeridian(line[:2])
    np.testing.assert_array_equal(whole, line[:2])


@pytest.mark.parametrize("kind", ["gpkg", "shp"])
@pytest.mark.parametrize("lines", [[LINE], []], ids=["one line", "no front"])
def test_layers_keep_the_reference_system_of_the_scene(tmp_path, kind, lines):
    pyogrio = pytest.importorskip("pyogrio", reason="the extra [vector] is not installed")
    path = tmp_path / f"front.{kind}"
    on_map = [UTM.to_crs(line) for line in lines]
    vectors.write_layer(path, on_map, [FACTS for _ in lines], UTM)
    info = pyogrio.read_info(path)
    assert CRS.from_user_input(info["crs"]) == UTM.crs and info["features"] == len(lines)
    assert list(info["fields"]) == [vectors.SHORT_NAMES.get(n, n) if kind == "shp" else n for n in FIELDS]
    meta, _, geometry, columns = pyogrio.raw.read(path)
    if lines:
        np.testing.assert_allclose(shapely.get_coordinates(shapely.from_wkb(geometry[0])), on_map[0])
        assert dict(zip(meta["fields"], (c[0] for c in columns), strict=True))["scene"] == FACTS["scene"]
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_without_the_extra_the_next_step_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyogrio.raw", None)
    with pytest.raises(InputError, match=r"--vector=gpkg: .*pip install 'glacierjax\[vector\]'"):
        vectors.require_vector_extra("gpkg")


def test_points_of_scenes_without_georeference_come_back(tmp_path):
    write_points(tmp_path / "p.csv", [LINE, LINE + 5], "name", 20)
    lines, spacing_m = read_points(tmp_path / "p.csv")
    np.testing.assert_array_equal(lines, [LINE, LINE + 5])
    assert spacing_m == 20
    write_points(tmp_path / "none.csv", [], "name", 20)
    assert read_points(tmp_path / "none.csv") == ([], None)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"other.csv: not a table of front lines.*scene,line"):
        read_points(tmp_path / "other.csv")


def test_caffe_box_is_an_area_in_pixels(tmp_path):
    (tmp_path / "box.txt").write_text("x,y\n2,8\n2,3\n6,3\n6,8\n")
    area = read_area(tmp_path / "box.txt")
    assert area.box == BoundingBox(2, 3, 6, 8)
    mask = area.mask((10, 5), None)
    assert mask[3:8, 2:].all() and mask.sum() == 15


def test_polygons_on_earth_become_pixels_of_the_scene(tmp_path):
    corners = UTM.to_lonlat(np.array([[10.0, 20], [40, 20], [40, 60], [10, 60], [10, 20]]))
    path = write_json(tmp_path / "area.geojson", {"type": "Polygon", "coordinates": [corners.tolist()]})
    mask = read_area(path).mask((100, 90), UTM)
    expected = np.zeros((100, 90), bool)
    expected[20:60, 10:40] = True
    np.testing.assert_array_equal(mask, expected)
    corners[0] += 1e-6
    ring = [*corners[:-1].tolist(), corners[0].tolist()]
    moved = write_json(tmp_path / "moved.geojson", {"type": "Polygon", "coordinates": [ring]})
    assert read_area(path).digest == read_area(path).digest != read_area(moved).digest
    with pytest.raises(InputError, match=r"area.geojson: polygons on Earth, but .* CaFFe text box"):
        read_area(path).mask((100, 90), None)


def test_the_reference_system_that_older_files_name_is_followed(tmp_path):
    line = {"type": "LineString", "coordinates": UTM.to_crs(LINE).tolist()}
    document = {"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:32622"}},
                "features": [{"type": "Feature", "geometry": line, "properties": None}]}  # fmt: skip
    (shape,) = read_shapes(write_json(tmp_path / "line.geojson", document), LINES)
    np.testing.assert_allclose(shapely.get_coordinates(shape), UTM.to_lonlat(LINE), atol=1e-9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a readable GeoJSON"),
        ("[]", "not a readable GeoJSON"),
        ('{"type": "FeatureCollection"}', "not a readable GeoJSON"),
        ('{"type": "Polygon", "coordinates": [[1, 2]]}', "not a readable GeoJSON"),
        ('{"type": "Point", "coordinates": [1, 2]}', "no Polygon or MultiPolygon"),
        (json.dumps(SQUARE).replace("1,", "500000,"), "no longitude and latitude"),
        ('{"type": "Polygon", "coordinates": []}', "without coordinates"),
    ],
)
def test_what_is_no_area_is_named(tmp_path, text, message):
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(InputError, match=rf"a.geojson: .*{message}"):
        read_area(tmp_path / "a.geojson")
    with pytest.raises(InputError, match=r"b.geojson: no such file"):
        read_area(tmp_path / "b.geojson")
