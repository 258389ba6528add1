"""Whole scenes from tiles, compared with the official stitching (case 7) and a slow reference in float64."""

import json
import tracemalloc

import numpy as np
import pytest
from golden_rules import FOLDERS, blocks, gen, integers
from PIL import Image

from glacierjax.core import grid
from glacierjax.core.errors import InputError
from glacierjax.core.zones import NUM_ZONES, grey_from_ids
from glacierjax.prediction.devices import ON_ACCELERATOR, ON_CPU
from glacierjax.prediction.tiles import MODES, gaussian_importance, predict_scene, scene_strips, stitch

AT_ONCE = "glacierjax.prediction.tiles.tiles_at_once"
CONTEXT, TARGET = 32, 16
MULTIPLE = 32
# Smaller than a tile, one row or column more than a tile or a target, odd, oblong.
SHAPES = [(5, 3), (16, 16), (17, 40), (33, 32), (37, 53), (100, 7), (1, 1)]
NEARLY = 1e-6


def one_hot(tiles):
    """A network that takes the grey values as class ids."""
    return np.eye(NUM_ZONES, dtype=np.float32)[tiles]


def place_and_value(tiles):
    """A network whose output depends on the grey value and on the position in the tile."""
    row, column = np.indices(tiles.shape[1:])
    x = tiles / np.float32(255)
    logits = np.stack([3 * x, np.sin(row) + 0 * x, np.cos(column) + x, 1 - x], -1).astype(np.float32)
    powers = np.exp(logits)
    return powers / powers.sum(-1, keepdims=True)


def random_scene(shape, high=256):
    return np.random.default_rng(list(shape)).integers(0, high, shape).astype(np.uint8)


@pytest.fixture(scope="module", params=FOLDERS)
def case7(request):
    folder = request.param
    with np.load(folder / "case7_stitching.npz") as file:
        return folder, json.loads((folder / "case7_stitching.json").read_text()), dict(file)


def zones_png(folder, kind, case):
    with Image.open(folder / f"case7_{kind}_{case['rows']}x{case['cols']}.png") as image:
        return np.asarray(image)


def official_probabilities(case, patch):
    """Of a target, (256, 256, 4)."""
    g = gen(f"case7.{case['rows']}x{case['cols']}.patch{patch}")
    coarse = blocks(g.random((4, 8, 8), dtype=np.float32), 32)
    q = coarse + g.random((4, 256, 256), dtype=np.float32) * np.float32(0.25)
    return (q / q.sum(axis=0, keepdims=True)).transpose(1, 2, 0)


def test_importance_is_the_official_one(case7):
    expected = case7[2]["gaussian_importance_256"]
    step = 256 // len(expected)
    np.testing.assert_allclose(gaussian_importance(256)[::step, ::step], expected, rtol=1e-6)


