"""The command that converts weights from and to PyTorch."""

import json

import jax
import numpy as np
import pytest
from helpers import run_here
from official_like import TINY, tiny_params, tiny_state_dict

from glacierjax.checkpoints import read_torch, write_torch
from glacierjax.checkpoints.conversion import Wanted, from_file, to_file
from glacierjax.checkpoints.native import load_checkpoint, save_checkpoint
from glacierjax.checkpoints.safetensors_file import read_safetensors
from glacierjax.core.errors import InputError
from glacierjax.core.settings import PRESETS

SIZES = PRESETS["tiny"].to_json()


def convert(*arguments):
    """(exit code, standard output, standard error) of the command."""
    done = run_here("glacierjax.convert", *arguments)
    return done.returncode, done.stdout, done.stderr


def test_official_file_becomes_a_checkpoint_and_comes_back(tmp_path):
    write_torch(tmp_path / "official.pth", tiny_state_dict("tyrion"))
    code, printed, errors = convert(f"--input={tmp_path}/official.pth", f"--output={tmp_path}/ours", "--preset=tiny")
    assert code == 0, errors
    assert "tyrion, " in printed and "never" not in printed and "temb_proj" in printed
    checkpoint = load_checkpoint(tmp_path / "ours")
    assert checkpoint.record["task"] == "segmentation"
    assert checkpoint.record["model"] == SIZES
    jax.tree.map(np.testing.assert_array_equal, checkpoint.params, tiny_params("tyrion"))

    code, _, errors = convert("--to=torch", f"--input={tmp_path}/ours", f"--output={tmp_path}/back.pth")
    assert code == 0, errors
    official = tiny_state_dict("tyrion")
    for name, array in read_torch(tmp_path / "back.pth").items():
        assert array.tobytes() == official[name].tobytes()


WANTS: dict = {
    "data": {"pixel_spacing_m": 20.0, "context_px": 192, "dir": "/data/of/somebody", "name": "caffe"},
    "validation": {"mode": "overlap"},
}


def test_what_a_network_wants_goes_to_pytorch_and_comes_back(tmp_path):
    sizes = {**SIZES, "window_size": 4, "num_groups": 2}
    record = {"task": "segmentation", "model": sizes, "config": WANTS, "metrics": {"iou": 0.5, "mde_m": float("nan")}}
    save_checkpoint(tmp_path / "ours", tiny_params("tyrion"), record)
    told = to_file(tmp_path / "ours", tmp_path / "away.pth", "torch", None, "last")
    assert "pixel_spacing_m 20.0, context_px 192, window_size 4, num_groups 2" in " ".join(told)
    assert b"somebody" not in (tmp_path / "away.pth").read_bytes()
    from_file(tmp_path / "away.pth", tmp_path / "back", None, None, Wanted())
    back = load_checkpoint(tmp_path / "back").record
    assert back["model"] == record["model"] and back["metrics"] == {"iou": 0.5, "mde_m": None}
    assert (
        back["config"]["data"] == {**WANTS["data"], "dir": ""} and back["config"]["validation"] == WANTS["validation"]
    )
    from_file(tmp_path / "away.pth", tmp_path / "other", None, None, Wanted(pixel_spacing_m=40.0, window_size=8))
    other = load_checkpoint(tmp_path / "other").record
    assert (other["config"]["data"]["pixel_spacing_m"], other["config"]["data"]["context_px"]) == (40, 192)
    assert (other["model"]["window_size"], other["model"]["num_groups"]) == (8, 2)


def test_safetensors_files_hold_the_same_and_come_back(tmp_path):
    record = {"task": "segmentation", "model": SIZES}
    save_checkpoint(tmp_path / "ours", tiny_params("tyrion"), {**record, "config": WANTS})
    code, printed, errors = convert(
        "--to=safetensors", f"--input={tmp_path}/ours", f"--output={tmp_path}/away.safetensors"
    )
    assert code == 0, errors
    assert "pixel_spacing_m 20.0" in printed and b"somebody" not in (tmp_path / "away.safetensors").read_bytes()
    tensors, written = read_safetensors(tmp_path / "away.safetensors")
    official = tiny_state_dict("tyrion")
    assert tensors and all(array.tobytes() == official[name].tobytes() for name, array in tensors.items())
    assert written is not None and written["task"] == "segmentation"
    from_file(tmp_path / "away.safetensors", tmp_path / "back", None, None, Wanted())
    back = load_checkpoint(tmp_path / "back")
    jax.tree.map(np.testing.assert_array_equal, back.params, tiny_params("tyrion"))
    assert back.record["config"]["data"] == {**WANTS["data"], "dir": ""}


FLOAT8 = json.dumps({"w": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}).encode()  # numpy has none


@pytest.mark.parametrize(
    "content", [b"", b"no safetensors file", b"\xff" * 64, len(FLOAT8).to_bytes(8, "little") + FLOAT8 + b"\0"]
)
def test_a_damaged_safetensors_file_is_named(tmp_path, content):
    (tmp_path / "bad.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.safetensors: not a readable safetensors file"):
        read_safetensors(tmp_path / "bad.safetensors")
    with pytest.raises(InputError, match=r"none\.safetensors: no such file"):
        read_safetensors(tmp_path / "none.safetensors")


def test_what_a_file_does_not_tell_is_printed_and_can_be_set(tmp_path):
    write_torch(tmp_path / "official.pth", tiny_state_dict("tyrion"))
    told = "\n".join(from_file(tmp_path / "official.pth", tmp_path / "a", None, None, Wanted(num_groups=2)))
    assert "not in the file, so assumed: `pixel_spacing_m` (scenes as they are), `context_px` (512)" in told
    told = "\n".join(from_file(tmp_path / "official.pth", tmp_path / "c", None, "tiny", Wanted(num_groups=2)))
    assert "assumed: `pixel_spacing_m` (scenes as they are), `context_px` (512)" in told
    with pytest.raises(InputError, match=r"^preset='huge': choose one of tyrion, "):
        from_file(tmp_path / "official.pth", tmp_path / "d", None, "huge", Wanted())
    told = from_file(tmp_path / "official.pth", tmp_path / "b", None, None, Wanted(20.0, 192, 4, 2))
    assert "assumed" not in "\n".join(told)
    record = load_checkpoint(tmp_path / "b").record
    assert record["config"] == {"data": {"pixel_spacing_m": 20.0, "context_px": 192}}
    with pytest.raises(InputError, match="num_groups=0: give a number of at least 1"):
        Wanted(num_groups=0)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({}, "has no model"),
        ({"model": {**SIZES, "embed_dim": 7}}, "its record says embed_dim 7, but its tensors"),
        ({"model": {**SIZES, "num_groups": "x"}}, "num_groups`='x': expected int"),
        ({"model": {**SIZES, "evil": 1}}, "evil"),
        ({"model": SIZES, "config": []}, "settings in its record are not readable"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(tmp_path, record, problem):
    write_torch(tmp_path / "odd.pth", tiny_state_dict("tyrion"), record)
    with pytest.raises(InputError, match=rf"odd\.pth: .*{problem}"):
        from_file(tmp_path / "odd.pth", tmp_path / "out", None, None, Wanted())
    assert not (tmp_path / "out").exists()


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
