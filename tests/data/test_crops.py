"""Crops: scenes, positions and batches, and the image file that they come from."""

import dataclasses
import pickle
from collections import Counter

import numpy as np
import pytest

from glacierjax.core.choices import GREY, ROCK, SUMMER
from glacierjax.core.scene_names import parse_name
from glacierjax.core.settings import AugmentSettings, LabelledDataSettings
from glacierjax.core.spacing import average_looks, middle_looks
from glacierjax.core.zones import UNKNOWN_ID, Zone
from glacierjax.data.crops import CropSource, draw_crop, draw_sample
from glacierjax.data.image_file import write_images
from glacierjax.data.labelled_scenes import LabelledScenes, planes_of
from glacierjax.data.pipeline import batches
from glacierjax.datasets.caffe.scene import LabelledScene

SHAPES = [(90, 70), (40, 200), (64, 64), (5, 3)]
CONTEXT = 32
DATA = LabelledDataSettings(context_px=CONTEXT, samples_per_epoch=8)
AUGMENT = AugmentSettings()
NOTHING = AugmentSettings(
    zoom_probability=0,
    mix_probability=0,
    speckle_probability=0,
    brightness_probability=0,
    gamma_probability=0,
    left_right_probability=0,
    up_down_probability=0,
    rotation_probability=0,
)


def decoded(scenes, path, pixel_spacing_m=0) -> LabelledScenes:
    """The scenes in an image file."""
    file = write_images(planes_of(scenes, pixel_spacing_m), path, 2 * len(scenes), "scenes")
    return LabelledScenes(tuple(s.id.name for s in scenes), file)


def scene(index, shape):
    """Grey value and class of every pixel encode its scene and position."""
    row, column = np.indices(shape)
    zones = ((row // 4 + column // 4) % 2 * 2).astype(np.uint8)  # NA and glacier: nothing between but rock
    valid = column < 0.8 * shape[1]
    name = parse_name(f"COL_2012-11-{index + 1:02d}_TDX_20_1_092")
    image = (60 * index + row + column).astype(np.uint8)
    return LabelledScene(name, image, zones, np.zeros(shape, bool), None, valid if index % 2 else None)


@pytest.fixture(scope="module")
def scenes():
    return [scene(i, shape) for i, shape in enumerate(SHAPES)]


@pytest.fixture(scope="module")
def images(scenes, tmp_path_factory):
    return decoded(scenes, tmp_path_factory.mktemp("scenes") / "train.bin")


@pytest.fixture
def source(images):
    return CropSource(images, DATA, AUGMENT, seed=3, batch_size=4, first=0, local=4, steps=6)


def read(source, start_step=0, workers=0):
    with batches(source, start_step, workers) as stream:
        return list(stream)


def assert_same(some, others):
    assert len(some) == len(others) > 0
    for one, other in zip(some, others, strict=True):
        assert one.keys() == other.keys() == {"image", "labels"}
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])


def test_the_file_gives_back_scenes_of_every_size(scenes, images):
    assert [images.size(i) for i in range(len(images))] == SHAPES
    assert images.file.path.stat().st_size == 2 * sum(r * c for r, c in SHAPES)
    for index, original in enumerate(scenes):
        image, labels = images.crop(index, 0, 0, *SHAPES[index])
        np.testing.assert_array_equal(image, original.image)
        expected = original.zones if original.valid is None else np.where(original.valid, original.zones, UNKNOWN_ID)
        np.testing.assert_array_equal(labels, expected)


def test_the_file_mirrors_endlessly_beyond_the_borders(scenes, images):
    for index, original in enumerate(scenes):
        rows, columns = SHAPES[index]
        expected = np.pad(original.image, ((20, 33), (7, 40)), "symmetric")
        image, labels = images.crop(index, -20, -7, rows + 53, columns + 47)
        np.testing.assert_array_equal(image, expected)
        assert labels.shape == image.shape


def test_the_file_travels_to_other_processes_as_a_path(images):
    assert len(pickle.dumps(images)) < 1000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(images)).crop(0, 1, 2, 9, 8), images.crop(0, 1, 2, 9, 8))


