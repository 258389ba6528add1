"""New glaciers: unlike the benchmark's in what they are, and with winters whose mélange looks like the ice."""

import numpy as np
import pytest
from scipy import ndimage

from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.fronts import extract_front
from glacierjax.simulate import ArchiveOptions, simulate
from glacierjax.simulate.archive import GLACIERS, NEW_GLACIERS, landscape_of

NORTH = dict.fromkeys(NEW_GLACIERS, "north")


@pytest.fixture(scope="module")
def scenes():
    return list(simulate(ArchiveOptions(seed=2, scenes=16, size=240, glaciers="new")))


def test_the_same_new_glaciers_train_and_test(scenes):
    for split in ("train", "test"):
        assert {scene.id.glacier for part, scene in scenes if part == split} == set(NEW_GLACIERS)
    assert len({scene.id.name for _, scene in scenes}) == len(scenes)


def test_no_new_glacier_is_as_wide_as_one_of_the_benchmark():
    known = [landscape_of(name, 0) for names in GLACIERS.values() for name in names]
    low, high = min(one.half_width_m for one in known), max(one.half_width_m for one in known)
    for name in NEW_GLACIERS:
        new = landscape_of(name, 0)
        assert not low <= new.half_width_m <= high
        assert new.flow_line_width > max(one.flow_line_width for one in known)
        assert new.rock_brightness > max(one.rock_brightness for one in known)
        assert not {sensor.name for sensor in new.sensors} & {s.name for one in known for s in one.sensors}


def test_labels_are_as_true_as_those_of_the_benchmark(scenes):
    for _, scene in scenes:
        np.testing.assert_array_equal(extract_front(scene.zones, scene.id.pixel_spacing_m, scene.box), scene.front)


def test_in_winter_the_sea_before_the_front_resembles_the_ice_more_than_in_summer(scenes):
    unlike = {"winter": [], "summer": []}
    for _, scene in scenes:
        near = ndimage.binary_dilation(scene.front, iterations=25)
        sea, ice = (scene.image[near & (scene.zones == z)] for z in (Zone.OCEAN_ICE_MELANGE, Zone.GLACIER))
        # The distance of the distributions of grey values: 0 where no grey value tells them apart.
        edges = np.arange(0, 257, 8)
        shares = [np.histogram(part, edges)[0] / part.size for part in (sea, ice)]
        unlike[scene.id.season(NORTH)].append(np.abs(shares[0] - shares[1]).sum() / 2)
    assert min(map(len, unlike.values())) >= 3
    assert np.median(unlike["winter"]) < 0.6 * np.median(unlike["summer"])


def test_rock_is_known_in_shadow_too_and_a_summer_scene_shows_the_same_ground(scenes):
    for _, scene in scenes:
        assert scene.rock[scene.zones == Zone.ROCK].all()
        assert not scene.rock[np.isin(scene.zones, (Zone.GLACIER, Zone.OCEAN_ICE_MELANGE))].any()
        assert scene.summer.shape == scene.image.shape and (scene.summer != scene.image).any()
        seen = scene.rock & (scene.image > 0) & (scene.summer > 0)
        smooth = [ndimage.uniform_filter(image.astype(float), 9)[seen] for image in (scene.image, scene.summer)]
        assert np.corrcoef(*smooth)[0, 1] > 0.5


def test_unknown_glaciers_are_refused():
    with pytest.raises(InputError, match="glaciers='old': choose benchmark or new"):
        ArchiveOptions(glaciers="old")
