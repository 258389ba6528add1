"""Reference case 8: 21 scenes scored by the official code, every average and every subset, under both protocols.

The compact copy in tests/goldens holds per scene one array: predicted class + 4 x true class + 16 x true front.
"""

import dataclasses
import json

import numpy as np
import pytest
from helpers import GOLDENS, SHARED

from glacierjax.core.boxes import read_box
from glacierjax.core.files import read_grey_png
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import ZONE_KEYS, grey_from_ids
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import from_folder, raw_scenes, score_part
from glacierjax.evaluation.score import aggregate, score_front, score_scene
from glacierjax.evaluation.write import write_evaluation
from glacierjax.fronts import OFFICIAL, PROTOCOLS, clean_zones
from glacierjax.fronts.scores import ZONE_SCORES

FULL = SHARED / "goldens" / "case8_evaluation"
needs_full = pytest.mark.skipif(not FULL.is_dir(), reason=f"no full reference data in {FULL} (GLACIERJAX_SHARED)")

AVERAGES = {
    "scenes": "images",
    "missing_fronts": "missing",
    "mde_m": "mde",
    "mde_std_m": "mde_std",
    "mde_scene_mean_m": "picture_normalized",
    "mde_length_weighted_m": "front_length_normalized",
}


@pytest.fixture(scope="module")
def expected():
    return json.loads((GOLDENS / "case8.json").read_text())


@pytest.fixture(scope="module")
def cases(expected):
    """(scene, predicted class ids) of all scenes."""
    found = []
    with np.load(GOLDENS / "case8_scenes.npz") as file:
        for name, packed in file.items():
            box = read_box(expected["boxes"][name], name)
            true, front = (packed >> 2) & 3, packed >= 16
            scene = LabelledScene(parse_name(name), np.zeros_like(packed), true, front, box)
            found.append((scene, packed & 3))
    return found


@pytest.fixture(scope="module")
def metrics(cases):
    return {p: aggregate([score_scene(scene, ids, p) for scene, ids in cases], p) for p in PROTOCOLS}


def reference_key(subset):
    """The reference's name of a subset: "glacier=COL,season=winter" -> "COL_winter"."""
    return "_".join(part.split("=")[1] for part in subset.split(","))


