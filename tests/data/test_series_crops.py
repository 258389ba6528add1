"""Samples of series: the reference's geometry and whole samples, and what holds for every draw."""

import zlib

import golden_rules as rules
import numpy as np
import pytest
import series_rules

from glacierjax.core import grid
from glacierjax.core.choices import OFFICIAL
from glacierjax.core.pixel_map import pixel_map
from glacierjax.core.settings import LabelledDataSettings, SeriesAugmentSettings
from glacierjax.core.zones import UNKNOWN_ID
from glacierjax.data import transforms
from glacierjax.data.image_file import write_images
from glacierjax.data.labelled_scenes import LabelledScenes
from glacierjax.data.series_crops import (
    Cut,
    Erasure,
    Mix,
    Photometric,
    Plan,
    Speckle,
    Window,
    draw_plan,
    make_sample,
)
from glacierjax.data.series_geometry import scaled_pixels, tiled_pixels, window_pixels
from glacierjax.datasets.series import day_positions

golden = series_rules.read_compact()
SAMPLES = golden.numbers["mt8"]
CASES = {case["case"]: case for case in SAMPLES["cases"]}


@pytest.mark.parametrize("case", golden.numbers["mt7"]["align"], ids=lambda case: case["key"])
def test_official_geometry_agrees(case):
    mode, frame, reference = case["key"].partition("/")[0], tuple(case["frame"]), tuple(case["reference"])
    tile = 512 if mode == "training" else 256
    padding = [grid.whole_padding(size, tile, OFFICIAL) for size in reference]
    origin = [-pad.before for pad in padding]
    length = [sum(pad) + size for pad, size in zip(padding, reference, strict=True)]
    pixels = window_pixels(frame, reference, *origin, *length, OFFICIAL, tile)
    if mode == "tiled" and frame == reference:
        pixels = [tiled_pixels(size, tile, OFFICIAL) for size in frame]
    for ours, axis in zip(pixels, ("row", "column"), strict=True):
        np.testing.assert_array_equal(ours, golden.arrays[f"mt7/{case['key']}/{axis}_source"])


