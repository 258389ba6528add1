"""Which scenes form a sample: the official lists, and what holds for any names."""

import numpy as np
import pytest
import series_rules

from glacierjax.core.errors import InputError
from glacierjax.datasets.series import chunks, day_positions, draw, groups, nearest, of_one_day, short_glaciers

golden = series_rules.read_compact().numbers
SELECTION = golden["mt6"]
SYNTHETIC = SELECTION["synthetic_scenes"]
TEST_SCENES = sorted({name for chunk in SELECTION["caffe_test"][0]["groups"] for name in chunk["planned"]})
VALIDATION_SCENES = sorted(case["reference"] for case in SELECTION["caffe_validation"][0]["groups"])
# The one reference that shares its day with another scene: the official code loses the other and takes the reference twice.
SAME_DAY = "B_2012-03-15_TSX_7_1_110"


@pytest.mark.parametrize(("key", "names"), [("caffe_test", TEST_SCENES), ("synthetic_test", SYNTHETIC)])
def test_chunks_are_the_planned_ones(key, names):
    for case in SELECTION[key]:
        found = groups(list(reversed(names)), case["T"])
        assert found == [chunk["planned"] for chunk in case["groups"]]
        assert {name for chunk in found for name in chunk} == set(names)


@pytest.mark.parametrize(
    ("key", "names"), [("caffe_validation", VALIDATION_SCENES), ("synthetic_validation", SYNTHETIC)]
)
def test_neighbours_in_time_are_the_official_ones(key, names):
    for case in SELECTION[key]:
        for expected in case["groups"]:
            found = nearest(names, expected["reference"], case["T"])
            assert found == expected["frames"] or expected["reference"] == SAME_DAY
            assert found[expected["idx_reference"]] == expected["reference"] or expected["reference"] == SAME_DAY


def test_two_scenes_of_one_day_are_both_taken():
    other = "B_2012-03-15_TDX_7_2_092"
    assert {SAME_DAY, other} <= set(nearest(SYNTHETIC, SAME_DAY, 3)) and {SAME_DAY, other} <= set(
        nearest(SYNTHETIC, other, 3)
    )


@pytest.mark.parametrize("case", SELECTION["training"], ids=lambda case: f"{case['reference']}-{case['T']}")
def test_training_draws_are_the_official_ones(case):
    draws = iter(case["draws_upper_bound_and_value"])

    def below(bound):
        expected, value = next(draws)
        assert bound == expected
        return value

    assert draw(case["candidates"], case["reference"], below, case["T"]) == case["frames"]
    assert next(draws, None) is None


def test_days_are_the_official_ones_and_go_on_before_and_after():
    dates = golden["mt5"]["dates"]
    assert day_positions([f"COL_{date}_TSX_7_1_092" for date in dates]).tolist() == golden["mt5"]["days"]
    assert day_positions(["S1A_IW_GRDH_19950102T000000", "x_1994-12-31", "20450101.tif"]).tolist() == [1, -1, 18263]


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 8, 9])
@pytest.mark.parametrize("count", range(1, 20))
def test_chunks_cover_every_scene_with_the_wanted_length(count, frames):
    names = [f"{i:02}" for i in range(count)]
    found = chunks(names, frames)
    assert all(len(chunk) == frames and chunk == sorted(chunk) for chunk in found)
    assert {name for chunk in found for name in chunk} == set(names)
    assert len(found) == -(-count // frames)


def test_a_single_scene_is_its_own_series():
    (name,) = alone = ["C_2015-06-01_ERS_20_1_001"]
    assert groups(alone, 4) == [alone * 4] and nearest(alone, name, 4) == draw(alone, name, lambda _: 0, 4) == alone * 4
    assert groups([], 4) == []


def test_glaciers_with_too_few_scenes_and_scenes_of_one_day_are_found():
    names = [*SYNTHETIC, "Lone_2015-06-01_ERS_20_1_001"]
    assert short_glaciers(names, 2) == {"C": 1, "Lone": 1}
    assert short_glaciers([], 8) == {}
    shared = of_one_day(names)
    assert SAME_DAY in shared and "B_2012-03-15_TDX_7_2_092" in shared and "Lone_2015-06-01_ERS_20_1_001" not in shared


def test_draws_come_from_the_same_glacier_alone():
    rng = np.random.default_rng(0)
    for reference in TEST_SCENES[::9]:
        frames = draw(TEST_SCENES, reference, rng.integers)
        assert len(set(frames)) == 8 and reference in frames
        assert {name.split("_")[0] for name in frames} == {reference.split("_")[0]}


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: groups(["scene"]), "does not follow GLACIER"),
        (lambda: groups([SAME_DAY, SAME_DAY]), f"{SAME_DAY}: the scene is given twice"),
        (lambda: groups(SYNTHETIC, 0), "frames=0: a series needs one frame or more"),
        (lambda: nearest(SYNTHETIC[:3], SAME_DAY), "not among the 3 scenes"),
        (lambda: draw(SYNTHETIC[:3], SAME_DAY, int), "not among the 3 scenes"),
        (lambda: day_positions(["front_A"]), "front_A: no date in the scene's name"),
    ],
)
def test_wrong_names_are_named(call, problem):
    with pytest.raises(InputError, match=problem):
        call()