def assert_averages(found, reference, without_true_front=0):
    assert found["scenes"] == reference["images"]
    if not reference["images"]:
        assert all(found[ours] is None for ours in AVERAGES if ours.startswith("mde"))
        return
    assert found["missing_fronts"] == reference["missing"] - without_true_front
    for ours, theirs in AVERAGES.items():
        if not ours.startswith("mde"):
            continue
        if found["scored_fronts"] == 0:
            assert found[ours] is None and reference[theirs] in ("nan", 0.0)
        else:
            assert found[ours] == pytest.approx(reference[theirs], rel=1e-9)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_front_averages_equal_the_reference(metrics, expected, protocol):
    """Case 8 has one scene without true front, which only the official protocol counts as missing."""
    found = metrics[protocol]
    assert found["scenes_without_true_front"] == 1
    assert_averages(found, expected["front_subsets"]["all"], 0 if protocol == OFFICIAL else 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_subset_equals_the_reference(metrics, expected, protocol):
    found = metrics[protocol]["subsets"]
    assert {reference_key(key) for key in found} | {"all"} == set(expected["front_subsets"])
    for key, averages in found.items():
        left_out = 0 if protocol == OFFICIAL else averages["scenes_without_true_front"]
        assert_averages(averages, expected["front_subsets"][reference_key(key)], left_out)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_zone_averages_equal_the_reference(metrics, expected, protocol):
    for name in ZONE_SCORES:
        found = metrics[protocol]["zones"][name]
        for zone, key in enumerate(ZONE_KEYS):
            assert found[key] == pytest.approx(expected["averages"][f"{name}_class{zone}"], abs=1e-7)
        assert found["mean"] == pytest.approx(expected["averages"][f"{name}_macro"], abs=1e-7)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_scene_equals_the_reference(metrics, expected, protocol):
    for name, reference in expected["per_image"].items():
        record = metrics[protocol]["per_scene"][name]
        assert record["front_pixels"] == reference["predicted_front_pixels"]
        assert record["true_front_pixels"] == reference["target_front_pixels"]
        if reference["front_exists"]:
            assert record["mde_m"] == pytest.approx(reference["mean_distance_error_m"], rel=1e-9)
        else:
            assert record["mde_m"] is None
        for metric in ZONE_SCORES:
            found = [record[metric][key] for key in ZONE_KEYS]
            np.testing.assert_allclose(found, [reference[metric][f"class{i}"] for i in range(4)], rtol=0, atol=1e-6)


def test_distances_behind_the_mean_are_counted(metrics, expected):
    counts = [reference.get("errors_count", 0) for reference in expected["per_image"].values()]
    assert metrics[OFFICIAL]["distances"] == sum(counts)
    assert metrics[OFFICIAL]["scored_fronts"] == sum(count > 0 for count in counts)


def test_averages_without_absent_classes_count_their_cases(metrics):
    found, per_scene = metrics["clean"], metrics["clean"]["per_scene"].values()
    for key in ZONE_KEYS:
        present = [record["iou"][key] for record in per_scene if key not in record["absent_zones"]]
        assert found["zones_present"]["cases"][key] == len(present)
        assert found["zones_present"]["iou"][key] == pytest.approx(np.mean(present))
    assert found["zones_present"]["cases"]["mean"] == sum(found["zones_present"]["cases"][key] for key in ZONE_KEYS)


def test_metrics_hold_no_nan(metrics):
    for found in metrics.values():
        json.dumps(found, allow_nan=False)


def test_nothing_changes_when_no_pixel_is_invalid(cases):
    scene, ids = cases[0]
    marked = dataclasses.replace(scene, valid=np.ones(scene.zones.shape, bool))
    one, other = score_scene(scene, ids), score_scene(marked, ids)
    np.testing.assert_array_equal(one.distances_m, other.distances_m)
    np.testing.assert_array_equal(one.zone_counts, other.zone_counts)


def test_a_front_scored_alone_has_the_distances_of_its_zones(cases):
    for scene, ids in cases:
        whole = score_scene(scene, ids)
        front = np.zeros(scene.zones.shape, bool)
        front[tuple(whole.front_rc.T)] = True
        alone = score_front(scene, front)
        np.testing.assert_array_equal(alone.distances_m, whole.distances_m)
        assert alone.zone_counts is None


@needs_full
def test_the_compact_copy_holds_the_reference(cases, expected):
    archive = open_archive(FULL / "data_raw")
    assert archive.names("test") == sorted(expected["boxes"])
    for scene, ids in cases:
        original = archive.read("test", scene.id.name)
        np.testing.assert_array_equal(original.zones, scene.zones)
        np.testing.assert_array_equal(original.front, scene.front)
        assert original.box == scene.box
        grey = read_grey_png(FULL / "predictions" / f"{scene.id.name}.png")
        np.testing.assert_array_equal(grey_from_ids(ids), grey)
        cleaned = read_grey_png(FULL / "post_processed_zones" / f"{scene.id.name}.png")
        np.testing.assert_array_equal(grey_from_ids(clean_zones(ids)), cleaned)


@needs_full
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_evaluation_of_the_reference_folder_writes_its_fronts(tmp_path, metrics, protocol):
    scenes = raw_scenes(str(FULL / "data_raw"), "test")
    predict = from_folder(str(FULL / "predictions"), scenes.names, "zones")
    part = score_part(scenes, predict, tmp_path, "Case 8", "the reference", protocol=protocol)
    found = write_evaluation(tmp_path, part)
    assert found["mde_m"] == pytest.approx(metrics[protocol]["mde_m"])
    assert found["missing_fronts"] == metrics[protocol]["missing_fronts"]
    for name in scenes.names:
        ours = (tmp_path / "fronts" / f"{name}.png", tmp_path / "zones" / f"{name}.png")
        theirs = (FULL / "post_processed_fronts" / f"{name}.png", FULL / "predictions" / f"{name}.png")
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(read_grey_png(one), read_grey_png(other))
