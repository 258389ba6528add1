"""`python -m glacierjax.compare` on metrics files."""

import json

import pytest
from helpers import run_here

from glacierjax.core.files import write_text

SUBSET = "glacier=COL"


def metrics(mde_m, iou=0.5, scenes=("A", "B"), protocol="clean"):
    front = {
        "scenes": 2,
        "missing_fronts": 1,
        "mde_m": mde_m,
        "mde_scene_mean_m": mde_m,
        "mde_length_weighted_m": mde_m,
    }
    zones = {
        name: dict.fromkeys(("na", "rock", "glacier", "ocean", "mean"), iou) for name in ("iou", "precision", "f1")
    }
    subsets = {SUBSET: front, "season=winter": {**front, "scenes": 0, "mde_m": None}}
    per_scene = {name: {} for name in scenes}
    return {"protocol": protocol, **front, "zones": zones, "subsets": subsets, "per_scene": per_scene}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Evaluations A1..A3 (310, 320, 330 m) and B1..B3 (200, 210, none), as folders of the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, mde_m in (("A1", 310.0), ("A2", 320.0), ("A3", 330.0), ("B1", 200.0), ("B2", 210.0), ("B3", None)):
        write(name, metrics(mde_m, iou=0.5 if name[0] == "A" else 0.75))
    return tmp_path


def write(name, content):
    write_text(f"{name}/metrics.json", json.dumps(content))


def run(*flags):
    return run_here("glacierjax.compare", *flags)


def test_tables_hold_mean_deviation_and_best(folders):
    text = run("--baseline=A1,A2/metrics.json,A3", "--method=B1,B2,B3", "--output=out").stdout
    assert "| MDE (m) | 320.0 ± 10.0 | 310.0 | 3 | 205.0 ± 7.1 | 200.0 | 2 |" in text
    assert "| IoU, mean | 0.5000 ± 0.0000 | 0.5000 | 3 | 0.7500 ± 0.0000 | 0.7500 | 3 |" in text
    assert f"| {SUBSET} | 320.0 ± 10.0 |" in text and "season=winter" not in text
    assert "recall" not in text and "nan" not in text and "None" not in text
    assert (folders / "out" / "compare.md").read_text() == text
    record = json.loads((folders / "out" / "compare.json").read_text())
    mde = record["figures"]["MDE (m)"]
    assert mde["method"]["seeds"] == 2 and mde["test"]["better_p"] == pytest.approx(1 / 10)
    assert record["baseline"] == ["A1", "A2/metrics.json", "A3"]


def test_the_papers_table_stands_beside_evaluations_of_other_scenes_without_a_test(folders):
    text = run("--method=B1,B2,B3", "--paper", "--output=out").stdout
    assert "| HookFormer | 360.5 ± 14.0 | 338.4 | 5 | – |" in text
    assert "| Tyrion, OptTranslator | 293.2 ± 60.4 | 259.6 | 5 | – |" in text
    assert (
        "| Tyrion of series | 184.4 | – | – | – |" in text and "arXiv 2512.11560" in text and "507 scenes train" in text
    )
    assert "| this evaluation | 205.0 ± 7.1 | 200.0 | 2 | – |" in text
    assert "used other scenes" in text and "Over seeds" not in text
    assert json.loads((folders / "out" / "compare.json").read_text())["published_mde_m"]["HookFormer"][0] == 356.27
    assert json.loads((folders / "out" / "compare.json").read_text())["published_series_mde_m"] == 184.4


def test_evaluations_of_the_official_test_split_are_tested_against_the_paper(folders):
    scenes = [f"{glacier}_2011-11-{n}_TSX_7_1_092" for glacier in ("COL", "Mapple") for n in range(61)]
    for name, mde_m in (("C1", 200.0), ("C2", 250.0)):
        write(name, metrics(mde_m, scenes=scenes))
    text = run("--baseline=C2", "--method=C1", "--paper").stdout
    # One figure below all five: 1 of 6 labellings.
    assert "| this evaluation | 200.0 | 200.0 | 1 | – |" in text and "| 360.5 ± 14.0 | 338.4 | 5 | 0.1667 |" in text
    assert "Over seeds" in text and "other scenes" not in text


def test_help_shows_an_example():
    assert "python -m glacierjax.compare --baseline=" in run("--help").stdout


@pytest.mark.parametrize(
    "flags, named",
    [
        ((), "--baseline: missing"),
        (("--baseline=A1",), "--method: missing"),
        (("--baseline=A1", "--method=nowhere"), "nowhere: cannot be read"),
        (("--baseline=A1,A1/metrics.json", "--method=B1"), "A1/metrics.json: named twice"),
        (("--baseline=A1", "--method=other"), "other: other scenes than A1"),
        (("--baseline=A1", "--method=official"), "official: protocol official, but clean in A1"),
        (("--baseline=A1", "--method=no_json"), "not a JSON file"),
        (("--baseline=A1", "--method=empty"), "not what python -m glacierjax.evaluate writes"),
    ],
)
def test_what_cannot_be_compared_is_named(folders, flags, named):
    write("other", metrics(100.0, scenes=("A", "C")))
    write("official", metrics(100.0, protocol="official"))
    write("empty", {})
    write_text("no_json/metrics.json", "mde_m: 3")
    done = run(*flags)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1) and named in done.stderr
