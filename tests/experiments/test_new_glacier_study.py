"""The study of new glaciers: its commands, the folder of one glacier, and its table."""

import json

NAMES = ["KAN_2001-07-01_LS7_49_1_001", "KAN_2002-01-01_LS7_49_1_002", "JAC_2001-07-01_LS7_49_1_003"]


def archive(folder):
    for name in NAMES:
        for path in (f"sar_images/train/{name}.png", f"bounding_boxes/{name}__bounding_box.txt"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(name)


def test_a_site_has_the_scenes_of_its_glacier_alone_in_the_splits_that_are_wanted(script, tmp_path):
    archive(tmp_path / "all")
    script("new_glacier", "sites").link_site(
        tmp_path / "all", tmp_path / "site", "KAN", {NAMES[0]: "train", NAMES[1]: "test"}
    )
    files = {str(file.relative_to(tmp_path / "site")) for file in (tmp_path / "site").rglob("*") if file.is_file()}
    boxes = {f"bounding_boxes/{name}__bounding_box.txt" for name in NAMES[:2]}
    assert files == {f"sar_images/train/{NAMES[0]}.png", f"sar_images/test/{NAMES[1]}.png", *boxes}
    assert (tmp_path / "site" / "sar_images" / "test" / f"{NAMES[1]}.png").read_text() == NAMES[1]


def test_what_is_done_is_not_done_again(script, tmp_path, monkeypatch):
    scored, adapted = [], []
    monkeypatch.setattr("glacierjax.evaluation.evaluate.evaluate", lambda folder, options: scored.append(options))
    monkeypatch.setattr("glacierjax.recipes.adapt.adapt", lambda folder, options: adapted.append(options))
    run = script("new_glacier", "run")
    study = run.Study(tmp_path, "RUN", "DATA", 1)
    for number, (name, arm) in enumerate(run.ARMS.items()):
        study.adapt("Tunabreen", 0, 5, name, arm)
        done = study.runs[-1]
        done.metrics_file.parent.mkdir(parents=True)
        done.metrics_file.touch()
        (done.folder / "adaptation.json").touch()
        assert len(scored) == number + 1, "every arm is scored"
    assert len(adapted) == len(run.ARMS) - 1, "the rule needs no network of its own"
    for name, arm in run.ARMS.items():
        study.adapt("Tunabreen", 0, 5, name, arm)
    assert len(scored) == len(run.ARMS) and len(adapted) == len(run.ARMS) - 1


def test_the_table_averages_over_glaciers_and_tells_seasons_and_missing_fronts(script, tmp_path):
    report = script("new_glacier", "report")
    runs = []
    for glacier, mde in (("Kronebreen", 100.0), ("Tunabreen", 300.0)):
        folder = tmp_path / glacier
        (folder / "report").mkdir(parents=True)
        scenes = {
            f"{glacier}_2020-01-01_PAZ_15_1_001": {"mde_m": mde, "distances": 10},
            f"{glacier}_2020-07-01_PAZ_15_1_002": {"mde_m": mde + 200, "distances": 30},
            f"{glacier}_2020-07-02_PAZ_15_1_003": {"mde_m": None, "distances": 0},
        }
        (folder / "report" / "metrics.json").write_text(json.dumps({"per_scene": scenes}))
        (folder / "adaptation.json").write_text(
            json.dumps({"old_sites": {"before": {"mde_m": 100.0}, "after": {"mde_m": 150.0}}})
        )
        runs.append(report.Run(glacier, "plain", 5, folder))
    text = report.write_report(tmp_path, runs).read_text()
    assert "| 5 | plain | 350 m | 250 m | 450 m | 2 of 6 | 1 of 6 | 200 m | 400 m | 150 m |" in text
