"""Landscapes and seasons: one world for all scenes of a glacier, different ones for different glaciers."""

import datetime

import numpy as np

from glacierjax.core.scene_names import HEMISPHERES
from glacierjax.simulate.archive import GLACIERS, landscape_of
from glacierjax.simulate.composition import front_position_m
from glacierjax.simulate.terrain import fractal_noise

NAMES = [name for names in GLACIERS.values() for name in names]


def test_world_and_fjord_coordinates_are_inverse():
    for name in NAMES:
        landscape = landscape_of(name, seed=0)
        x, y = landscape.world(along=400.0, across_m=300.0)
        along, v = landscape.rotate(x, y)
        np.testing.assert_allclose([along, v - landscape.centre_m(along)], [400.0, 300.0])


def test_glaciers_face_different_ways():
    azimuths = np.sort([landscape_of(name, seed=1).azimuth % (2 * np.pi) for name in NAMES])
    gaps = np.diff(azimuths, append=azimuths[0] + 2 * np.pi)
    assert np.rad2deg(gaps.min()) > 15
    assert np.rad2deg(gaps.max()) < 120


def test_fronts_advance_in_winter_and_retreat_in_summer():
    end_of_winter = {"north": (4, 15), "south": (10, 15)}
    for name in NAMES:
        landscape = landscape_of(name, seed=0)
        hemisphere = HEMISPHERES[name]
        other = "south" if hemisphere == "north" else "north"
        winter = front_position_m(landscape, datetime.date(2008, *end_of_winter[hemisphere]))
        summers = [front_position_m(landscape, datetime.date(year, *end_of_winter[other])) for year in (2007, 2008)]
        assert winter > max(summers) + 100


def test_fronts_retreat_over_the_years():
    landscape = landscape_of("Crane", seed=0)
    assert front_position_m(landscape, datetime.date(2003, 7, 1)) > front_position_m(
        landscape, datetime.date(2013, 7, 1)
    )


def test_noise_repeats_and_has_unit_variance():
    noise = fractal_noise(np.random.default_rng(0), slope=3.0)
    x, y = np.meshgrid(np.arange(0, 512, 3.0), np.arange(0, 512, 3.0))
    values = noise.at(x, y)
    np.testing.assert_allclose(values, noise.at(x + 512, y - 1024), atol=1e-9)
    assert abs(values.mean()) < 0.1
    assert 0.9 < values.std() < 1.1
