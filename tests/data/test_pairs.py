"""Pairs of SAR and optical crops: against the official ones (case 10); both show the same place of the same glacier."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
from golden_rules import integers
from helpers import GOLDENS

from glacierjax.core.errors import InputError
from glacierjax.core.settings import PairAugmentSettings, PairDataSettings
from glacierjax.data.image_file import write_images
from glacierjax.data.pairs import PairSource, Tiles, draw_pair
from glacierjax.data.pipeline import batches
from glacierjax.data.scene_pairs import pair_up
from glacierjax.tasks.resampling import prepare_pairs

SHAPES = {"COL": (40, 70), "Hubbard": (64, 33)}
IDS = [("S1_COL_1", "COL"), ("S1_Hubbard_1", "Hubbard"), ("S1_Columbia_2", "Columbia")]
CROP = 32
DATA = PairDataSettings(context_px=CROP, samples_per_epoch=6)
AUGMENT = PairAugmentSettings()


def make_pairs(folder, shapes=SHAPES, ids=IDS):
    """Every optical band is the glacier's own pattern; its first scene is that pattern too."""
    rng = np.random.default_rng(0)
    patterns = {glacier: rng.integers(0, 256, shape).astype(np.uint8) for glacier, shape in shapes.items()}
    of_scene = [patterns[{"Columbia": "COL"}.get(glacier, glacier)] for _, glacier in ids]
    sar = write_images(of_scene, folder / "sar.bin", len(ids), "scenes")
    stacks = [np.repeat(p[..., None], 14, axis=2) for p in patterns.values()]
    optical = write_images(stacks, folder / "optical.bin", len(stacks), "images")
    return pair_up(ids, sar, optical, list(patterns)), patterns


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return make_pairs(tmp_path_factory.mktemp("pairs"))[0]


@pytest.fixture
def source(pairs):
    return PairSource(pairs, DATA, AUGMENT, seed=3, batch_size=2, first=0, local=2, steps=6)


class LoggedDraws:
    """Returns the random numbers that the official code logged, in the order of `draw_pair`."""

    def __init__(self, case):
        top, left, self.share, below, beside = (draw[-1] for draw in case["draws"])
        self.places = [top, left, below, beside]

    def integers(self, low, high):
        return self.places.pop(0)

    def uniform(self, low, high):
        return low + (high - low) * self.share

    def random(self):
        return 1.0  # the reference crops are those before the mirror


@pytest.mark.parametrize("number", range(3))
def test_crops_are_the_official_ones(tmp_path, number):
    case = json.loads((GOLDENS / "case10_augmentation.json").read_text())["pretraining_crops"][number]
    sar = integers("case10.pre.image", 256, (1, 800, 900)).astype(np.uint8)[0]
    optical = integers("case10.pre.optical", 256, (14, 800, 900)).astype(np.uint8).transpose(1, 2, 0)
    files = [write_images([x], tmp_path / f"{i}.bin", 1, "") for i, x in enumerate((sar, optical))]
    pairs = pair_up([("S1_COL_1", "COL")], *files, ["COL"])
    # `clean` pads nothing here: the reference crops were cut from an image that was not padded.
    sample = draw_pair(pairs, 0, LoggedDraws(case), PairDataSettings(padding="clean"), AUGMENT)
    assert sample["square"].tolist() == [*case["second_top_left"], case["crop"]]
    prepared = prepare_pairs({key: value[None] for key, value in sample.items()})
    with np.load(GOLDENS / "case10_augmentation.npz") as arrays:
        for key, steps in (("sar", (1, 8, 8)), ("optical", (3, 16, 16))):
            ours = np.rint(np.asarray(prepared[key])[0] * 255).transpose(2, 0, 1)[:: steps[0], :: steps[1], :: steps[2]]
            difference = np.abs(ours - arrays[f"pre{number}_{key}"])
            # OpenCV adds up in another order: a value just at a half may be rounded the other way.
            assert difference.max() <= 1 and (difference > 0).mean() < 1e-3


