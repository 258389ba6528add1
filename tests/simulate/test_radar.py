"""The radar: energy is kept, mountains throw shadow away from the sensor, speckle has the looks asked for."""

import dataclasses

import numpy as np
import pytest

from glacierjax.simulate import sar
from glacierjax.simulate.archive import landscape_of
from glacierjax.simulate.composition import plan_scene
from glacierjax.simulate.surfaces import Surface


@pytest.fixture
def plan():
    plan = plan_scene(np.random.default_rng(0), landscape_of("Crane", seed=0), number=1, longest_side_px=200)
    return dataclasses.replace(plan, looks_east=True, incidence=np.deg2rad(45.0))


def flat(height_px=120, width_px=300):
    return np.zeros((height_px, width_px))


def test_adding_up_echoes_keeps_their_sum():
    rng = np.random.default_rng(0)
    echo, cells = rng.random((4, 50)), rng.uniform(0, 60, (4, 50))
    np.testing.assert_allclose(sar._add_up(echo, cells).sum(1), echo.sum(1))


def test_speckle_on_level_ground_is_gamma_distributed_with_its_looks(plan):
    power, shadow = sar._image_power(np.random.default_rng(1), plan, Surface(flat(), flat() + 1.0))
    assert not shadow.any()
    assert power.mean() == pytest.approx(1.0, abs=0.03)
    assert 0.4 * plan.sensor.looks < power.mean() ** 2 / power.var() < 1.4 * plan.sensor.looks


@pytest.mark.parametrize("looks_east", [True, False])
def test_a_wall_is_bright_in_front_and_throws_a_shadow_of_its_height_behind(plan, looks_east):
    spacing = plan.id.pixel_spacing_m
    height = flat()
    wall_px = 20
    height[:, 150] = wall_px * spacing  # at 45 degrees shadow and layover are as long as the wall is high
    plan = dataclasses.replace(plan, looks_east=looks_east)
    power, shadow = sar._image_power(np.random.default_rng(1), plan, Surface(height, flat() + 1.0))
    behind = np.arange(151, 150 + wall_px) if looks_east else np.arange(151 - wall_px, 150)
    assert shadow[:, behind].all()
    assert shadow.sum(1).max() <= wall_px + 1
    assert power[:, behind].mean() < 0.1


def test_unlit_specks_are_not_labelled():
    mask = np.zeros((60, 60), bool)
    mask[5, 5:40] = True  # a thread
    mask[20:22, 20:22] = True  # a speck
    mask[30:50, 30:50] = True
    kept = sar._without_specks(mask, spacing=20.0)
    assert not kept[:25].any()
    assert kept[31:49, 31:49].all()
