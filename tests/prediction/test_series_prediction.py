"""Series of whole scenes with a stand-in for the network, against the official test path and against what must hold."""

import zlib

import golden_rules as rules
import numpy as np
import pytest
import series_rules

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import grey_from_ids
from glacierjax.prediction.ensemble import SeriesPredictor
from glacierjax.prediction.frames import FrameBySize
from glacierjax.prediction.register import View, answers_of
from glacierjax.prediction.series import frame_strips, plan_series, series_network

CASE = series_rules.read_compact().numbers["mt9"]
SIZES = {name: (rows, columns) for name, rows, columns in CASE["scenes"]}


def stand_in(frames, days):
    """The class of a frame from its grey value, the next frame's and its day; certain of it."""
    q = frames.astype(int) // 64
    zones = (q + np.roll(q, -1, axis=0) + days[:, None, None]) % 4
    return np.eye(4, dtype=np.float32)[zones]


def scene(name):
    rows, columns = SIZES[name]
    return rules.blocks(rules.integers(f"mt9.image.{name}", 256, (rows // 10, columns // 10)), 10).astype(np.uint8)


@pytest.mark.parametrize("mode", ["groups", "reference"])
def test_the_official_results_and_calls_of_the_network(mode):
    calls = []

    def network(frames, days):
        assert frames.shape == (CASE["T"], 512, 512)
        calls.append(1)
        return stand_in(frames, days)

    predictor = SeriesPredictor([network], (0,), "tiled", 512, 1, None, ["stand-in"], frames=CASE["T"])
    found = {}
    for sample in plan_series(list(SIZES), mode, CASE["T"]):
        views = {name: View(name, scene(name), 20, date=parse_name(name).date) for name in sample.frames}
        for position, answer in zip(sample.wanted, answers_of(predictor, views, sample, "size"), strict=True):
            name = sample.frames[position]
            assert name not in found and answer.zones.shape == SIZES[name]
            found[name] = zlib.crc32(grey_from_ids(answer.zones).tobytes())
    assert found == CASE["modes"][mode]["crc32"]
    assert len(calls) == CASE["modes"][mode]["network_calls"]


def own_grey(frames, _):
    """Each pixel's grey value as its probabilities."""
    return np.stack([frames] * 4, axis=-1).astype(np.float32)


def by_size(image, grid):
    return FrameBySize(image, image.shape, grid, tile=64)


def brought_back(frames, wanted, grid, mode="tiled", context_px=128):
    """The first channel that each wanted frame gets on its own pixels."""
    network = series_network(own_grey, np.zeros(len(frames), int), wanted)
    (strips,) = frame_strips([network], [0], frames, wanted, grid, mode, context_px, 1)
    whole = np.concatenate(list(strips))
    places = [frames[position].on_grid(slice(None), slice(None)) for position in wanted]
    return [whole[row, column, number, 0] for number, (row, column) in enumerate(places)]


def test_frames_of_unlike_size_come_back_on_their_own_pixels():
    rng = np.random.default_rng(0)
    sizes = [(300, 420), (310, 430), (90, 100), (300, 420)]
    images = [
        rules.blocks(rng.integers(0, 256, (rows // 10, columns // 10)), 10).astype(np.uint8) for rows, columns in sizes
    ]
    frames = [by_size(image, sizes[3]) for image in images]
    for number, back in enumerate(brought_back(frames, [0, 1, 2], sizes[3])):
        assert back.shape == sizes[number]
        wrong = np.mean(back != images[number])
        # What is made smaller loses 10 of 310 rows and of 430 columns; half of these stand at the border of a block.
        assert wrong == 0 if number != 1 else wrong < 0.03


@pytest.mark.parametrize("mode", ["tiled", "overlap", "whole"])
@pytest.mark.parametrize("size", [(40, 200), (64, 64), (129, 65), (1, 1)])
def test_strips_of_any_size_and_mode_cover_the_scene_once(size, mode):
    image = np.random.default_rng(1).integers(0, 256, size).astype(np.uint8)
    (back,) = brought_back([by_size(image, size)] * 2, [1], size, mode, 64)
    np.testing.assert_allclose(back, image, rtol=1e-5)


@pytest.mark.parametrize("mode", ["tiled", "overlap", "whole"])
def test_turned_frames_are_turned_back(mode):
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 256, size).astype(np.uint8) for size in ((90, 130), (45, 65))]
    frames = [by_size(image, (90, 130)) for image in images]
    network = series_network(own_grey, np.zeros(2, int), (0, 1))
    turned = frame_strips([network], range(4), frames, (0, 1), (90, 130), mode, 64, 1)
    first, *others = (np.concatenate(list(strips)) for strips in turned)
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-5)


@pytest.mark.parametrize("mode", ["groups", "reference"])
@pytest.mark.parametrize("frames", [2, 3, 8])
def test_every_scene_gets_one_answer(mode, frames):
    names = list(SIZES)
    wanted = [series.frames[i] for series in plan_series(names, mode, frames) for i in series.wanted]
    assert sorted(wanted) == sorted(names)


def test_a_single_scene_stands_in_all_frames():
    (series,) = plan_series(["COL_2012-02-04_TDX_7_1_024"], "groups", 8)
    assert len(series.frames) == 8 and len(set(series.frames)) == 1 and series.wanted == (0,)


def test_another_mode_is_refused():
    with pytest.raises(InputError, match="series='all': choose groups or reference"):
        plan_series(list(SIZES), "all")


@pytest.mark.parametrize(("size", "late"), [(66, 1), (64, 0), (132, 0)])
def test_official_and_clean_differ_by_the_late_pixel_of_scaled_frames_alone(size, late):
    image = np.random.default_rng(0).integers(0, 256, (size, size)).astype(np.uint8)
    every = np.arange(132)
    clean, official = (
        FrameBySize(image, (size, size), (132, 132), protocol=protocol, tile=64).read((every, every), (every, every))
        for protocol in ("clean", "official")
    )
    shown = every * size // 132
    np.testing.assert_array_equal(clean, image[shown[:, None], shown])
    shown = np.minimum(shown + late, size - 1)
    np.testing.assert_array_equal(official, image[shown[:, None], shown])


@pytest.mark.parametrize("size", [(129, 130), (131, 132)])
def test_the_larger_paddings_of_the_official_code_move_no_answer(size):
    image = np.random.default_rng(1).integers(0, 256, size).astype(np.uint8)
    network = series_network(own_grey, np.zeros(2, int), (0,))
    frames = [by_size(image, size)] * 2
    for protocol in ("clean", "official"):
        (strips,) = frame_strips([network], [0], frames, (0,), size, "tiled", 128, 1, protocol)
        np.testing.assert_array_equal(np.concatenate(list(strips))[:, :, 0, 0], image)