def test_both_sensors_show_the_same_window_of_the_same_glacier(pairs):
    rng = np.random.default_rng(0)
    for index in (0, 1, 2) * 8:
        sample = draw_pair(pairs, index, rng, DATA, AUGMENT)
        assert sample["sar"].shape == (CROP, CROP, 1) and sample["optical"].shape == (CROP, CROP, 14)
        assert (sample["optical"] == sample["sar"]).all()
        top, left, side = sample["square"]
        assert int(0.7 * CROP) <= side < CROP and 0 <= top < CROP - side and 0 <= left < CROP - side


def test_windows_beyond_the_border_are_mirrored(tmp_path):
    pairs, patterns = make_pairs(tmp_path)
    expected = np.pad(patterns["Hubbard"], ((9, 80), (50, 3)), "symmetric")
    crop = pairs.crop(1, -9, -50, 64 + 89, 33 + 53)
    np.testing.assert_array_equal(crop["sar"][..., 0], expected)
    np.testing.assert_array_equal(crop["optical"][..., 5], expected)


def test_preparation_resizes_the_square_and_turns_it_over():
    window = np.random.default_rng(0).integers(0, 256, (1, CROP, CROP, 1)).astype(np.uint8)
    whole = {"sar": window, "square": np.array([[0, 0, CROP]]), "up_down": np.array([False])}
    np.testing.assert_allclose(prepare_pairs(whole)["sar"], window / np.float32(255), rtol=1e-6)
    turned = prepare_pairs({**whole, "up_down": np.array([True])})["sar"]
    np.testing.assert_allclose(turned, window[:, ::-1] / np.float32(255), rtol=1e-6)
    flat = {**whole, "sar": np.full_like(window, 77), "square": np.array([[3, 5, 23]])}
    np.testing.assert_allclose(prepare_pairs(flat)["sar"], 77 / 255, rtol=1e-6)


def test_samples_depend_on_seed_and_number_alone(source):
    def all_of(source, start=0, workers=0):
        with batches(source, start, workers) as stream:
            return list(stream)

    whole = all_of(source)
    for others in (all_of(source, workers=1), whole[:2] + all_of(source, start=2)):
        for one, other in zip(whole, others, strict=True):
            assert one.keys() == {"sar", "optical", "square", "up_down"}
            for key in one:
                np.testing.assert_array_equal(one[key], other[key])
    other_seed = dataclasses.replace(source, seed=4)
    assert any((source[i]["square"] != other_seed[i]["square"]).any() for i in range(6))


def test_pairs_travel_to_workers_as_a_path_and_optical_images_are_there_once(pairs):
    assert len(pickle.dumps(pairs)) < 2000
    assert pairs.optical_of == (0, 1, 0)
    assert pairs.optical.path.stat().st_size == 14 * sum(rows * columns for rows, columns in SHAPES.values())


def test_tiles_cover_every_pixel_and_more_than_once(pairs):
    tiles = Tiles(pairs, CROP)
    seen = {i: np.zeros(pairs.size(i), int) for i in range(len(pairs))}
    for index, top, left in tiles.places():
        seen[index][max(top, 0) : max(top + CROP, 0), max(left, 0) : max(left + CROP, 0)] += 1
    assert all(count.min() >= 1 for count in seen.values()) and max(count.max() for count in seen.values()) == 4
    tile = tiles.read(tiles.places()[-1])
    assert tile["optical"].shape == (CROP, CROP, 14) and tile["square"].tolist() == [0, 0, CROP]


@pytest.mark.parametrize(
    ("glaciers", "shape", "message"),
    [
        (
            ["Hubbard"],
            (40, 70, 14),
            "S1_COL_1: no optical image of the glacier COL in the data set; there are: Hubbard",
        ),
        (["Columbia"], (40, 71, 14), "S1_COL_1: 70 x 40 pixels, its optical image has 71 x 40"),
        (["Columbia"], (40, 70, 13), "S1_COL_1: .* and 13 bands"),
    ],
)
def test_scene_and_image_that_do_not_belong_together_are_refused(tmp_path, glaciers, shape, message):
    sar = write_images([np.zeros((40, 70), np.uint8)], tmp_path / "s.bin", 1, "")
    optical = write_images([np.zeros(shape, np.uint8)], tmp_path / "o.bin", 1, "")
    with pytest.raises(InputError, match=message):
        pair_up(IDS[:1], sar, optical, glaciers)
