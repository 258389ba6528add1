"""Evaluations in parts: the merged files are byte for byte those of a single pass."""

import json
import shutil

import numpy as np
import pytest
from made_up_archive import NAMES, command, write_archive, write_fronts, write_predictions

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.evaluation.parts import PREDICTION, SUMS_FILE, read_part
from glacierjax.evaluation.predictions import FRONT
from glacierjax.evaluation.run import PredictedLabels, from_folder, merge, raw_scenes, score_part
from glacierjax.evaluation.score import compare_fronts, front_averages
from glacierjax.evaluation.sums import sums_from_record
from glacierjax.evaluation.write import write_evaluation

SHARDS = 3


def score(root, output, protocol="clean", shard=(0, 1)):
    scenes = raw_scenes(str(root / "data_raw"), "test")
    predict = from_folder(str(root / "predicted"), scenes.names, "zones")
    return score_part(scenes, predict, output, "Title", "source", protocol=protocol, shard=shard)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """An archive, predictions, an evaluation in one pass, and the same evaluation in parts; read only."""
    root = tmp_path_factory.mktemp("parts")
    write_archive(root / "data_raw")
    write_predictions(root / "predicted")
    write_evaluation(root / "whole", score(root, root / "whole"))
    for shard in range(SHARDS):
        score(root, root / f"part{shard}", shard=(shard, SHARDS))
    return root


def parts(root, numbers=range(SHARDS)):
    return [str(root / f"part{number}") for number in numbers]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_merged_parts_are_the_files_of_one_pass(root, tmp_path, order):
    merge(parts(root, order), tmp_path)
    merged, whole = files(tmp_path), files(root / "whole")
    assert sorted(merged) == sorted(whole) and f"overlays/{NAMES['test'][0]}.png" in merged
    for name, content in whole.items():
        assert merged[name] == content, name


def test_a_part_writes_no_averages(root):
    assert not (root / "part0" / "metrics.json").exists()


@pytest.mark.parametrize("stops", ["at a bad scene", "as a part"])
def test_averages_of_an_earlier_evaluation_do_not_stand_beside_new_pictures(root, tmp_path, stops):
    shutil.copytree(root / "whole", tmp_path / "out")
    if stops == "as a part":
        score(root, tmp_path / "out", shard=(0, SHARDS))
    else:

        def fail(_):
            raise InputError("scene.png: not readable")

        with pytest.raises(InputError, match=r"scene\.png"):
            score_part(raw_scenes(str(root / "data_raw"), "test"), fail, tmp_path / "out", "Title", "source")
    left = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert left == ({SUMS_FILE} if stops == "as a part" else set())


@pytest.mark.parametrize(
    "numbers, named",
    [((0, 2), f"1 of 3 scenes of the split are in no part ({NAMES['test'][1]})"), ((0, 1, 2, 1), " is also in ")],
)
def test_an_average_of_fewer_or_repeated_scenes_is_refused(root, tmp_path, numbers, named):
    with pytest.raises(InputError) as error:
        merge(parts(root, numbers), tmp_path)
    assert named in str(error.value)


def test_parts_of_different_evaluations_are_refused(root, tmp_path):
    score(root, tmp_path / "official", protocol="official", shard=(2, SHARDS))
    with pytest.raises(InputError, match=r"official: another evaluation .*protocol"):
        merge([*parts(root, (0, 1)), str(tmp_path / "official")], tmp_path / "out")


def test_what_is_no_part_is_named(root, tmp_path):
    with pytest.raises(InputError, match=r"sums.json: cannot be read"):
        read_part(root / "data_raw")
    whole = (root / "whole" / SUMS_FILE).read_text()
    damaged = (whole.replace('"distances"', '"x"'), whole.replace(NAMES["test"][0], f"../{NAMES['test'][0]}"))
    for text in ("{}", "[]", "no JSON", *damaged):
        (tmp_path / SUMS_FILE).write_text(text)
        with pytest.raises(InputError, match=r"sums.json: damaged"):
            read_part(tmp_path)


@pytest.mark.parametrize(
    "place, value",
    [
        (("settings", "protocol"), "other"),
        (("settings", "scenes"), []),
        (("settings", "scenes"), None),
        (("settings", "rules"), {"majority": "rule"}),
        (("series", "other protocol"), None),
        (("series",), {}),
        (("series", PREDICTION, 0, "true_front_pixels"), 0),
        (("series", PREDICTION, 0, "distances"), -1),
        (("series", PREDICTION, 0, "zone_counts"), 10**30),
    ],
)
def test_sums_that_no_evaluation_writes_are_damaged(root, tmp_path, place, value):
    record = json.loads((root / "part0" / SUMS_FILE).read_text())
    inner = record
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (tmp_path / SUMS_FILE).write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"sums\.json: damaged"):
        read_part(tmp_path)


