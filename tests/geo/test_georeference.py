"""Pixels, map coordinates, longitude and latitude, metres."""

import numpy as np
import pytest
from rasterio.crs import CRS

from glacierjax.core.errors import InputError
from glacierjax.geo.georeference import (
    WGS84,
    Georeference,
    equal_area_plane,
    pixel_size,
    reproject,
    segment_lengths_m,
)

UTM = Georeference(CRS.from_epsg(32622), (20, 0, 500_000, 0, -20, 7_650_000))
SHAPE = (200, 100)


def test_utm_pixels_are_as_large_as_the_file_says():
    assert pixel_size(UTM, SHAPE).spacing_m == pytest.approx(20, abs=1e-6)


def test_rotated_pixels_keep_their_size():
    angle = np.radians(30)
    a, b = 20 * np.cos(angle), 20 * np.sin(angle)
    size = pixel_size(Georeference(UTM.crs, (a, b, 500_000, b, -a, 7_650_000)), SHAPE)
    assert size.spacing_m == pytest.approx(20) and size.is_square


def test_degrees_become_metres_on_the_ground():
    degree_m = np.radians(1) * 6_367_449.1  # a mean degree of latitude
    size = pixel_size(Georeference(WGS84, (0.0003, 0, -50, 0, -0.0001, 70)), (10, 10))
    along_row, along_column = size.sides_m
    assert along_column == pytest.approx(0.0001 * degree_m, rel=0.005)
    assert along_row == pytest.approx(0.0003 * degree_m * np.cos(np.radians(70)), rel=0.005)
    assert size.spacing_m == pytest.approx(np.sqrt(along_row * along_column)) and size.is_square
    assert not pixel_size(Georeference(WGS84, (0.0001, 0, -50, 0, -0.0001, 70)), (10, 10)).is_square


def test_web_mercator_far_north_is_measured_on_the_ground():
    ((x, y),) = reproject(np.array([[-50, 70]]), WGS84, CRS.from_epsg(3857))
    size = pixel_size(Georeference(CRS.from_epsg(3857), (20, 0, x, 0, -20, y)), (10, 10))
    assert size.spacing_m == pytest.approx(20 * np.cos(np.radians(70)), rel=0.01)


def test_polar_stereographic_keeps_its_metres():
    ((x, y),) = reproject(np.array([[-50, 75]]), WGS84, CRS.from_epsg(3413))
    assert pixel_size(Georeference(CRS.from_epsg(3413), (10, 0, x, 0, -10, y)), (10, 10)).spacing_m == pytest.approx(10)


def test_feet_become_metres():
    feet = CRS.from_epsg(2263)
    size = pixel_size(Georeference(feet, (10, 0, 980_000, 0, -10, 200_000)), (10, 10))
    assert size.spacing_m == pytest.approx(10 * 1200 / 3937)


def test_lengths_on_the_ellipsoid():
    quarter_m = 10_001_965.7  # of a meridian of WGS84
    steps = np.column_stack([np.zeros(901), np.linspace(0, 90, 901)])
    assert segment_lengths_m(steps).sum() == pytest.approx(quarter_m, rel=1e-6)
    assert segment_lengths_m(np.array([[179.99, 0], [-179.99, 0]]))[0] == pytest.approx(2226.4, abs=0.1)
    line = np.array([[0.0, 0], [100, 0], [100, 200]])
    np.testing.assert_allclose(segment_lengths_m(UTM.to_lonlat(line)), [2000 / 0.9996, 4000 / 0.9996], rtol=1e-5)


def test_mirrored_pictures_are_known():
    assert not UTM.is_mirrored
    assert Georeference(UTM.crs, (20, 0, 0, 0, 20, 0)).is_mirrored


def test_equal_area_plane_keeps_areas_across_180_degrees():
    corners = np.array([[179.9, -77.1], [-179.9, -77.1], [-179.9, -76.9], [179.9, -76.9]])
    x, y = reproject(corners, WGS84, equal_area_plane(corners)).T
    area_m2 = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    width, height = segment_lengths_m(np.array([[0, -77], [0.2, -77], [0.2, -76.8]]))
    assert area_m2 == pytest.approx(width * height, rel=1e-3)


def test_a_place_without_longitude_and_latitude_is_an_error():
    with pytest.raises(InputError, match="coordinate"):
        reproject(np.array([[1e30, 1e30]]), UTM.crs, WGS84)
