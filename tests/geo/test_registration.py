"""Scenes laid over each other by their map coordinates, against every pixel's own conversion."""

import numpy as np
import pytest
import shapely

from glacierjax.core.pixel_map import NODE_PX
from glacierjax.geo.georeference import WGS84, Georeference, crs_from_user, reproject
from glacierjax.geo.registration import Footprint, MapRegistration

UTM, POLAR, DEGREES = (crs_from_user(name, "test") for name in ("EPSG:32622", "EPSG:3413", "EPSG:4326"))
HERE = Footprint(Georeference(UTM, (20, 0, 500_000, 0, -20, 7_650_000)), (300, 400))


def at(crs, metres, shape, east=0.0, north=0.0):
    """A grid whose first corner lies so many metres from that of `HERE`, on the map of `HERE`."""
    x, y = reproject(np.array([[500_000 + east, 7_650_000 + north]]), UTM, crs)[0]
    return Footprint(Georeference(crs, (metres, 0, x, 0, -metres, y)), shape)


@pytest.mark.parametrize("other", [at(POLAR, 20, (400, 400)), at(POLAR, 50, (90, 130)), at(UTM, 7, (900, 1000), 55)])
def test_the_table_agrees_with_the_conversion_of_every_pixel(other):
    rows, columns = np.arange(HERE.shape[0]), np.arange(HERE.shape[1])
    row, column = HERE.map_into(other).places(rows, columns)
    centres = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2) + 0.5
    expected = other.place.to_pixels(reproject(HERE.place.to_crs(centres), HERE.place.crs, other.place.crs)) - 0.5
    row, column = np.broadcast_arrays(row, column)
    np.testing.assert_allclose(row.ravel(), expected[:, 1], rtol=0, atol=0.01)
    np.testing.assert_allclose(column.ravel(), expected[:, 0], rtol=0, atol=0.01)


def test_a_grid_lies_on_itself_and_moved_by_whole_pixels():
    rows, columns = np.arange(-5, 305), np.arange(-3, 402)
    image = np.random.default_rng(0).integers(1, 256, (300, 400)).astype(np.uint8)
    for read in (HERE.map_into(HERE).nearest, HERE.map_into(HERE).bilinear):
        shown, covered = read(image, rows, columns)
        assert covered.sum() == 300 * 400 and (shown[~covered] == 0).all()
        np.testing.assert_array_equal(shown[5:305, 3:403], image)
    moved = at(UTM, 20, (300, 400), east=20 * 7, north=-20 * 11)
    shown, covered = HERE.map_into(moved).bilinear(image, np.arange(11, 300), np.arange(7, 400))
    np.testing.assert_array_equal(shown, image[:289, :393])
    assert covered.all()


def test_between_pixels_grey_is_interpolated_and_labels_are_not():
    image = np.array([[0, 100], [200, 40]], np.uint8)
    half = at(UTM, 10, (8, 8), 15, -15)
    coarse = at(UTM, 20, (2, 2))
    grey, covered = half.map_into(coarse).bilinear(image, np.arange(1), np.arange(1))
    assert covered.all() and grey.tolist() == [[85]]  # in the middle of all four
    labels, _ = half.map_into(coarse).nearest(image, np.arange(3), np.arange(3))
    assert set(np.unique(labels)) <= {0, *image.ravel().tolist()}


def test_grey_reaches_a_little_beyond_the_image_and_labels_do_not():
    image = np.full((300, 400), 9, np.uint8)
    moved = at(UTM, 20, (300, 400), east=10, north=-10)
    rows, columns = np.arange(-3, 3), np.arange(-3, 3)
    _, covered = HERE.map_into(moved).nearest(image, rows, columns)
    grey, fringe = HERE.map_into(moved).bilinear(image, rows, columns)
    assert covered[:, -1].tolist() == [False] * 3 + [True] * 3
    assert fringe[:, -1].tolist() == [False, False, *[True] * 4] and (grey[fringe] == 9).all()


def test_there_and_back_is_within_a_fraction_of_a_pixel():
    polar = at(POLAR, 20, (400, 400), -1000, 1000)
    row, column = HERE.map_into(polar).places(np.arange(300), np.arange(400))
    back = polar.map_into(HERE)
    for r, c in ((0, 0), (299, 399), (150, 17)):
        again = back.places(row[r, c : c + 1], column[r, c : c + 1])
        assert abs(again[0][0, 0] - r) < 0.01 and abs(again[1][0, 0] - c) < 0.01


def test_a_grid_around_all_keeps_its_pixels():
    moved = at(UTM, 20, (300, 400), east=-20 * 30, north=20 * 10)
    whole = HERE.around([moved, at(UTM, 7, (100, 100), 20 * 395)])
    assert whole.shape == (310, 460)
    assert whole.place.transform == (20, 0, 500_000 - 600, 0, -20, 7_650_000 + 200)
    assert HERE.around([HERE]) == HERE


