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


def steps(run, study, output, real):
    return [step for stage in run.stages(study, output, real) for chain in stage for step in chain]


def test_every_arm_differs_from_scratch_in_its_weights_alone(run, tmp_path):
    study = run.STUDIES["techniques"]
    trainings = [s for s in steps(run, study, tmp_path, tmp_path / "raw") if s.module == "glacierjax.train"]
    tuned = [step for step in trainings if "pretrained" not in step.result.parts]
    assert len(tuned) == 2 * 4 * 5
    own = ("--config.init.checkpoint=", "--workdir=")
    flags = {step.result.parent: {flag for flag in step.flags if not flag.startswith(own)} for step in tuned}
    for name in ("simulated", "real"):
        for seed in study.seeds:
            of_arms = {
                frozenset(flags[tmp_path / name / arm / f"seed{seed}"]) for arm in ("scratch", *dict(study.arms))
            }
            assert len(of_arms) == 1
    assert sum("init.checkpoint" in flag for step in tuned for flag in step.flags) == 2 * 3 * 5


@pytest.mark.parametrize("study", ["techniques", "causes"])
def test_every_field_that_a_study_sets_exists(run, tmp_path, study):
    for step in steps(run, run.STUDIES[study], tmp_path, tmp_path / "raw"):
        if step.module == "glacierjax.train":
            config = load_config(str(REPOSITORY / step.flags[0].removeprefix("--config=")))
            for flag in step.flags[1:]:
                if flag.startswith("--config."):
                    check_field(config, flag.removeprefix("--config.").split("=")[0])


def test_what_is_done_is_not_done_again_and_a_failure_ends_the_study(run, tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(run.Share, "run", lambda self, command: ran.append(command) or 3)
    todo = steps(run, run.STUDIES["techniques"], tmp_path, None)
    for step in todo[:3]:
        step.result.parent.mkdir(parents=True, exist_ok=True)
        step.result.touch()
    monkeypatch.setattr(sys, "argv", ["run.py", f"--output={tmp_path}"])
    with pytest.raises(SystemExit, match=r"python -m glacierjax.train: failed with exit code 3"):
        run.main()
    assert [command[1:] for command in ran] == [["-m", "glacierjax.train", *todo[3].flags]]


def test_the_report_has_a_row_for_each_arm_and_counts_missing_fronts(run, tmp_path):
    study = run.STUDIES["techniques"]
    for number, arm in enumerate(("scratch", *dict(study.arms))):
        for seed in study.seeds:
            mde = None if (arm, seed) == ("simmim", 1) else 100.0 * number + seed
            scores = {"mde_m": mde, "mde_px": mde, "missing_fronts": seed, "zones": {"iou": {"mean": 0.5}}}
            folder = tmp_path / "simulated" / arm / f"seed{seed}" / "report"
            folder.mkdir(parents=True)
            (folder / "metrics.json").write_text(json.dumps(scores))
    text = run.write_report(study, tmp_path, ["simulated"]).read_text()
    assert "| scratch | 3 | 2 | 1 | 5 | 3.0 | 1 2 3 4 5 | 0.500 ± 0.000 |" in text
    assert "| simmim | 104 | 1 | 102 | 105 | 103.5 |" in text
    assert "compare/simulated_opttranslator/compare.md" in text and (tmp_path / "simulated.png").stat().st_size > 5000
