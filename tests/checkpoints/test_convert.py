"""The command that converts PyTorch weights, there and back."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from official_like import TINY, tiny_params, tiny_state_dict

from glacierjax.checkpoints import read_torch, write_torch
from glacierjax.checkpoints.native import load_checkpoint


def convert(*arguments):
    """(exit code, standard output, standard error) of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "glacierjax.convert", *map(str, arguments)],
        capture_output=True, text=True, env={**os.environ, "JAX_PLATFORMS": "cpu"}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_official_file_becomes_a_checkpoint_and_comes_back(tmp_path):
    write_torch(tmp_path / "official.pth", tiny_state_dict("tyrion"))
    code, printed, errors = convert(f"--input={tmp_path}/official.pth", f"--output={tmp_path}/ours", "--preset=tiny")
    assert code == 0, errors
    assert "tyrion, " in printed and "never" not in printed and "temb_proj" in printed
    checkpoint = load_checkpoint(tmp_path / "ours")
    assert checkpoint.record["task"] == "segmentation"
    expected = {name: list(v) if isinstance(v, tuple) else v for name, v in TINY.items()}
    assert checkpoint.record["model"] == expected
    jax.tree.map(np.testing.assert_array_equal, checkpoint.params, tiny_params("tyrion"))

    code, _, errors = convert("--to=torch", f"--input={tmp_path}/ours", f"--output={tmp_path}/back.pth")
    assert code == 0, errors
    official = tiny_state_dict("tyrion")
    for name, array in read_torch(tmp_path / "back.pth").items():
        assert array.tobytes() == official[name].tobytes()


def test_encoder_of_microsoft_is_recorded_with_its_sizes(tmp_path):
    write_torch(tmp_path / "swin.pth", tiny_state_dict("swin"))
    code, printed, errors = convert(f"--input={tmp_path}/swin.pth", f"--output={tmp_path}/ours")
    assert code == 0, errors
    assert "head.bias" in printed
    record = load_checkpoint(tmp_path / "ours").record
    assert record["task"] == "encoder"
    assert (record["model"]["depths"], record["model"]["window_size"]) == (list(TINY["depths"]), TINY["window_size"])


@pytest.mark.parametrize(
    ("change", "arguments", "problem"),
    [
        ({}, ["--output=exists"], "--output=exists: exists already"),
        ({"extra.weight": np.zeros(2, np.float32)}, ["--output=new", "--preset=tiny"], "extra.weight"),
        ({}, ["--output=new", "--model=optsimmim"], "official.pth"),
        ({}, ["--output=new", "--model=unet"], "--model=unet"),
        ({}, ["--output=new", "--preset=huge"], "huge"),
        ({}, ["--output=new", "--input=none.pth"], "none.pth: no such file"),
        ({}, ["--output=new", "--to=torch"], "no checkpoint"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_and_exit_code_2(tmp_path, monkeypatch, change, arguments, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exists").mkdir()
    write_torch("official.pth", tiny_state_dict("tyrion") | change)
    code, _, errors = convert("--input=official.pth", *arguments)
    assert code == 2
    assert problem in errors and len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()
