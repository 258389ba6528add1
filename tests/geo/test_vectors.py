"""Lines and polygons in files."""

import json
import shutil
import types

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.geo import vectors
from glacierjax.geo.antimeridian import cut_line, cut_polygons, join_lines
from glacierjax.geo.areas import read_area
from glacierjax.geo.features import LINES, read_features, read_shapes
from glacierjax.geo.georeference import WGS84, Georeference, reproject, turn_around_earth
from glacierjax.geo.line_columns import COLUMNS
from glacierjax.geo.rasters import write_raster
from glacierjax.geo.vectors import feature, polygon_feature, read_points, write_geojson, write_layer, write_points

UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
LINE = np.array([[10.0, 90], [12, 50], [11, 3]])
FACTS = {
    "scene": "å_2015-01-02",
    "line": 1,
    "glacier": None,
    "date": "2015-01-02",
    "sensor": None,
    "length_m": 1.5,
    "pixel_spacing_m": 20.0,
    "checkpoint": "run",
}
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
    west, east = cut_line(line)
    np.testing.assert_allclose(west, [[179, -77], [179.5, -77.1], [180, -77.2]])
    np.testing.assert_allclose(east, [[-180, -77.2], [-179.5, -77.3], [-179, -77]])
    assert feature(line, {})["geometry"]["type"] == "MultiLineString"
    back, forth = cut_line(line[::-1])
    np.testing.assert_allclose((back, forth), (east[::-1], west[::-1]))
    (whole,) = cut_line(line[:2])
    np.testing.assert_array_equal(whole, line[:2])


def test_without_the_extra_the_next_step_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyogrio.raw", None)
    with pytest.raises(InputError, match=r"--vector=gpkg: .*pip install 'glacierjax\[vector\]'"):
        vectors.require_vector_extra("--vector=gpkg")


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


SIDE_DEG = 0.002  # of the pixels of a scene across 180 degrees


def across_180(west):
    """A grid of 100 x 100 pixels in degrees that begins 0.1 degrees before 180, its longitudes counted from `west`."""
    return Georeference(WGS84, (SIDE_DEG, 0, west, 0, -SIDE_DEG, 70.1))


def ring(*longitudes):
    (w, e), (s, n) = longitudes, (70.02, 70.08)
    return [[[w, s], [e, s], [e, n], [w, n], [w, s]]]


@pytest.mark.parametrize("west", [179.9, -180.1], ids=["on beyond 180", "from before -180"])
@pytest.mark.parametrize(
    "box",
    [
        {"type": "MultiPolygon", "coordinates": [ring(179.95, 180), ring(-180, -179.95)]},
        {"type": "Polygon", "coordinates": ring(179.95, 180.05)},
        {"type": "Polygon", "coordinates": ring(-180.05, -179.95)},
        {"type": "Polygon", "coordinates": ring(179.95, -179.95)},
    ],
    ids=["cut at 180", "to 360", "from -360", "drawn through"],
)
@pytest.mark.parametrize("kind", ["degrees", "NAD83", "Mercator", "polar", "UTM"])
def test_boxes_and_scenes_across_180_degrees_meet(tmp_path, west, box, kind):
    area = read_area(write_json(tmp_path / "box.geojson", box))
    grid, expected = across_180(west), np.zeros((100, 100), bool)
    expected[10:40, 25:75] = True
    if kind == "NAD83":
        grid = Georeference(CRS.from_epsg(4269), grid.transform)
    elif kind != "degrees":
        crs = CRS.from_epsg({"Mercator": 3857, "polar": 3413, "UTM": 32601}[kind])
        ((x, y),) = reproject(np.array([[179.95, 70.08]]), WGS84, crs)
        a, e = 50.0, -50.0
        if kind == "Mercator" and west < 0:
            x -= turn_around_earth(crs)
        grid = Georeference(crs, (a, 0, x - 5000, 0, e, y + 5000))
        shape = (500, 600)
        mask = area.mask(shape, grid)
        columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
        lonlat = grid.to_lonlat(np.column_stack([columns.ravel(), rows.ravel()]))
        inside = (np.abs((lonlat[:, 0] + 180) % 360) <= 0.05) | (np.abs((lonlat[:, 0] + 180) % 360 - 360) <= 0.05)
        inside &= (lonlat[:, 1] >= 70.02) & (lonlat[:, 1] <= 70.08)
        assert inside.sum() > 5000 and (mask.ravel() != inside).sum() <= 2 * sum(shape)
        assert np.abs(mask.sum() - inside.sum()) <= 0.01 * inside.sum()
        return
    np.testing.assert_array_equal(area.mask((100, 100), grid), expected)


