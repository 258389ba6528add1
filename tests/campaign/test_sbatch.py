"""The script for Slurm arrays, without Slurm: each job does its shard, and starts it again where its process was killed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "howto" / "campaign.sbatch"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")


@pytest.fixture
def job(tmp_path):
    """Runs a job of three whose glacierjax ends with one exit code after the other; returns its own and what was called."""

    def run(number, *codes):
        stand_in = 'echo "$@" >> calls; code=$(head -n 1 codes); sed -i 1d codes; exit "$code"\n'
        for name, text in {"srun": 'exec "$@"\n', "glacierjax": stand_in}.items():
            (tmp_path / name).write_text(f"#!/bin/bash\n{text}")
            (tmp_path / name).chmod(0o755)
        (tmp_path / "codes").write_text("".join(f"{code}\n" for code in codes))
        (tmp_path / "calls").unlink(missing_ok=True)
        slurm = {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_MAX": "3"}
        environment = {**os.environ, **slurm, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(["bash", SCRIPT, "a plan", "out"], cwd=tmp_path, env=environment, check=False)
        return done.returncode, (tmp_path / "calls").read_text().splitlines()

    return run


def test_each_job_of_the_array_does_its_shard(job):
    for number in (1, 2, 3):
        assert job(number, 0) == (0, [f"run --plan=a plan --output=out --shard={number}/3"])


def test_a_job_that_is_killed_starts_again_and_one_whose_tasks_have_no_result_does_not(job):
    call = "run --plan=a plan --output=out --shard=2/3"
    assert job(2, 137, 137, 0) == (0, [call] * 3)
    assert job(2, 137, 2) == (2, [call] * 2)
    assert job(2, *[137] * 9) == (137, [call] * 8)
