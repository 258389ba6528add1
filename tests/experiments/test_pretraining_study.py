"""The study of pretraining: its commands, skipping of finished runs, and its report."""

import json
import sys
from pathlib import Path

import pytest

from glacierjax.recipes.configs import check_field, load_config

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def run(script):
    return script("pretraining")


def steps(run, output):
    return [step for stage in run.stages(run.Study(), output) for chain in stage for step in chain]


def test_arms_with_as_many_labels_differ_in_their_weights_alone(run, tmp_path):
    tuned = [s for s in steps(run, tmp_path) if s.module == "glacierjax.train" and "init" in str(s.flags)]
    own = ("--config.init.", "--workdir=")
    flags = {s.result.parent: {flag for flag in s.flags if not flag.startswith(own)} for s in tuned}
    scratch = {s.result.parent: set(s.flags) for s in steps(run, tmp_path) if s.result.parts[-3] == "scratch"}
    for labels in (3, 10, 40):
        for seed in (1, 2, 3, 4, 5):
            of_arms = [f for folder, f in flags.items() if folder.match(f"labels{labels}/*/seed{seed}")]
            assert len(of_arms) == (9 if labels == 10 else 5)
            like = scratch[tmp_path / f"labels{labels}" / "scratch" / f"seed{seed}"]
            assert all({flag for flag in like if not flag.startswith(own)} == f for f in of_arms)


def test_a_zero_head_starts_from_the_same_pretraining(run, tmp_path):
    starts = [s.flags for s in steps(run, tmp_path) if "--config.init.zero_head=True" in s.flags]
    assert len(starts) == 4 * 5
    pretrained = {s.result.parent for s in steps(run, tmp_path) if s.result.parts[-3] == "pretrained"}
    for flags in starts:
        (start,) = [flag.partition("=")[2] for flag in flags if flag.startswith("--config.init.checkpoint=")]
        assert Path(start) in pretrained


def test_every_field_that_the_study_sets_exists(run, tmp_path):
    for step in steps(run, tmp_path):
        if step.module == "glacierjax.train":
            config = load_config(str(REPOSITORY / step.flags[0].removeprefix("--config=")))
            for flag in step.flags[1:]:
                if flag.startswith("--config."):
                    check_field(config, flag.removeprefix("--config.").split("=")[0])


def test_each_start_is_probed_and_no_step_is_there_twice(run, tmp_path):
    results = [step.result for step in steps(run, tmp_path)]
    assert len(set(results)) == len(results)
    probes = {r.parent.name for r in results if r.parts[-3] == "probes"}
    assert probes == {"scratch", *(arm.folder for arm in run.Study().pretrained())} and len(probes) == 13


def test_what_is_done_is_not_done_again_and_a_stage_that_fails_ends_the_study(run, tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(run.Share, "run", lambda self, command: ran.append(command) or 3)
    todo = steps(run, tmp_path)
    for step in todo[:3]:
        step.result.parent.mkdir(parents=True, exist_ok=True)
        step.result.touch()
    monkeypatch.setattr(sys, "argv", ["run.py", f"--output={tmp_path}"])
    with pytest.raises(SystemExit, match=r"python -m glacierjax.train for .*: failed with exit code 3"):
        run.main()
    stage = run.stages(run.Study(), tmp_path)[1]
    assert [command[1:] for command in ran] == [["-m", step.module, *step.flags] for step, *_ in stage]


def test_a_chain_that_fails_does_not_stop_the_others(run, tmp_path, capfd):
    from steps import Share, Step, run_stages

    def chain(name, *modules):
        return [Step(module, (), tmp_path / name / str(number)) for number, module in enumerate(modules)]

    stages = [[chain("bad", "no_such_module", "this"), chain("good", "this", "this")], [chain("last", "this")]]
    reports = []
    with pytest.raises(SystemExit, match=r"no_such_module for .*bad: failed with exit code 1") as stopped:
        run_stages(stages, Share(2), lambda: reports.append(1))
    assert "good" not in str(stopped.value) and len(reports) == 2
    assert capfd.readouterr().out.count("done in") == 3


def test_chances_are_corrected_for_their_number(run):
    # The example of a textbook: 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never below the one before.
    holm = sys.modules["report"].holm
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.02}) == pytest.approx(
        {"a": 0.04, "d": 0.06, "c": 0.06, "b": 0.06}
    )
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}


def test_the_report_has_what_is_done_so_far(run, tmp_path):
    study = run.Study()
    for number, arm in enumerate(study.arms(10)[:3]):
        for seed in study.seeds[: 5 - number]:
            mde = None if (number, seed) == (1, 1) else 100.0 * number + seed
            scores = {"mde_m": mde, "missing_fronts": seed, "scenes": 40, "zones": {"iou": {"mean": 0.5 + number / 10}}}
            folder = sys.modules["settings"].workdir_of(tmp_path, arm, 10, seed) / "report"
            folder.mkdir(parents=True)
            (folder / "metrics.json").write_text(json.dumps(scores))
    text = run.write_report(study, tmp_path).read_text()
    assert "| scratch | 5 | 3 ± 2 m | 1 2 3 4 5 | 0.500 ± 0.000 |  |  |  |  |" in text
    (row,) = [
        line for line in text.splitlines() if line.startswith("| SimMIM, 32,000 crops | 4 | 103 ± 1 m | 1 2 3 4 |")
    ]
    p, corrected = map(float, row.split("|")[8].split(","))
    assert 0 < p <= corrected < 0.05, "a higher IoU for each seed"
    assert (tmp_path / "study.png").stat().st_size > 5000
