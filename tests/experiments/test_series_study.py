"""The study of series: equal conditions for all arms, and a report with the seasons apart."""

import json
from pathlib import Path

import pytest

from glacierjax.recipes.configs import check_field, load_config

REPOSITORY = Path(__file__).parents[2]
DEFAULT_SEED_OF_SIMULATE = 0  # of `make demo`


@pytest.fixture
def run(script):
    return script("series")


def trainings(run, output):
    steps = [step for stage in run.stages(run.Study(), output / "demo", output) for chain in stage for step in chain]
    return [step for step in steps if step.module == "glacierjax.train"]


def test_arms_differ_in_what_their_frames_exchange_alone(run, tmp_path):
    found = trainings(run, tmp_path)
    assert len(found) == 4 * 3
    own = ("--config.model.temporal=", "--workdir=", "--config.seed=")
    assert len({frozenset(f for f in step.flags if not f.startswith(own)) for step in found}) == 1
    assert {step.result.parent.parent.name for step in found} == {"none", "conv", "gru", "ltae"}


def test_the_start_was_trained_on_another_archive(run):
    assert run.Study().simulate["seed"] != DEFAULT_SEED_OF_SIMULATE


def test_every_field_that_the_study_sets_exists(run, tmp_path):
    for step in trainings(run, tmp_path):
        config = load_config(str(REPOSITORY / step.flags[0].removeprefix("--config=")))
        for flag in step.flags[1:]:
            if flag.startswith("--config."):
                check_field(config, flag.removeprefix("--config.").split("=")[0])


def test_the_report_parts_the_seasons_and_counts_missing_fronts(run, tmp_path):
    def scene(mde_m, pixels):
        return {"mde_m": mde_m, "distances": pixels + 10}

    per_scene = {
        "COL_2016-01-10_S1_20_1_001": scene(300.0, 10),  # winter, rigid mélange
        "COL_2016-09-10_S1_20_1_002": scene(100.0, 30),  # winter
        "COL_2016-06-10_S1_20_1_003": scene(None, 0),  # summer
        "Mapple_2016-01-10_S1_20_1_004": scene(50.0, 10),  # summer in the south
    }
    runs = {"none": [tmp_path / "seed1"]}
    (tmp_path / "seed1" / "report").mkdir(parents=True)
    metrics = {"per_scene": per_scene, "zones": {"iou": {"mean": 0.5}}}
    (tmp_path / "seed1" / "report" / "metrics.json").write_text(json.dumps(metrics))
    text = run.write_report(runs, tmp_path).read_text()
    assert "all (4 scenes) | winter (2 scenes) | rigid mélange (1 scenes) | summer (2 scenes)" in text
    assert "| none | **138** (138) [1] | **167** (167) [0] | **300** (300) [0] | **50** (50) [1] | 0.500 |" in text