@pytest.mark.parametrize(
    ("other", "share"),
    [
        (HERE, 1.0),
        (at(UTM, 20, (300, 400), east=4000), 0.5),
        (at(UTM, 20, (300, 400), east=9000), 0.0),
        (at(UTM, 5, (20, 20), east=500, north=-500), 1.0),
        (Footprint(Georeference(crs_from_user("EPSG:3031", "test"), (20, 0, 0, 0, -20, 0)), (300, 400)), 0.0),
    ],
)
def test_the_area_that_two_scenes_share(other, share):
    assert HERE.shared_with(other) == pytest.approx(share, abs=0.01)
    assert other.shared_with(HERE) == pytest.approx(share, abs=0.01)


def test_degrees_on_both_sides_of_the_date_line_are_one_place():
    west = Footprint(Georeference(DEGREES, (0.001, 0, -180.1, 0, -0.001, 70)), (100, 200))
    east = Footprint(Georeference(DEGREES, (0.001, 0, 179.9, 0, -0.001, 70)), (100, 200))
    assert west.shared_with(east) == pytest.approx(1)
    image = np.random.default_rng(0).integers(0, 256, (100, 200)).astype(np.uint8)
    shown, covered = west.map_into(east).nearest(image, np.arange(100), np.arange(200))
    np.testing.assert_array_equal(shown, image)
    assert covered.all()


def test_square_pixels_have_the_area_of_those_that_are_not():
    degrees = Footprint(Georeference(DEGREES, (0.001, 0, -50, 0, -0.001, 70)), (100, 300))
    square = degrees.with_square_pixels()
    assert square.shape[0] > 100 and square.shape[1] < 300
    assert np.prod(square.shape) == pytest.approx(30_000, rel=0.02)
    assert degrees.shared_with(square) == pytest.approx(1, abs=1e-6)
    assert HERE.with_square_pixels() is HERE


def test_averaged_pixels_begin_in_the_same_corner():
    coarse = HERE.averaged(7)
    assert coarse.shape == (43, 58) and coarse.place.transform == (140, 0, 500_000, 0, -140, 7_650_000)


def test_scenes_of_a_training_by_number():
    register = MapRegistration((HERE, at(UTM, 20, (300, 400), 200)))
    places = register(1, 0)
    assert places.shape == (300, 400) and len(places.nodes) == -(-300 // NODE_PX) + 1
    assert [place.item() for place in places.places(np.array([0]), np.array([10]))] == [0, 0]


def around(crs, longitude, latitude, side_km):
    """A square scene of 100 x 100 pixels around a place."""
    x, y = reproject(np.array([[longitude, latitude]], float), WGS84, crs_from_user(crs, "test"))[0]
    pixel_m, half_m = side_km * 10, side_km * 500
    place = Georeference(crs_from_user(crs, "test"), (pixel_m, 0, x - half_m, 0, -pixel_m, y + half_m))
    return Footprint(place, (100, 100))


@pytest.mark.parametrize(
    ("scene", "parts"),
    [
        (around("EPSG:3031", 180, -78, 250), 2),
        (around("EPSG:3413", 180, 71, 400), 2),
        (around("EPSG:3031", 150, -88.5, 210), 2),
        (around("EPSG:3031", -135, -89.99, 250), 1),
        (around("EPSG:3413", 30, 89, 300), 1),
        (around("EPSG:32601", -179.9, 60, 200), 2),
        (around("EPSG:32622", -51, 69, 200), 1),
        (around("EPSG:4326", 180, 70, 0.02), 2),
        (around("EPSG:4326", 0, 0, 0.34), 1),
    ],
    ids=[
        "78 S",
        "71 N",
        "beside the pole",
        "around the pole",
        "with the pole",
        "UTM",
        "inland",
        "degrees",
        "all degrees",
    ],
)
def test_a_scene_covers_on_earth_what_its_pixels_cover_however_wide_and_across_180_degrees(scene, parts):
    covered = scene.on_earth()
    assert covered.is_valid and len(covered.geoms) == parts
    assert covered.bounds[0] >= -180 and covered.bounds[2] <= 180
    middle = scene.place.to_lonlat(np.array([[50.0, 50]]))[0]
    rng = np.random.default_rng(0)
    latitude = np.clip(middle[1] + rng.uniform(-5, 5, 20_000), -89.9, 89.9)
    points = np.column_stack([rng.uniform(-180, 180, 20_000), latitude])
    if scene.place.crs.to_dict().get("proj") == "utm":  # which is no map of the whole Earth
        points = points[np.abs((points[:, 0] - middle[0] + 180) % 360 - 180) < 8]
    pixels = scene.place.to_pixels(reproject(points, WGS84, scene.place.crs))
    if scene.place.crs == DEGREES:
        pixels[:, 0] -= 360 / scene.place.transform[0] * np.round((pixels[:, 0] - 50) * scene.place.transform[0] / 360)
    inside = ((pixels > 0) & (pixels < 100)).all(1)
    near = (np.abs(pixels) < 1).any(1) | (np.abs(pixels - 100) < 1).any(1)
    found = shapely.contains_xy(covered, *points.T)
    np.testing.assert_array_equal(found[~near], inside[~near])
    assert inside.sum() > 20