def test_exact_geometry_differs_from_the_official_by_its_extra_pixel_alone():
    for size in range(300, 900):
        exact, official = scaled_pixels(size, 700), scaled_pixels(size, 700, OFFICIAL)
        late = (512 - size) % 4 == 2
        np.testing.assert_array_equal(official, np.minimum(exact + late, size - 1))
        assert len(tiled_pixels(size, 256)) % 256 == 0


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    planes = []
    for name, rows, columns in SAMPLES["scenes"]:
        planes.append(rules.integers(f"mt8.image.{name}", 256, (rows, columns)).astype(np.uint8))
        planes.append(
            rules.blocks(rules.integers(f"mt8.zones.{name}", 4, (rows // 10, columns // 10)), 10).astype(np.uint8)
        )
    file = write_images(planes, tmp_path_factory.mktemp("series") / "train.bin", len(planes), "scenes")
    return LabelledScenes(tuple(name for name, *_ in SAMPLES["scenes"]), file)


def array(expression: str) -> np.ndarray:
    """The array that a draw of the reference stands for: gen("TAG").METHOD(ARGUMENTS)."""
    tag, _, call = expression.removeprefix('gen("').partition('").')
    method, _, text = call.removesuffix(")").partition("(")
    numbers = [int(part) for part in text.replace("[", "").replace("]", "").split(",")]
    scalars, shape = numbers[:-2], tuple(numbers[-2:])
    return getattr(rules.gen(tag), method)(*scalars, shape)


def plan_of(case, scenes) -> Plan:
    """The reference's decisions; it counts from the corner of its padded scenes."""
    events, index = case["events"], scenes.names.index

    def window(crop, scene, height=None, width=None):
        padding = [grid.whole_padding(size, 512, OFFICIAL) for size in scenes.size(scene)]
        padded = [sum(pad) + size for pad, size in zip(padding, scenes.size(scene), strict=True)]
        sides = [height or crop["side"], width or crop["side"]]
        start = (crop["top"], crop["left"])
        cut = [min(side, length - first) for side, length, first in zip(sides, padded, start, strict=True)]
        return Window(start[0] - padding[0].before, start[1] - padding[1].before, *cut)

    frames = tuple(index(name) for name in case["frames"])
    mix = cut = None
    if made := events.get("mixup"):
        mix = Mix(index(made["scene"]), window(made["crop"], index(made["scene"])), made["weight"])
    if made := events.get("cutmix"):
        others = tuple(index(name) for name in made["frames"])
        source = {"top": made["source_top"], "left": made["source_left"]}
        cut = Cut(others, window(source, others[0], made["rows"], made["columns"]), made["top"], made["left"])
    erasures = tuple(Erasure(e["frame"], e["top"], e["left"], array(e["values"])) for e in events["erasures"])
    photometric = tuple(
        Photometric(
            Speckle(array(how["speckle"]["scale"]), array(how["speckle"]["counts"]), how["speckle"]["peak"])
            if "speckle" in how
            else None,
            *(how.get(key) for key in ("contrast", "brightness", "gamma")),
        )
        for how in events["photometric"]
    )
    position, crop = case["reference_index"], window(events["crop"], frames[case["reference_index"]])
    turns = events["rotate_degrees"] // 90
    flips = events["flip_left_right"], events["flip_up_down"]
    return Plan(frames, position, crop, mix, cut, erasures, photometric, *flips, turns)


@pytest.mark.parametrize("name", CASES)
def test_official_samples_agree(scenes, name):
    case = CASES[name]
    sample = make_sample(scenes, plan_of(case, scenes), 512, OFFICIAL, OFFICIAL)
    if case["events"]["crop"]["zoom"] != 1:  # the official interpolation has fixed points: up to one grey level away
        for key, ours in (("context", sample["image"][..., 0]), ("labels", sample["labels"])):
            expected = golden.arrays[f"mt8/{name}/{key}"].astype(int)
            assert np.abs(ours[:, ::8, ::8] - expected).max() <= 1
        assert (ours[:, ::8, ::8] != expected).mean() < 0.01  # of the labels
        return
    assert [zlib.crc32(frame.tobytes()) for frame in sample["image"]] == case["crc32_context"]
    assert [zlib.crc32(frame.tobytes()) for frame in sample["labels"]] == case["crc32_labels"]
    np.testing.assert_array_equal(sample["days"], day_positions(case["frames"]))


@pytest.mark.parametrize("number", range(4))
def test_contrast_agrees(number):
    image = rules.integers(f"mt8.contrast{number}", 256, (24, 32)) // SAMPLES["contrast_divisors"][number]
    ours = transforms.contrast(image.astype(np.uint8), SAMPLES["contrast_factors"][number])
    golden.assert_agrees(ours, f"mt8/contrast{number}/output", 0)


DATA = LabelledDataSettings(context_px=64)
ALWAYS = SeriesAugmentSettings(
    zoom_probability=1,
    mix_probability=1,
    cut_mix_probability=1,
    erasure_probability=1,
    speckle_probability=1,
    contrast_probability=1,
    brightness_probability=1,
    gamma_probability=1,
)


@pytest.mark.parametrize("augment", [SeriesAugmentSettings(), ALWAYS], ids=["published", "always"])
def test_a_sample_is_a_function_of_its_generator(scenes, augment):
    def sample(seed):
        return make_sample(scenes, draw_plan(scenes, seed % 9, np.random.default_rng(seed), DATA, augment, 3), 64)

    for seed in range(6):
        one, again = sample(seed), sample(seed)
        assert one["image"].shape == (3, 64, 64, 1) and one["labels"].shape == (3, 64, 64)
        assert one["image"].dtype == one["labels"].dtype == np.uint8 and (np.diff(one["days"]) >= 0).all()
        for key in one:
            np.testing.assert_array_equal(one[key], again[key])


def test_plans_stay_inside_the_crop_and_use_every_choice(scenes):
    plans = [draw_plan(scenes, i % 9, np.random.default_rng(i), DATA, ALWAYS, 3) for i in range(60)]
    for plan in plans:
        assert plan.frames == tuple(sorted(plan.frames, key=lambda i: scenes.names[i])) and len(plan.frames) == 3
        assert max(plan.cut.window[2:]) <= 24 and min(plan.cut.window[2:]) >= 16
        assert plan.cut.top + plan.cut.window.height <= 64 and plan.cut.left + plan.cut.window.width <= 64
        assert len(plan.erasures) == 6
        assert all(e.top + e.noise.shape[0] <= 64 and e.left + e.noise.shape[1] <= 64 for e in plan.erasures)
    assert {plan.quarter_turns for plan in plans} == {0, 1, 2, 3}
    assert {plan.frames[plan.reference] for plan in plans} == set(range(9))


def test_the_scenes_stay_as_they_are(scenes):
    before = scenes.file.path.read_bytes()
    for seed in range(4):
        make_sample(scenes, draw_plan(scenes, seed, np.random.default_rng(seed), DATA, ALWAYS, 3), 64)
    assert scenes.file.path.read_bytes() == before


def shifted(scenes, rows: int, columns: int):
    """Every frame but the reference lies so many pixels below and to the right of it."""

    def register(frame: int, reference: int):
        moved = np.array([columns, rows]) * (frame != reference)
        return pixel_map(lambda points: points - moved, scenes.size(frame), scenes.size(reference))

    return register


def test_frames_of_one_grid_are_the_same_by_map_and_by_size(scenes):
    register = shifted(scenes, 0, 0)
    same = [i for i in range(len(scenes)) if scenes.size(i) == scenes.size(0)]
    window = Window(-40, scenes.size(0)[1] - 100, 160, 160)
    plan = Plan((0, same[-1]), 0, window, None, None, (), (Photometric(), Photometric()))
    by_size, by_map = (make_sample(scenes, plan, 128, register=how) for how in (None, register))
    for key in by_size:
        np.testing.assert_array_equal(by_size[key], by_map[key])


def test_what_a_frame_does_not_cover_is_no_data(scenes):
    register = shifted(scenes, 20, 30)
    plan = Plan((0, 1), 0, Window(0, 0, 96, 96), None, None, (), (Photometric(), Photometric()))
    sample = make_sample(scenes, plan, 96, register=register)
    image, labels = sample["image"][1, ..., 0], sample["labels"][1]
    for part in (np.s_[:20], np.s_[:, :30]):
        assert (labels[part] == UNKNOWN_ID).all() and (image[part] == 0).all()
    np.testing.assert_array_equal(labels[20:, 30:], scenes.crop(1, 0, 0, 76, 66)[1])
    np.testing.assert_array_equal(image[20:, 30:], scenes.crop(1, 0, 0, 76, 66)[0])
