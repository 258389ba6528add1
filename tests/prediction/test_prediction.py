"""One scene: the front, its position, and the files."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import shapely
from brightness import make_predictor
from PIL import Image
from rasterio.crs import CRS

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.geo.areas import Area
from glacierjax.geo.features import read_features
from glacierjax.geo.georeference import WGS84, Georeference, reproject, segment_lengths_m
from glacierjax.geo.glacier_ids import LineOptions
from glacierjax.geo.scenes import Scene
from glacierjax.prediction.model import Model
from glacierjax.prediction.scene import find_front
from glacierjax.prediction.scene_maps import entropy

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
NAME = "COL_2011-11-13_TSX_20_1_092"
UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
IMAGE = np.full((80, 100), 30, np.uint8)
IMAGE[:, :60] = 200
VALID = np.ones(IMAGE.shape, bool)
VALID[:10] = False


def scene(georeference=None, valid=VALID):
    return Scene(NAME, IMAGE, valid, 20.0, georeference)


def test_zones_front_and_line_lie_where_bright_meets_dark():
    found = find_front(make_predictor(0.9), scene())
    assert (found.zones[:10] == Zone.NA).all(), "no data"
    assert (found.zones[10:, :60] == Zone.GLACIER).all() and (found.zones[10:, 60:] == Zone.OCEAN_ICE_MELANGE).all()
    expected = np.zeros(IMAGE.shape, bool)
    expected[10:, 60] = True
    np.testing.assert_array_equal(found.front, expected)
    np.testing.assert_array_equal(found.front_lines, [[[60, 80], [60, 10]]])
    assert found.lengths_m == [1400] and found.checkpoint == "run1"


def test_uncertainty_is_the_entropy_and_deviation_that_of_the_members():
    one, two = find_front(make_predictor(0.7), scene()), find_front(make_predictor(0.9, 0.5), scene())
    expected = -(0.7 * np.log(0.7) + 0.3 * np.log(0.1)) / np.log(4)
    for found in (one, two):
        np.testing.assert_allclose(found.uncertainty[10:], expected, rtol=1e-5)
        assert not found.uncertainty[:10].any()
    assert one.deviation is None
    np.testing.assert_allclose(two.deviation[10:], 0.2, rtol=1e-5)
    np.testing.assert_allclose(entropy(np.array([[1, 0, 0, 0], [0.25] * 4], np.float32)), [0, 1], atol=1e-6)


def test_front_outside_of_the_area_is_erased():
    found = find_front(make_predictor(0.9), scene(), Area("box.txt", BoundingBox(0, 0, 100, 50)))
    np.testing.assert_array_equal(found.front_lines, [[[60, 50], [60, 10]]])
    assert not found.front[50:].any()
    none = find_front(make_predictor(0.9), scene(), Area("box.txt", BoundingBox(0, 0, 50, 50)))
    assert not none.front.any() and none.front_lines == [] and none.lengths_m == []


@pytest.mark.parametrize(("epsg", "parts"), [(4326, 2), (3857, 2), (3413, 1)])
@pytest.mark.parametrize("suffix", ["gpkg", "shp", "parquet"])
def test_a_line_across_180_degrees_does_not_run_around_the_earth_in_any_reference_system(tmp_path, epsg, parts, suffix):
    """The front lies along a parallel in the middle of the scene, from 179.98 degrees east to 179.98 west."""
    utm = CRS.from_epsg(32601)
    x, y = reproject(np.array([[180.0, 69.0]]), WGS84, utm)[0]
    place = Georeference(utm, (20, 0, float(x) - 1000, 0, -20, float(y)))
    image = np.full((80, 100), 30, np.uint8)
    image[:40] = 200
    across = dataclasses.replace(scene(place, np.ones(image.shape, bool)), image=image)
    found = find_front(make_predictor(0.9), across)
    found.save(tmp_path, [suffix], LineOptions(CRS.from_epsg(epsg)))
    ((shape, facts),) = read_features(tmp_path / "lines" / f"{NAME}.{suffix}")
    pieces = [shapely.get_coordinates(part) for part in shapely.get_parts(shape)]
    assert len(pieces) == parts
    assert sum(segment_lengths_m(piece).sum() for piece in pieces) == pytest.approx(facts["length_m"], abs=1)
    if parts == 2:
        assert {tuple(np.sign(piece[:, 0])) for piece in pieces} == {(1.0, 1.0), (-1.0, -1.0)}


def test_files_of_a_georeferenced_scene_lie_on_earth(tmp_path):
    found = find_front(make_predictor(0.9, 0.5), scene(UTM))
    written = found.save(tmp_path, ["gpkg"])
    assert {str(p.relative_to(tmp_path)) for p in written} == {
        f"zones/{NAME}.tif",
        f"zones/{NAME}.tif.aux.xml",
        f"uncertainty/{NAME}.tif",
        f"deviation/{NAME}.tif",
        f"fronts/{NAME}.tif",
        f"overlays/{NAME}.png",
        f"lines/{NAME}.geojson",
        f"lines/{NAME}.gpkg",
    }
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == set(written), "nothing else is left"
    with rasterio.open(tmp_path / "fronts" / f"{NAME}.tif") as dataset:
        assert dataset.crs == UTM.crs and tuple(dataset.transform)[:6] == UTM.transform
        np.testing.assert_array_equal(dataset.read(1), found.front * np.uint8(255))
    document = json.loads((tmp_path / "lines" / f"{NAME}.geojson").read_text())
    assert document == found.geojson()
    (feature,) = document["features"]
    on_map = reproject(np.array(feature["geometry"]["coordinates"]), WGS84, UTM.crs)
    np.testing.assert_allclose(on_map, [[501_200, 7_648_400], [501_200, 7_649_800]], atol=0.02)
    properties = feature["properties"]
    assert properties["length_m"] == pytest.approx(1400 / 0.9996, abs=0.2), "on the ground"
    del properties["length_m"]
    assert properties == {
        "scene": NAME,
        "line": 1,
        "glacier": "COL",
        "date": "2011-11-13",
        "sensor": "TSX",
        "pixel_spacing_m": 20,
        "checkpoint": "run1; run2",
        "error_m": None,
        "error_low_m": None,
        "error_high_m": None,
        "quality": "good",
        "reasons": "",
        "GlacierID": None,
        "Year": 2011,
        "Month": 11,
        "Day": 13,
        "DecDate": 2011.86575,
        "Satellite": "TSX",
        "Author": "glacierjax",
        "QualFlag": "good",
        "ImageID": NAME,
    }


def test_files_of_a_picture_are_pictures_and_points(tmp_path):
    found = find_front(make_predictor(0.9), scene())
    names = {str(p.relative_to(tmp_path)) for p in found.save(tmp_path)}
    assert names == {f"{kind}/{NAME}.png" for kind in ("zones", "uncertainty", "fronts", "overlays")} | {
        f"lines/{NAME}.csv"
    }
    rows = (tmp_path / "lines" / f"{NAME}.csv").read_text().splitlines()
    assert rows[1:] == [f"{NAME},1,60.0,80.0,20.0", f"{NAME},1,60.0,10.0,20.0"]
    assert set(np.unique(np.asarray(Image.open(tmp_path / "zones" / f"{NAME}.png")))) == {0, 127, 254}
    with pytest.raises(InputError, match="not georeferenced"):
        found.geojson()


def test_in_a_mirrored_picture_the_glacier_is_on_the_left_of_the_map():
    mirrored = Georeference(UTM.crs, (-20, 0, 502_000, 0, -20, 7_650_000))
    (feature,) = find_front(make_predictor(0.9), scene(mirrored)).geojson()["features"]
    (_, south), (_, north) = feature["geometry"]["coordinates"]
    assert south > north, "glacier in the east: the line runs to the south"


def test_show_is_a_picture_with_the_front():
    picture = find_front(make_predictor(0.9), scene()).show()
    assert isinstance(picture, Image.Image)
    assert (np.asarray(picture) == (213, 94, 0)).all(-1).sum() > 100


def test_arrays_are_predicted_with_a_pixel_spacing():
    model = Model(make_predictor(0.9))
    found = model.predict(IMAGE, pixel_spacing_m=20, box=(0, 0, 100, 70))
    np.testing.assert_array_equal(found.front_lines, [[[60, 70], [60, 0]]])
    amplitude = np.where(IMAGE > 100, 5.0, 0.5)
    np.testing.assert_array_equal(model.predict(amplitude, 20).zones, model.predict(IMAGE, 20).zones)
    with pytest.raises(InputError, match="`pixel_spacing_m`"):
        model.predict(IMAGE)
    with pytest.raises(InputError, match="four numbers"):
        model.predict(IMAGE, 20, box=(1, 2))


def test_importing_the_package_is_light_and_load_is_there():
    code = "import sys, glacierjax; print('jax' in sys.modules, 'load' in dir(glacierjax) or glacierjax.__all__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert done.stdout.split() == ["False", "['load']"], done.stderr


def test_too_old_a_python_is_told_the_next_step():
    code = "import sys; sys.version_info = (3, 9, 1, 'final', 0)\nimport glacierjax"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert "glacierjax needs Python 3.11 or newer, this is 3.9; make an environment" in done.stderr.splitlines()[-1]


def test_the_network_sees_square_pixels_and_the_results_lie_on_the_scenes_own():
    seen = []
    predictor = make_predictor(0.9)
    network = predictor.networks[0]
    predictor = dataclasses.replace(predictor, networks=[lambda images: seen.append(images.shape) or network(images)])
    stretched = dataclasses.replace(scene(), pixel_spacing_m=20.0, pixel_sides_m=(10.0, 40.0))
    found = find_front(predictor, stretched)
    assert seen == [(1, 160, 50)], "80 x 100 pixels of 40 m x 10 m are 160 x 50 of 20 m"
    assert found.zones.shape == found.uncertainty.shape == IMAGE.shape
    np.testing.assert_array_equal(found.front_lines, [[[60, 80], [60, 10]]])


@pytest.mark.parametrize(("size_px", "axis", "length_m"), [(50, 0, 700), (60, 0, 840), (18, 1, 720), (20, 1, 800)])
def test_what_is_too_short_for_a_front_is_measured_along_its_own_direction(size_px, axis, length_m):
    """Pixels of 14 m along a row and 40 m along a column; fronts are 750 m or longer."""
    image = np.full((60, 90), 30, np.uint8)
    image[:, :40] = 200
    image = image[:size_px] if axis else image.T[:, :size_px]
    sides_m = (14.0, 40.0)
    spacing_m = float(np.sqrt(np.prod(sides_m)))
    scene = Scene(NAME, image, np.ones(image.shape, bool), spacing_m, pixel_sides_m=sides_m)
    found = find_front(make_predictor(0.9), scene)
    assert found.front.sum() == (size_px if length_m >= 750 else 0)


def test_single_missing_pixels_do_not_break_a_front():
    valid = np.random.default_rng(0).random(IMAGE.shape) > 0.03
    image = np.where(valid, IMAGE, 0)
    found = find_front(make_predictor(0.9), Scene(NAME, image, valid, 20.0))
    whole = find_front(make_predictor(0.9), Scene(NAME, IMAGE, np.ones_like(valid), 20.0))
    assert np.abs(found.front_lines[0][:, 0] - 60).max() <= 1 and len(found.front_lines) == 1
    assert found.lengths_m[0] == pytest.approx(whole.lengths_m[0], rel=0.1)
