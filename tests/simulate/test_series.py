"""Simulated series: one ground, several sensors, a front that follows the year, and winters that hide it."""

import datetime

import numpy as np
import pytest
from scipy import ndimage

from glacierjax.core.errors import InputError
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.splits import plan_splits
from glacierjax.fronts.extract import ocean_glacier_border
from glacierjax.simulate import ArchiveOptions, write_archive
from glacierjax.simulate.archive import SERIES_GLACIERS, landscape_of
from glacierjax.simulate.series import DAYS_BETWEEN, front_position_m, is_frozen, simulate_series

DATES, SIZE_PX = 14, 200
GLACIER = "JAC"


def take(seed: int):
    return simulate_series(landscape_of(GLACIER, 0), (seed, 9), DATES, SIZE_PX)


@pytest.fixture(scope="module")
def scenes():
    return take(0)


def test_dates_follow_each_other_about_a_month_apart_from_several_sensors(scenes):
    dates = [scene.id.date for scene in scenes]
    gaps = np.diff([date.toordinal() for date in dates])
    assert len(scenes) == DATES and gaps.min() > 0 and abs(gaps.mean() - DAYS_BETWEEN) < 3
    assert len({scene.id.name for scene in scenes}) == DATES
    assert len({scene.id.sensor for scene in scenes}) > 1 and len({scene.id.pixel_spacing_m for scene in scenes}) > 1


def test_all_scenes_show_the_same_ground(scenes):
    for axis in (0, 1):
        sides_m = [scene.image.shape[axis] * scene.id.pixel_spacing_m for scene in scenes]
        assert max(sides_m) - min(sides_m) <= max(scene.id.pixel_spacing_m for scene in scenes)
    # Boxes are given in pixels of each scene; in metres they are one.
    boxes_m = np.array([scene.box for scene in scenes]) * [[scene.id.pixel_spacing_m] for scene in scenes]
    assert np.ptp(boxes_m, axis=0).max() < 1


def test_labels_are_whole_fronts(scenes):
    for scene in scenes:
        assert scene.front.any() and (scene.front == ocean_glacier_border(scene.zones)).all()


def test_fronts_stand_still_while_melange_is_rigid_and_move_in_between():
    for glacier in (name for names in SERIES_GLACIERS.values() for name in names):
        landscape = landscape_of(glacier, 0)
        days = [datetime.date(2010, 1, 1) + datetime.timedelta(days=n) for n in range(730)]
        frozen = np.array([is_frozen(glacier, day) for day in days])
        position = np.array([front_position_m(landscape, day) for day in days])
        winters, count = ndimage.label(frozen)
        assert 0.3 < frozen.mean() < 0.45
        # 20 days before and after a winter, when it can be seen, the front stands where it stood in winter.
        seen = ndimage.binary_dilation(frozen, iterations=20)
        for number in range(1, count + 1):
            near = ndimage.binary_dilation(winters == number, iterations=20) & seen
            assert np.ptp(position[near]) < 60
        assert position[frozen].mean() - position[~seen].min() > 100


def test_melange_hides_the_front_and_an_open_sea_does_not(scenes):
    """The step of the mean grey value across the front, in standard deviations on both sides."""
    steps = {True: [], False: []}
    for scene in scenes:
        spacing = scene.id.pixel_spacing_m
        ocean = scene.zones == 3
        near = ndimage.distance_transform_edt(~scene.front) * spacing
        sides = [scene.image[(near < 200) & (near > 40) & side].astype(float) for side in (ocean, scene.zones == 2)]
        if min(map(len, sides)) > 10:
            pooled = np.sqrt(np.mean([side.var() for side in sides]))
            steps[is_frozen(GLACIER, scene.id.date)].append(abs(sides[0].mean() - sides[1].mean()) / pooled)
    assert np.median(steps[True]) < 0.35 < np.median(steps[False])


def test_the_same_seed_gives_the_same_scenes(scenes):
    for again, scene in zip(take(0)[:2], scenes, strict=False):
        assert again.id == scene.id and (again.image == scene.image).all() and (again.zones == scene.zones).all()


def test_an_archive_of_series_keeps_each_glacier_in_one_split(tmp_path):
    counts = write_archive(tmp_path, ArchiveOptions(dates=2, size=SIZE_PX))
    assert counts == {split: 2 * len(glaciers) for split, glaciers in SERIES_GLACIERS.items()}
    plan = plan_splits(open_archive(tmp_path / "data_raw"))
    for split, sources in plan.splits.items():
        assert {source.name.split("_")[0] for source in sources} == set(SERIES_GLACIERS[split])


def test_a_number_of_dates_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="dates=-1"):
        ArchiveOptions(dates=-1)