def test_decoding_again_replaces_the_file(scenes, tmp_path):
    path = tmp_path / "train.bin"
    decoded(scenes, path)
    again = decoded(scenes[2:3], path)
    assert len(again) == 1 and path.stat().st_size == 2 * 64 * 64
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_at_a_coarser_spacing_holds_means_and_the_labels_in_their_middle(scenes, tmp_path):
    coarse = decoded(scenes, tmp_path / "train.bin", pixel_spacing_m=60)
    for index, fine in enumerate(scenes):  # of 20 m
        shape = tuple(-(-side // 3) for side in fine.image.shape)
        assert coarse.size(index) == shape
        image, labels = coarse.crop(index, 0, 0, *shape)
        np.testing.assert_array_equal(image, average_looks(fine.image, 3))
        known = fine.zones if fine.valid is None else np.where(fine.valid, fine.zones, UNKNOWN_ID)
        np.testing.assert_array_equal(labels, middle_looks(known, 3))


def test_samples_are_a_function_of_seed_and_number(source):
    again = dataclasses.replace(source)
    other_seed = dataclasses.replace(source, seed=4)
    for index in (5, 0, 23):
        assert_same([source[index]], [again[index]])
        sample = source[index]
        assert sample["image"].shape == (CONTEXT, CONTEXT, 1) and sample["labels"].shape == (CONTEXT, CONTEXT)
        assert sample["image"].dtype == sample["labels"].dtype == np.uint8
    assert any((source[i]["image"] != other_seed[i]["image"]).any() for i in range(4))
    assert any((source[i]["image"] != source[i + 8]["image"]).any() for i in range(8)), "epochs differ"


def test_batches_do_not_depend_on_the_number_of_workers(source):
    assert_same(read(source), read(source, workers=2))


def test_resuming_gives_the_same_rest(source):
    assert_same(read(source)[2:], read(source, start_step=2))


def test_batches_are_the_samples_in_turn(source):
    for step, batch in enumerate(read(source)):
        for offset in range(4):
            np.testing.assert_array_equal(batch["image"][offset], source[4 * step + offset]["image"])


def test_processes_share_the_global_batch(source):
    halves = [dataclasses.replace(source, first=first, local=2) for first in (0, 2)]
    assert len(halves[0]) == len(source) // 2
    joined = [
        {key: np.concatenate([one[key], other[key]]) for key in one}
        for one, other in zip(read(halves[0]), read(halves[1]), strict=True)
    ]
    assert_same(joined, read(source))
    assert [halves[1].sample_number(i) for i in range(4)] == [2, 3, 6, 7]


def test_each_scene_comes_equally_often_whatever_its_size(images):
    data = dataclasses.replace(DATA, samples_per_epoch=40)
    source = CropSource(images, data, AUGMENT, seed=0, batch_size=8, first=0, local=8, steps=10)
    orders = []
    for epoch in range(2):
        shown = [source.scene_of(40 * epoch + i) for i in range(40)]
        assert Counter(shown) == dict.fromkeys(range(len(SHAPES)), 10)
        orders.append(shown)
    assert orders[0] != orders[1], "shuffled anew in every epoch"


@pytest.mark.parametrize("samples", [3, 4, 6])
def test_each_scene_comes_equally_often_in_epochs_that_do_not_hold_all_of_them_alike(images, samples):
    data = dataclasses.replace(DATA, samples_per_epoch=samples)
    source = CropSource(images, data, AUGMENT, seed=0, batch_size=1, first=0, local=1, steps=4 * samples)
    assert Counter(map(source.scene_of, range(4 * samples))) == dict.fromkeys(range(len(SHAPES)), samples)


@pytest.mark.parametrize("label_resize", ["clean", "official"])
def test_only_the_official_resizing_invents_classes_in_crops(images, label_resize):
    augment = dataclasses.replace(AUGMENT, label_resize=label_resize, zoom_probability=1)
    rng = np.random.default_rng(0)
    seen = {int(v) for i in range(24) for v in np.unique(draw_sample(images, i % 4, rng, DATA, augment)["labels"])}
    known = {int(Zone.NA), int(Zone.GLACIER), UNKNOWN_ID}
    assert seen == (known if label_resize == "clean" else known | {int(Zone.ROCK)})


def test_unlabelled_pixels_keep_their_share_through_every_augmentation(images):
    rng = np.random.default_rng(0)
    shares = [(draw_sample(images, 1, rng, DATA, AUGMENT)["labels"] == UNKNOWN_ID).mean() for _ in range(60)]
    assert 0.1 < np.mean(shares) < 0.3  # 0.2 of the scene
    fully_labelled = [(draw_sample(images, 0, rng, DATA, AUGMENT)["labels"] == UNKNOWN_ID).any() for _ in range(10)]
    assert not any(fully_labelled)


def test_image_and_labels_stay_together_through_mirrors_and_turns(tmp_path):
    image = np.random.default_rng(0).integers(0, 4, (70, 50)).astype(np.uint8)
    labels_are_the_image = LabelledScene(
        parse_name("COL_2012-11-03_TDX_20_1_092"), image, image, np.zeros(image.shape, bool)
    )
    images = decoded([labels_are_the_image], tmp_path / "train.bin")
    augment = dataclasses.replace(
        NOTHING, left_right_probability=0.5, up_down_probability=0.5, rotation_probability=0.5
    )
    rng = np.random.default_rng(1)
    for _ in range(16):
        sample = draw_sample(images, 0, rng, DATA, augment)
        np.testing.assert_array_equal(sample["image"][..., 0], sample["labels"])


def test_crop_larger_than_the_padded_scene_is_cut_at_its_border(images):
    class Widest(np.random.Generator):
        def random(self):
            return 0.0

        def uniform(self, low, high):
            return high

    shown = []
    spy = dataclasses.replace(images)
    object.__setattr__(spy, "crop", lambda *box: shown.append(box) or images.crop(*box))
    augment = dataclasses.replace(AUGMENT, zoom_range=(1, 3.5), zoom_probability=1)
    image, labels = draw_crop(spy, 1, Widest(np.random.PCG64(0)), DATA, augment)
    # 40 rows are padded to 96, 200 columns to 256; the crop's side is 112.
    ((_, top, _, height, width),) = shown
    assert (top, height, width) == (-28, 96, 112)
    assert image.shape == labels.shape == (CONTEXT, CONTEXT)


@pytest.mark.parametrize(("padding", "smallest_top", "largest_bottom"), [("official", -19, 109), ("clean", 0, 90)])
def test_crops_stay_in_the_padded_scene(images, padding, smallest_top, largest_bottom):
    shown = []
    spy = dataclasses.replace(images)
    object.__setattr__(spy, "crop", lambda *box: shown.append(box) or images.crop(*box))
    rng = np.random.default_rng(0)
    for _ in range(300):
        draw_crop(spy, 0, rng, dataclasses.replace(DATA, padding=padding), NOTHING)
    tops = [box[1] for box in shown]
    assert min(tops) == smallest_top
    assert max(tops) + CONTEXT <= largest_bottom
    assert max(tops) + CONTEXT >= largest_bottom - 2, "the whole range is used"


def test_without_augmentation_a_sample_is_a_window_of_the_scene(images, scenes):
    rng = np.random.default_rng(0)
    sample = draw_sample(images, 2, rng, dataclasses.replace(DATA, padding="clean"), NOTHING)
    windows = np.lib.stride_tricks.sliding_window_view(scenes[2].image, (CONTEXT, CONTEXT))
    assert (windows == sample["image"][..., 0]).all(axis=(2, 3)).any()


def with_priors(scenes):
    """The scenes, some with rock, some with a summer scene."""
    return [
        dataclasses.replace(
            s, rock=s.image > 100 if i % 2 else None, summer=(s.image // 2 + 1).astype(np.uint8) if i < 2 else None
        )
        for i, s in enumerate(scenes)
    ]


def test_priors_are_cropped_and_turned_with_the_image_whose_numbers_do_not_change(scenes, images, tmp_path):
    channels = (GREY, ROCK, SUMMER)
    known = with_priors(scenes)
    file = write_images(planes_of(known, 0, channels), tmp_path / "three.bin", 4 * len(known), "scenes")
    three = LabelledScenes(images.names, file, channels)
    augment = dataclasses.replace(
        NOTHING, left_right_probability=0.5, up_down_probability=0.5, rotation_probability=0.5, missing_probability=0
    )
    for index in range(len(known)):
        plain, shown = (
            draw_sample(which, index, np.random.default_rng(index), DATA, augment) for which in (images, three)
        )
        np.testing.assert_array_equal(shown["image"][..., :1], plain["image"])
        np.testing.assert_array_equal(shown["labels"], plain["labels"])
        rock = 255 * (plain["image"][..., 0] > 100) if index % 2 else np.zeros(shown["labels"].shape)
        np.testing.assert_array_equal(shown["image"][..., 1], rock)
        summer = plain["image"][..., 0] // 2 + 1 if index < 2 else np.zeros(shown["labels"].shape)
        np.testing.assert_array_equal(shown["image"][..., 2], summer)


def test_priors_are_left_out_of_a_part_of_the_crops(scenes, images, tmp_path):
    channels = (GREY, GREY, SUMMER)
    file = write_images(planes_of(with_priors(scenes), 0, channels), tmp_path / "two.bin", 3 * len(scenes), "scenes")
    three = LabelledScenes(images.names, file, channels)
    augment = dataclasses.replace(NOTHING, missing_probability=0.5)
    there = [
        draw_sample(three, 0, np.random.default_rng(seed), DATA, augment)["image"][..., 2].any() for seed in range(60)
    ]
    assert 15 < sum(there) < 45