def test_a_picture_that_is_gone_is_named(root, tmp_path):
    score(root, tmp_path / "part1", shard=(1, SHARDS))
    picture = tmp_path / "part1" / "overlays" / f"{NAMES['test'][1]}.png"
    picture.unlink()
    with pytest.raises(InputError, match=f"{picture}: missing"):
        merge([*parts(root, (0, 2)), str(tmp_path / "part1")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parts_without_their_pictures_are_refused(root, tmp_path):
    for number in range(SHARDS):
        (tmp_path / f"part{number}").mkdir()
        shutil.copy(root / f"part{number}" / SUMS_FILE, tmp_path / f"part{number}")
    with pytest.raises(InputError, match=r"part0.*: missing; copy the whole folder of this part"):
        merge(parts(tmp_path), tmp_path / "out")
    shutil.copytree(root / "part1", tmp_path / "part1", dirs_exist_ok=True)
    with pytest.raises(InputError, match=r"part0.*: missing"):
        merge(parts(tmp_path), tmp_path / "part0")  # into one of them


def test_merged_parts_show_no_zones_of_an_earlier_evaluation(root, tmp_path):
    out = tmp_path / "out"
    merge(parts(root), out)
    scenes = raw_scenes(str(root / "data_raw"), "test")
    for number in range(SHARDS):
        folder = tmp_path / f"part{number}"
        if number == 1:  # whose folder held zones before
            shutil.copytree(root / "part1", folder)
        score_part(scenes, lambda scene: PredictedLabels(scene.front), folder, "T", "s", FRONT, shard=(number, SHARDS))
    assert ">predicted zones<" in (out / "report.html").read_text()
    merge(parts(tmp_path), out)
    assert ">predicted zones<" not in (out / "report.html").read_text()
    assert not list((out / "zones").glob("*"))


def test_sums_survive_the_file_to_the_last_digit(root):
    written = score(root, root / "again").series[PREDICTION]
    read = read_part(root / "again").series[PREDICTION]
    assert [one.record() for one in written] == [one.record() for one in read]
    assert written[0].distance_sum_m and sums_from_record(written[0].record()).record() == written[0].record()


def test_pooled_figures_are_those_of_all_distances_together():
    """Pooled mean and deviation from sums per scene, for any sizes, pixel spacings and order of the scenes."""
    generator = np.random.default_rng(0)
    scores = []
    for number in range(5):
        fronts = generator.random((2, 30, 40)) < 0.02 * (number + 1)
        name = f"COL_2012-11-0{number + 1}_TDX_{7 + 3 * number}_1_092"
        scores.append(compare_fronts(parse_name(name), *fronts))
    pooled_m = np.concatenate([score.distances_m for score in scores])
    found = front_averages(scores)
    assert len(pooled_m) > 100 and found["distances"] == len(pooled_m)
    assert found["mde_m"] == pytest.approx(pooled_m.mean(), rel=1e-12)
    assert found["mde_std_m"] == pytest.approx(pooled_m.std(), rel=1e-12)
    assert front_averages(scores[::-1]) == found


def test_the_command_scores_parts_and_merges_them(root, tmp_path):
    given = (f"--predictions={root / 'predicted'}", f"--data={root / 'data_raw'}", "--baselines")
    annotators = [write_fronts(tmp_path / name, column) for name, column in (("anna", 41), ("ben", 44))]
    given += (f"--annotators={','.join(map(str, annotators))}",)
    for shard in range(2):
        done = command(*given, f"--shard={shard}/2", f"--output={tmp_path / f'part{shard}'}")
        assert done.returncode == 0 and "--merge" in done.stderr, done.stderr
    done = command(f"--merge={tmp_path / 'part0'},{tmp_path / 'part1'}", f"--output={tmp_path / 'out'}")
    assert done.returncode == 0 and "report.html" in done.stderr, done.stderr
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["scenes"] == 3 and set(metrics["baselines"]) == {"majority", "threshold"}
    assert metrics["annotators"]["among_mde_m"] == 3 * 20
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Beside human annotators" in page and "anna, ben" in page


def test_flags_that_merging_would_pass_over_are_refused(root, tmp_path):
    done = command(f"--merge={root / 'part0'}", "--protocol=official", f"--output={tmp_path}")
    assert done.returncode == 2 and "--protocol" in done.stderr


@pytest.mark.parametrize("shard", ["4/4", "1", "a/b", "-1/2", "0/0"])
def test_wrong_shards_are_named(shard, tmp_path):
    done = command("--predictions=x", "--data=y", f"--shard={shard}", f"--output={tmp_path}")
    assert done.returncode == 2 and f"--shard={shard}" in done.stderr