@pytest.mark.parametrize("target", [2, 16, 48, 256])
def test_every_pixel_of_a_target_has_a_say(target):
    weights = gaussian_importance(target)
    assert weights.dtype == np.float32 and weights.max() == weights[target // 2, target // 2] == 1
    assert weights.min() > 0


def test_overlapping_stitching_is_the_official_one(case7):
    folder, cases, arrays = case7
    for case in cases:
        rows, columns = case["rows"], case["cols"]
        # Officially patches are numbered down the columns, ours along the rows.
        order = sorted(range(case["patch_count"]), key=lambda patch: case["origin_row_col"][patch])
        patches = iter(order)

        def network(tiles, case=case, patches=patches):
            answer = np.zeros((*tiles.shape, NUM_ZONES), np.float32)
            for i in range(len(tiles)):
                patch = next(patches, None)
                if patch is not None:  # else a repetition that fills the last batch
                    answer[i, 128:384, 128:384] = official_probabilities(case, patch)
            return answer

        ours = predict_scene(network, np.zeros((rows, columns), np.uint8), "overlap", 512, MULTIPLE)
        assert next(patches, None) is None
        expected = arrays[f"probabilities/{rows}x{columns}"]
        np.testing.assert_allclose(ours[::6, ::6].transpose(2, 0, 1), expected, rtol=0, atol=NEARLY)
        differing = grey_from_ids(ours.argmax(-1)) != zones_png(folder, "overlap_argmax", case)
        best = np.sort(ours, axis=-1)
        assert (best[..., -1] - best[..., -2])[differing].max(initial=0) < NEARLY


def test_stitching_without_overlap_is_the_official_one(case7):
    folder, cases, _ = case7
    for case in cases:
        rows, columns = case["rows"], case["cols"]
        before = [grid.whole_padding(size, 256, "official").before - 128 for size in (rows, columns)]
        places = [(r, c) for r in range(rows // 256 + 1) for c in range(columns // 256 + 1)]
        assert len(places) == case["non_overlap"]["patch_count"]
        tag = f"case7.{rows}x{columns}.nonoverlap.patch"
        labels = [blocks(integers(f"{tag}{j}", 4, (16, 16)), 16) for j in range(len(places))]
        tiles = (
            (256 * r - before[0], 256 * c - before[1], one_hot(target))
            for (r, c), target in zip(places, labels, strict=True)
        )
        ours = stitch(tiles, np.ones((256, 256), np.float32), rows, columns)
        np.testing.assert_array_equal(grey_from_ids(ours.argmax(-1)), zones_png(folder, "nonoverlap", case))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_true_zones_come_back(mode, shape):
    zones = random_scene(shape, NUM_ZONES)
    probabilities = predict_scene(one_hot, zones, mode, CONTEXT, MULTIPLE)
    assert probabilities.dtype == np.float32
    if mode == "overlap":  # the weighted mean of equal ones
        np.testing.assert_allclose(probabilities, one_hot(zones), rtol=0, atol=NEARLY)
    else:
        np.testing.assert_array_equal(probabilities, one_hot(zones))
    np.testing.assert_array_equal(probabilities.argmax(-1), zones)


def slow_overlap(network, image):
    """The mode overlap by definition: float64, one tile at a time on the whole padded scene."""
    margin, stride = (CONTEXT - TARGET) // 2, TARGET // 2
    padded = np.pad(image, margin, "symmetric")
    rests = [stride - (size - CONTEXT) % stride for size in padded.shape]
    for axis, size in enumerate(padded.shape):
        while size + rests[axis] < CONTEXT:
            rests[axis] += stride
    padded = np.pad(padded, [(0, rest) for rest in rests], "symmetric")
    distance = np.arange(TARGET) - TARGET // 2
    bell = np.exp(-(distance**2) / (2 * (TARGET / 8) ** 2))
    weights = np.outer(bell, bell)[..., None]
    total = np.zeros((*padded.shape, NUM_ZONES))
    weight_sum = np.zeros((*padded.shape, 1))
    for r in range(0, padded.shape[0] - CONTEXT + 1, stride):
        for c in range(0, padded.shape[1] - CONTEXT + 1, stride):
            inner = np.s_[r + margin : r + margin + TARGET, c + margin : c + margin + TARGET]
            answer = network(padded[None, r : r + CONTEXT, c : c + CONTEXT])[0].astype(np.float64)
            total[inner] += weights * answer[margin : margin + TARGET, margin : margin + TARGET]
            weight_sum[inner] += weights
    scene = np.s_[margin : margin + image.shape[0], margin : margin + image.shape[1]]
    return total[scene] / weight_sum[scene]


@pytest.mark.parametrize("shape", SHAPES)
def test_overlap_mode_is_the_weighted_mean_of_all_targets(shape):
    image = random_scene(shape)
    ours = predict_scene(place_and_value, image, "overlap", CONTEXT, MULTIPLE)
    np.testing.assert_allclose(ours, slow_overlap(place_and_value, image), rtol=0, atol=NEARLY)
    np.testing.assert_allclose(ours.sum(-1), 1, atol=NEARLY)


@pytest.mark.parametrize("shape", SHAPES)
def test_tiled_mode_pastes_the_targets(shape):
    image = random_scene(shape)
    ours = predict_scene(place_and_value, image, "tiled", CONTEXT, MULTIPLE)
    rows, columns = (grid.whole_padding(size, TARGET) for size in shape)
    padded = np.pad(image, (rows, columns), "symmetric")
    margin = (CONTEXT - TARGET) // 2
    for row, column in ((0, 0), (shape[0] - 1, shape[1] - 1), (shape[0] // 2, shape[1] // 3)):
        r, c = row + rows.before - margin, column + columns.before - margin  # in the canvas of targets
        top, left = r // TARGET * TARGET, c // TARGET * TARGET
        answer = place_and_value(padded[None, top : top + CONTEXT, left : left + CONTEXT])[0]
        np.testing.assert_array_equal(ours[row, column], answer[margin + r - top, margin + c - left])


@pytest.mark.parametrize("shape", SHAPES)
def test_whole_mode_is_the_network_on_the_mirrored_scene(shape):
    image = random_scene(shape)
    rows, columns = (grid.fit_padding(size, 0, MULTIPLE) for size in shape)
    answer = place_and_value(np.pad(image, (rows, columns), "symmetric")[None])[0]
    expected = answer[rows.before : rows.before + shape[0], columns.before : columns.before + shape[1]]
    np.testing.assert_array_equal(predict_scene(place_and_value, image, "whole", CONTEXT, MULTIPLE), expected)


@pytest.mark.parametrize("mode", ["tiled", "overlap"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_number_of_tiles_at_once_changes_nothing(mode, shape, monkeypatch):
    answers = []
    for number in (ON_CPU, ON_ACCELERATOR, 3):
        monkeypatch.setattr(AT_ONCE, lambda number=number: number)
        answers.append(predict_scene(place_and_value, random_scene(shape), mode, CONTEXT, MULTIPLE))
    np.testing.assert_array_equal(answers[1], answers[0])
    np.testing.assert_array_equal(answers[2], answers[0])


@pytest.mark.parametrize("number", [ON_CPU, ON_ACCELERATOR])
@pytest.mark.parametrize("mode", ["tiled", "overlap"])
def test_at_most_two_batch_shapes_are_compiled_for_all_scenes(mode, number, monkeypatch):
    monkeypatch.setattr(AT_ONCE, lambda: number)
    seen = set()

    def network(images):
        seen.add(images.shape)
        return one_hot(images)

    for columns in range(1, 100, 7):
        predict_scene(network, random_scene((10, columns), NUM_ZONES), mode, CONTEXT, MULTIPLE)
    assert len(seen) <= 2
    assert {shape[0] for shape in seen} == {1, number}
    assert {shape[1:] for shape in seen} == {(CONTEXT, CONTEXT)}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_strips_of_a_turned_scene_are_its_answer_turned_back(mode, shape):
    """Strips come from top to bottom for every rotation."""
    image = random_scene(shape)
    members = scene_strips([place_and_value], range(4), image, mode, CONTEXT, MULTIPLE)
    for turns, strips in enumerate(members):
        found = list(strips)
        assert [len(strip) for strip in found[:-1]] == [TARGET] * (len(found) - 1)
        turned = predict_scene(place_and_value, np.rot90(image, turns), mode, CONTEXT, MULTIPLE)
        np.testing.assert_allclose(np.concatenate(found), np.rot90(turned, -turns), rtol=0, atol=NEARLY)


def test_a_longer_scene_needs_more_memory_for_its_bytes_only():
    answer = np.full((4, 128, 128, NUM_ZONES), 0.25, np.float32)
    peaks = []
    for height in (500, 4000):
        image = np.zeros((height, 300), np.uint8)
        tracemalloc.start()
        try:
            (strips,) = scene_strips([lambda tiles: answer[: len(tiles)]], [0], image, "overlap", 128, MULTIPLE)
            assert sum(map(len, strips)) == height
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    # The padded scene in bytes, twice while it is made; probabilities would be 16 bytes a pixel.
    assert peaks[1] - peaks[0] < 5 * 3500 * 300


def test_unknown_mode_names_the_choices():
    with pytest.raises(InputError, match="mode='half': choose one of tiled, overlap, whole"):
        predict_scene(one_hot, random_scene((9, 9), NUM_ZONES), "half", CONTEXT, MULTIPLE)


@pytest.mark.parametrize("mode", ["tiled", "overlap"])
def test_memory_grows_with_the_scene_and_not_with_the_number_of_tiles(mode):
    image = random_scene((1500, 1400), NUM_ZONES)
    context = 256
    answer = np.full((4, context, context, NUM_ZONES), 0.25, np.float32)
    tracemalloc.start()
    try:
        probabilities = predict_scene(lambda tiles: answer[: len(tiles)], image, mode, context, MULTIPLE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert probabilities.shape == (*image.shape, NUM_ZONES)
    # The result, the sum of weights (a quarter of it), the padded scene in bytes and some tiles.
    assert peak < 1.5 * probabilities.nbytes