def test_scenes_with_longitudes_to_360_and_boxes_to_180_meet(tmp_path):
    area = read_area(write_json(tmp_path / "b.geojson", {"type": "Polygon", "coordinates": ring(-50.05, -49.95)}))
    for west in (309.9, -50.1):
        mask = area.mask((100, 100), across_180(west))
        assert mask[10:40, 25:75].all() and mask.sum() == 30 * 50
    assert not area.mask((100, 100), across_180(129.9)).any()


def test_wide_areas_stay_as_they_are():
    wide = shapely.Polygon([(-180, -90), (180, -90), (180, -60), (-180, -60)])
    arctic = shapely.box(-170, 60, 170, 85)
    for polygon in (wide, arctic):
        assert cut_polygons([polygon]).equals(shapely.MultiPolygon([polygon]))


def test_a_hole_goes_along_with_its_polygon_across_180_degrees():
    polygon = shapely.Polygon(
        ring(179, -179)[0],
        [shapely.box(-179.5, 70.03, -179.4, 70.04).exterior, shapely.box(179.5, 70.03, 179.6, 70.04).exterior],
    )
    west, east = sorted(cut_polygons([polygon]).geoms, key=lambda part: -part.bounds[0])
    assert (len(west.interiors), len(east.interiors)) == (1, 1)
    assert west.area + east.area == pytest.approx(0.06 * 2 - 2 * 0.1 * 0.01)


@pytest.mark.parametrize("east", [10.0, 180.5], ids=["inland", "across 180 degrees"])
def test_a_polygon_is_written_with_its_holes_as_closed_rings(tmp_path, east):
    outer, holes = (
        shapely.box(east - 2, 70, east, 71),
        [shapely.box(east - x - 0.1, 70.2, east - x, 70.5) for x in (0.1, 1)],
    )
    whole = shapely.difference(outer, shapely.union_all(holes))
    written = polygon_feature(whole, {})["geometry"]
    parts = [written["coordinates"]] if written["type"] == "Polygon" else written["coordinates"]
    assert all(ring[0] == ring[-1] for part in parts for ring in part)
    assert sum(len(part) - 1 for part in parts) == 2
    found = shapely.geometry.shape(written)
    assert found.is_valid and found.area == pytest.approx(whole.area)
    write_geojson(tmp_path / "a.geojson", [polygon_feature(whole, {})])
    read = read_area(tmp_path / "a.geojson").polygons
    assert read is not None and read.area == pytest.approx(whole.area)


def test_what_was_cut_at_180_degrees_is_joined_again():
    line = np.array([[179.0, -77], [179.5, -77.1], [-179.5, -77.3], [-179, -77]])
    (joined,) = join_lines([np.round(part, 7) for part in cut_line(line)])
    np.testing.assert_allclose(joined[[0, 1, -2, -1]], line)
    assert len(join_lines([line, line + 5])) == 2


def test_the_reference_system_that_older_files_name_is_followed(tmp_path):
    line = {"type": "LineString", "coordinates": UTM.to_crs(LINE).tolist()}
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "EPSG:32622"}},
        "features": [{"type": "Feature", "geometry": line, "properties": None}],
    }
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


@pytest.mark.parametrize("strange", [float("nan"), float("inf"), 1e308, 10**30])
@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:32622"])
def test_coordinates_that_are_nowhere_on_earth_are_refused(tmp_path, strange, crs):
    ring = [[0, 0], [1, 0], [1, strange], [0, 1], [0, 0]]
    document = {"type": "FeatureCollection", "crs": {"properties": {"name": crs}}, "features": []}
    document["features"].append({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}})
    with pytest.raises(InputError, match=r"a\.geojson: a geometry without coordinates, or with some beyond the Earth"):
        read_area(write_json(tmp_path / "a.geojson", document))


@pytest.fixture
def little_space():
    """As on a full disk, no file of this process may become larger than 4 KiB."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_map_that_does_not_fit_on_the_disk_is_told_and_not_left_in_part(tmp_path, little_space):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200)).astype(np.uint8)
    with pytest.raises(InputError, match=r"map\.tif: cannot be written \(File too large\)"):
        write_raster(tmp_path / "map.tif", noise, UTM, "grey")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_a_layer_is_not_begun_where_the_disk_is_nearly_full(tmp_path, monkeypatch, suffix):
    pytest.importorskip("pyogrio")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=100_000))
    with pytest.raises(InputError, match=rf"front\.{suffix}: cannot be written \(No space left on device\)"):
        write_layer(tmp_path / f"front.{suffix}", [shapely.LineString(LINE)], [dict.fromkeys(COLUMNS)], UTM.crs)
    assert not list(tmp_path.iterdir())
