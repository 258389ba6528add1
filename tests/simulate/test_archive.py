"""The simulated archive: published layout, exact labels, and pictures that no threshold can solve."""

import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from helpers import run_here
from scipy import ndimage

from glacierjax.core.boxes import match_box_files, read_box
from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import GREY_VALUES, Zone, ids_from_grey
from glacierjax.fronts import clean_zones, extract_front
from glacierjax.fronts.extract import MIN_FRONT_LENGTH_M, ocean_glacier_border
from glacierjax.simulate import ArchiveOptions, simulate, write_archive
from glacierjax.simulate.archive import GLACIERS

OPTIONS = ArchiveOptions(seed=3, scenes=12, size=240)


@pytest.fixture(scope="module")
def scenes():
    return list(simulate(OPTIONS))


@pytest.fixture(scope="module")
def data_raw(tmp_path_factory):
    output = tmp_path_factory.mktemp("simulated")
    assert write_archive(output, OPTIONS) == {"train": 9, "test": 3}
    return output / "data_raw"


def test_layout_and_names_are_those_of_caffe(data_raw):
    assert sorted(p.name for p in data_raw.iterdir()) == ["bounding_boxes", "fronts", "sar_images", "zones"]
    names = []
    for split, glaciers in GLACIERS.items():
        images = sorted((data_raw / "sar_images" / split).iterdir())
        for image in images:
            scene = parse_name(image.name.removesuffix(".png"))
            assert scene.glacier in glaciers
            names.append(scene.name)
        for kind, suffix in (("zones", "_zones"), ("fronts", "_front")):
            files = sorted((data_raw / kind / split).iterdir())
            assert [p.name for p in files] == sorted(p.stem + suffix + ".png" for p in images)
    assert len(set(names)) == OPTIONS.scenes
    boxes = sorted((data_raw / "bounding_boxes").iterdir())
    assert len(boxes) == OPTIONS.scenes
    assert sorted(match_box_files(names, boxes)) == sorted(names)
    assert not [p for p in data_raw.parent.rglob("*") if p.name.startswith(".")]


def test_files_hold_exactly_the_simulated_scenes(data_raw, scenes):
    for split, scene in scenes:
        name = scene.id.name
        zones = read_grey_png(data_raw / "zones" / split / f"{name}_zones.png")
        front = read_grey_png(data_raw / "fronts" / split / f"{name}_front.png")
        assert set(np.unique(zones)) <= set(GREY_VALUES)
        assert set(np.unique(front)) == {0, 255}
        np.testing.assert_array_equal(ids_from_grey(zones, name), scene.zones)
        np.testing.assert_array_equal(front == 255, scene.front)
        np.testing.assert_array_equal(read_grey_png(data_raw / "sar_images" / split / f"{name}.png"), scene.image)
        box_file = next((data_raw / "bounding_boxes").glob(f"{name}*.txt"))
        assert len(box_file.read_text().splitlines()) == 5
        assert read_box(box_file.read_text(), box_file.name) == scene.box


def test_front_is_what_the_method_extracts_from_the_zones(scenes):
    for _, scene in scenes:
        np.testing.assert_array_equal(clean_zones(scene.zones), scene.zones)
        extracted = extract_front(scene.zones, scene.id.pixel_spacing_m, scene.box)
        np.testing.assert_array_equal(extracted, scene.front)


def test_every_piece_of_front_is_at_least_750_m_long(scenes):
    for _, scene in scenes:
        np.testing.assert_array_equal(scene.front, ocean_glacier_border(scene.zones))  # nothing had to be dropped
        parts, count = ndimage.label(scene.front, np.ones((3, 3)))
        lengths_m = np.bincount(parts.ravel())[1:] * scene.id.pixel_spacing_m
        assert count >= 1
        assert lengths_m.min() >= MIN_FRONT_LENGTH_M


def test_the_sea_is_one_piece_that_leaves_the_scene_and_has_a_share_of_it(scenes):
    for _, scene in scenes:
        sea = scene.zones == Zone.OCEAN_ICE_MELANGE
        assert ndimage.label(sea, np.ones((3, 3)))[1] == 1
        assert np.concatenate([sea[0], sea[-1], sea[:, 0], sea[:, -1]]).any()
        assert 0.05 < sea.mean() < 0.95


