"""`glacierjax.evaluate` on a trained network: the files and the schema that others rely on."""

import csv
import json
import math

import pytest
from small_world import SCENES, SHAPE

from glacierjax.checkpoints.native import load_checkpoint
from glacierjax.core.files import read_grey_png
from glacierjax.core.zones import GREY_VALUES, ZONE_KEYS

NAMES = SCENES["test"]
MEASURES = ("iou", "precision", "recall", "f1")
ERRORS = ("mde_m", "mde_std_m", "mde_scene_mean_m", "mde_length_weighted_m")
COUNTS = ("scenes", "missing_fronts")


def finite_or_none(value) -> bool:
    return value is None or (isinstance(value, (int, float)) and math.isfinite(value))


@pytest.fixture(scope="module")
def out(command, trained, elsewhere):
    done = command("glacierjax.evaluate", f"--workdir={trained}", "--output=report", "--baselines")
    assert done.returncode == 0, done.stderr
    assert f"{load_checkpoint(trained).path} (best_iou)" in done.stderr, "the checkpoint that was chosen is named"
    return elsewhere / "report"


@pytest.fixture(scope="module")
def metrics(out):
    return json.loads((out / "metrics.json").read_text())


def test_metrics_have_the_promised_fields(metrics):
    assert metrics["protocol"] == "clean" and metrics["scenes"] == len(NAMES)
    assert isinstance(metrics["missing_fronts"], int) and metrics["scenes_without_true_front"] == 0
    assert all(finite_or_none(metrics[key]) for key in ERRORS)
    for measure in MEASURES:
        assert set(metrics["zones"][measure]) == {"mean", *ZONE_KEYS}
        assert all(value is None or 0 <= value <= 1 for value in metrics["zones"][measure].values())


def test_subsets_have_the_promised_names_and_fields(metrics):
    expected = (
        "season=winter",
        "season=summer",
        "glacier=COL",
        "sensor=TSX/TDX",
        "resolution=20",
        "glacier=COL,season=winter",
    )
    for name in expected:
        subset = metrics["subsets"][name]
        assert all(isinstance(subset[key], int) for key in COUNTS) and all(
            finite_or_none(subset[key]) for key in ERRORS
        )
    assert metrics["subsets"]["season=summer"]["scenes"] == 0
    assert metrics["subsets"]["season=summer"]["mde_m"] is None, "what does not exist is null"


def test_every_scene_has_its_own_scores(metrics):
    assert sorted(metrics["per_scene"]) == sorted(NAMES)
    for scene in metrics["per_scene"].values():
        assert finite_or_none(scene["mde_m"]) and scene["true_front_pixels"] > 0 and scene["front_pixels"] >= 0
        assert (scene["mde_m"] is None) == (scene["front_pixels"] == 0)
        assert all(set(ZONE_KEYS) <= set(scene[measure]) for measure in MEASURES)


def test_baselines_stand_beside_the_network(metrics, out):
    assert set(metrics["baselines"]) == {"majority", "threshold"}
    assert all("zones" in baseline and baseline["rule"] for baseline in metrics["baselines"].values())
    assert "majority" in (out / "report.md").read_text()


def test_pictures_lie_where_promised(out):
    for name in NAMES:
        assert set(read_grey_png(out / "zones" / f"{name}.png").ravel()) <= set(GREY_VALUES)
        front = read_grey_png(out / "fronts" / f"{name}.png")
        assert front.shape == SHAPE and set(front.ravel()) <= {0, 255}
        assert (out / "overlays" / f"{name}.png").is_file()


def test_report_and_table_hold_the_figures_of_the_metrics(metrics, out, trained):
    assert str(load_checkpoint(trained).path) in (out / "report.md").read_text()
    rows = list(csv.DictReader((out / "scores.csv").read_text().splitlines()))
    (row,) = [r for r in rows if (r["method"], r["subset"], r["metric"]) == ("prediction", "all", "missing_fronts")]
    assert float(row["value"]) == metrics["missing_fronts"]


def test_the_written_zones_score_the_same_again(metrics, out, command, data_raw, elsewhere):
    done = command(
        "glacierjax.evaluate", f"--predictions={out / 'zones'}", f"--data={data_raw}", "--output=again", "--na=class"
    )
    assert done.returncode == 0, done.stderr
    again = json.loads((elsewhere / "again" / "metrics.json").read_text())
    assert again["mde_m"] == metrics["mde_m"] and again["zones"] == metrics["zones"]


def test_which_chooses_the_checkpoint_and_two_make_an_ensemble(command, trained, elsewhere):
    done = command(
        "glacierjax.evaluate",
        f"--workdir={trained}",
        f"--workdir={trained}",
        "--which=last",
        "--mode=whole",
        "--rotations",
        "--split=val",
        "--output=ensemble",
    )
    assert done.returncode == 0, done.stderr
    last = str(load_checkpoint(trained, "last").path)
    assert done.stderr.count(last) == 2 and "(last), mode whole" in done.stderr
    assert json.loads((elsewhere / "ensemble" / "metrics.json").read_text())["scenes"] == 1
    assert "mode `whole`, 4 rotations" in (elsewhere / "ensemble" / "report.md").read_text()
