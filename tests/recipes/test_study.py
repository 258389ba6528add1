"""A study: which commands it runs, that what is done is not done again, and its report."""

import json
import os
import sys

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.recipes import study as study_module
from glacierjax.recipes.configs import _check_field, load_config
from glacierjax.recipes.study import report, run_study, stages
from glacierjax.reports import arms
from glacierjax.reports.arms import strip_chart

TECHNIQUES = ("simmim", "optsimmim", "opttranslator")


def steps(study, output, real):
    return [step for stage in stages(study, output, real) for chain in stage for step in chain]


@pytest.fixture
def study():
    return load_config("configs/study_pretraining.py")


def test_every_arm_differs_from_scratch_in_its_weights_alone(study, tmp_path):
    fine_tunings = [s for s in steps(study, tmp_path, tmp_path / "raw") if s.module == "glacierjax.train"]
    fine_tunings = [s for s in fine_tunings if "pretrained" not in s.result.parts]
    assert len(fine_tunings) == 2 * 4 * 5
    for name in ("simulated", "real"):
        flags = {
            (arm, seed): {
                flag for flag in step.flags if not flag.startswith(("--config.init.checkpoint=", "--workdir="))
            }
            for step in fine_tunings
            for arm in ("scratch", *TECHNIQUES)
            for seed in study.seeds
            if step.result == tmp_path / name / arm / f"seed{seed}" / "summary.json"
        }
        assert len(flags) == 20
        for seed in study.seeds:
            assert all(flags[arm, seed] == flags["scratch", seed] for arm in TECHNIQUES)
    starts = [flag for step in fine_tunings for flag in step.flags if "init.checkpoint" in flag]
    assert len(starts) == 2 * 3 * 5


def test_every_field_that_the_study_sets_exists(study, tmp_path):
    for step in steps(study, tmp_path, tmp_path / "raw"):
        if step.module == "glacierjax.train":
            file = next(flag for flag in step.flags if flag.startswith("--config=")).split("=")[1]
            config = load_config(file)
            for flag in step.flags:
                if flag.startswith("--config."):
                    _check_field(config, flag.removeprefix("--config.").split("=")[0])


def test_a_stage_needs_only_the_stages_before_it(study, tmp_path):
    done = set()
    for stage in stages(study, tmp_path, tmp_path / "raw"):
        for chain in stage:
            there = set(done)
            for step in chain:
                for flag in step.flags:
                    if flag.startswith(("--config.init.checkpoint=", "--baseline=", "--method=")):
                        needed = flag.split("=")[1].split(",")
                        assert all(any(str(result).startswith(path) for result in there) for path in needed)
                there.add(step.result)
        done |= {step.result for chain in stage for step in chain}


class Process:
    """A command that was started, and ends with exit code 3."""

    pid = 0

    def wait(self):
        return 3


def test_what_is_done_is_not_done_again_and_a_failure_ends_the_study(study, tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(study_module.subprocess, "Popen", lambda command: ran.append(command) or Process())
    todo = steps(study, tmp_path, None)
    for step in todo[:3]:
        write_text(step.result, "")
    with pytest.raises(InputError, match=r"python -m glacierjax.train: failed with exit code 3"):
        run_study(study, tmp_path, None)
    assert [command[1:] for command in ran] == [["-m", "glacierjax.train", *todo[3].flags]]


def test_jobs_share_the_cores(tmp_path):
    share = study_module._Share(2)
    code = "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(str(len(os.sched_getaffinity(0))))"
    assert share.run([sys.executable, "-c", "import time; time.sleep(.2);" + code, str(tmp_path / "n")]) == 0
    assert int((tmp_path / "n").read_text()) == max(1, (len(os.sched_getaffinity(0)) + 1) // 2)


def test_report_has_a_row_for_each_arm_and_counts_missing_fronts(study, tmp_path):
    for number, arm in enumerate(("scratch", *TECHNIQUES)):
        for seed in study.seeds:
            mde = None if (arm, seed) == ("simmim", 1) else 100.0 * number + seed
            scores = {"mde_m": mde, "mde_px": mde, "missing_fronts": seed, "zones": {"iou": {"mean": 0.5}}}
            write_text(tmp_path / "simulated" / arm / f"seed{seed}" / "report" / "metrics.json", json.dumps(scores))
    text = report(study, tmp_path, ["simulated"])
    assert "| scratch | 3 | 2 | 1 | 5 | 3.0 | 1 2 3 4 5 | 0.500 ± 0.000 |" in text
    assert "| simmim | 104 | 1 | 102 | 105 | 103.5 |" in text
    assert "compare/simulated_opttranslator/compare.md" in text and (tmp_path / "simulated.png").exists()


def test_chart_has_four_to_ten_round_ticks():
    for highest in (0.3, 1.0, 7.4, 99, 100, 1105, 2600):
        step = arms._round_step(highest / arms._TICKS)
        assert 4 <= highest / step <= 10 and f"{step:e}"[0] in "125"


def test_chart_shows_every_run_of_every_arm():
    chart = strip_chart({"a": [1.0, 9.0], "b": [None, 5.0], "c": [None]}, "title", "m")
    assert chart.dtype == np.uint8 and chart.ndim == 3
    few = strip_chart({"a": [1.0], "b": [5.0], "c": [None]}, "title", "m")
    dots = [(picture == (213, 94, 0)).all(-1).sum() for picture in (chart, few)]
    assert dots[0] > dots[1] > 0