def test_image_is_zero_outside_the_swath_and_shadow_is_dark(scenes):
    na = np.concatenate([scene.image[scene.zones == Zone.NA] for _, scene in scenes])
    rest = np.concatenate([scene.image[scene.zones != Zone.NA] for _, scene in scenes])
    assert na.size > 0
    assert np.median(na) < 0.2 * np.median(rest)


@pytest.mark.parametrize("smoothing_px", [1, 9])
def test_no_grey_threshold_tells_sea_from_ice(scenes, smoothing_px):
    grey, is_sea = [], []
    for _, scene in scenes:
        labelled = np.isin(scene.zones, (Zone.GLACIER, Zone.OCEAN_ICE_MELANGE))
        grey.append(ndimage.uniform_filter(scene.image.astype(np.float32), smoothing_px)[labelled])
        is_sea.append(scene.zones[labelled] == Zone.OCEAN_ICE_MELANGE)
    grey, is_sea = np.concatenate(grey), np.concatenate(is_sea)
    best = max(
        _iou(sea, is_sea) for threshold in range(256) for sea in (grey < threshold, grey >= threshold) if sea.any()
    )
    assert best < 0.8


def _iou(found, true):
    return (found & true).sum() / (found | true).sum()


def test_in_some_scenes_the_sea_is_brighter_than_the_ice_and_in_some_darker(scenes):
    brighter = [_median(scene, Zone.OCEAN_ICE_MELANGE) > _median(scene, Zone.GLACIER) for _, scene in scenes]
    assert 0.1 < np.mean(brighter) < 0.9


def _median(scene, zone):
    return np.median(scene.image[scene.zones == zone])


def test_no_pixel_is_sea_in_most_scenes(scenes):
    # Else its position alone would do: the sea's share of the scenes at each relative position stays moderate.
    grid = np.linspace(0, 0.999, 12)
    shares = [
        scene.zones[np.ix_(*((grid * size).astype(int) for size in scene.zones.shape))] == Zone.OCEAN_ICE_MELANGE
        for _, scene in scenes
    ]
    assert np.mean(shares, axis=0).max() < 0.85


def test_same_seed_gives_the_same_scenes_side_by_side_too_and_more_scenes_leave_the_first_alone(scenes):
    first = {scene.id.name: scene for _, scene in scenes}
    with ThreadPoolExecutor(2) as pool:
        fewer = list(simulate(dataclasses.replace(OPTIONS, scenes=4), pool.map))
    assert [split for split, _ in fewer] == ["train", "train", "train", "test"]
    for _, scene in fewer:
        np.testing.assert_array_equal(scene.image, first[scene.id.name].image)
        np.testing.assert_array_equal(scene.zones, first[scene.id.name].zones)


def test_another_seed_gives_other_scenes(scenes):
    other = next(simulate(dataclasses.replace(OPTIONS, seed=4, scenes=2)))[1]
    assert other.id.name not in {scene.id.name for _, scene in scenes}


def test_existing_data_raw_is_refused_and_left_alone(tmp_path):
    (tmp_path / "data_raw").mkdir()
    (tmp_path / "data_raw" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="data_raw: exists already"):
        write_archive(tmp_path, OPTIONS)
    assert [p.name for p in tmp_path.rglob("*")] == ["data_raw", "mine.txt"]


def test_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("glacierjax.simulate.archive.write_scene", stop)
    with pytest.raises(KeyboardInterrupt):
        write_archive(tmp_path, ArchiveOptions(scenes=2, size=200))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("field", "value"), [("seed", -1), ("scenes", 1), ("size", 20), ("size", 10**6)])
def test_option_out_of_range_is_named(field, value):
    with pytest.raises(InputError, match=f"{field}={value}: choose"):
        ArchiveOptions(**{field: value})


def test_command_without_output_says_so_in_one_line():
    done = run_here("glacierjax.simulate.__main__")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "--output" in done.stderr


def test_simulation_needs_no_jax():
    code = "import sys, glacierjax.simulate; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
