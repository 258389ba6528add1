"""Series of whole scenes with a stand-in for the network, against the official test path and against what must hold."""

import zlib

import golden_rules as rules
import numpy as np
import pytest
import series_rules

from glacierjax.core.errors import InputError
from glacierjax.core.zones import grey_from_ids
from glacierjax.datasets.series import day_positions
from glacierjax.prediction.series import plan_series, predict_series, series_strips

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

    found = {}
    for name, _, probabilities in predict_series(
        network, scene, day_positions, plan_series(list(SIZES), mode, CASE["T"])
    ):
        assert name not in found and probabilities.shape == (*SIZES[name], 4)
        found[name] = zlib.crc32(grey_from_ids(probabilities.argmax(axis=-1).astype(np.uint8)).tobytes())
    assert found == CASE["modes"][mode]["crc32"]
    assert len(calls) == CASE["modes"][mode]["network_calls"]


def own_grey(frames, _):
    """Each pixel's grey value as its probabilities."""
    return np.stack([frames] * 4, axis=-1).astype(np.float32)


def test_frames_of_unlike_size_come_back_on_their_own_pixels():
    rng = np.random.default_rng(0)
    sizes = [(300, 420), (310, 430), (90, 100), (300, 420)]
    images = [
        rules.blocks(rng.integers(0, 256, (rows // 10, columns // 10)), 10).astype(np.uint8) for rows, columns in sizes
    ]
    strips = list(series_strips(own_grey, images, np.zeros(4, int), [0, 1, 2], 3, 128))
    for frame in range(3):
        back = np.concatenate([parts[frame] for parts in strips])[..., 0]
        assert back.shape == sizes[frame]
        wrong = np.mean(back != images[frame])
        # What is made smaller loses 10 of 310 rows and of 430 columns; half of these stand at the border of a block.
        assert wrong == 0 if frame != 1 else wrong < 0.03


@pytest.mark.parametrize("size", [(40, 700), (64, 64), (129, 255), (1, 1)])
def test_strips_of_any_size_cover_the_scene_once(size):
    image = np.random.default_rng(1).integers(0, 256, size).astype(np.uint8)
    strips = list(series_strips(own_grey, [image] * 2, np.zeros(2, int), [1], 0, 64))
    assert all(len(strip) <= 32 for (strip,) in strips)
    np.testing.assert_array_equal(np.concatenate([strip for (strip,) in strips])[..., 0], image)


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
    with pytest.raises(InputError, match="series=all: choose groups or reference"):
        plan_series(list(SIZES), "all")
