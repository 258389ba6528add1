"""Pretraining as a user runs it, resuming after a kill, and fine-tuning from its weights."""

import jax
import numpy as np
import pytest
from helpers import run_here
from PIL import Image
from small_world import EPOCHS, METRICS, TINY, TINY_PRETRAINING, val_lines

from glacierjax.checkpoints.native import load_checkpoint
from tfds_builders.build import main as build
from tfds_builders.ssl4sar.made_archive import archive_files

FLAGS = ("--config=configs/pretrain_optsimmim.py", *TINY_PRETRAINING, "--config.optimizer.learning_rate=0.01")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """The data set SSL4SAR, built from a small invented archive; read only."""
    manual, data = tmp_path_factory.mktemp("ssl4sar"), tmp_path_factory.mktemp("pairs")
    for name, content in archive_files().items():
        (manual / name).parent.mkdir(exist_ok=True)
        (manual / name).write_bytes(content)
    assert build(["tfds_builders/ssl4sar", f"--data_dir={data}", f"--manual_dir={manual}"]) == 0
    return data


@pytest.fixture(scope="session")
def pretrained(command, pairs, elsewhere):
    """The workdir of a finished pretraining; read only."""
    done = command("glacierjax.train", *FLAGS, f"--config.data.dir={pairs}", "--workdir=pretrained")
    assert done.returncode == 0, done.stderr
    return elsewhere / "pretrained"


def test_the_workdir_holds_losses_checkpoints_and_pictures(pretrained):
    losses = [line["loss"] for line in val_lines(pretrained)]
    assert len(losses) == EPOCHS and all(0 < loss < 2 for loss in losses)
    assert load_checkpoint(pretrained, "last").record["step"] == 2 * EPOCHS
    assert load_checkpoint(pretrained, "best_loss").record["metrics"]["loss"] == min(losses)
    pictures = sorted((pretrained / "pictures").glob("S1_Hubbard_*.png"))
    assert pictures
    with Image.open(pictures[0]) as picture:
        assert picture.size == (4 * 64 + 3 * 4, 64) and picture.mode == "RGB"


@pytest.mark.slow
def test_a_killed_pretraining_started_again_gives_the_numbers_of_one_left_alone(
    pretrained, pairs, command, train_and_kill
):
    workdir = train_and_kill("killed_pretraining", *FLAGS, f"--config.data.dir={pairs}")
    done = command("glacierjax.train", f"--workdir={workdir}")
    assert done.returncode == 0, done.stderr
    assert "resuming after step" in done.stderr
    assert (workdir / METRICS).read_bytes() == (pretrained / METRICS).read_bytes()


@pytest.mark.slow  # trains another network; recipes/test_initial_weights.py has the parts
def test_fine_tuning_starts_from_encoder_and_decoder_bit_by_bit(pretrained, data, command, elsewhere):
    flags = [flag for flag in TINY if "num_epochs" not in flag]
    done = command(
        "glacierjax.train",
        *flags,
        "--config.num_epochs=1",
        f"--config.init.checkpoint={pretrained}",
        "--config.optimizer.learning_rate=0",
        f"--config.data.dir={data}",
        "--workdir=chained",
    )
    assert done.returncode == 0, done.stderr
    source, result = load_checkpoint(pretrained), load_checkpoint(elsewhere / "chained", "last")
    assert source.record["metrics"]["loss"] == min(line["loss"] for line in val_lines(pretrained)), "the best one"
    for part in ("encoder", "decoder"):
        jax.tree.map(np.testing.assert_array_equal, result.params[part], source.params[part])
    assert f"from {source.path}: " in done.stderr
    assert "arrays taken (decoder, encoder), 2 fresh (head), " in done.stderr
    lines = (elsewhere / "chained" / "initial_weights.txt").read_text().splitlines()
    assert {"fresh: head/kernel", "left over: mask_token", "left over: to_image/kernel"} <= set(lines)
    assert sum(line.startswith("taken: ") for line in lines) == len(
        jax.tree.leaves([source.params["encoder"], source.params["decoder"]])
    )


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--config.mask.ratio=1.5",), "--config.mask.ratio=1.5"),
        (("--config.mask.unit_px=6",), "--config.mask.unit_px=6: choose a multiple of 4 up to 32"),
        (("--config.data.optical_name=ssl4sar/none",), "no data set ssl4sar/none in it; build it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_pretraining_with_wrong_settings(in_elsewhere, pairs, flags, named):
    wrong = (*FLAGS, *flags, f"--config.data.dir={pairs}", "--workdir=wrong_pretraining")
    done = run_here("glacierjax.train", *wrong)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and named in done.stderr, done.stderr


def test_a_pretraining_checkpoint_cannot_be_evaluated(in_elsewhere, pretrained):
    done = run_here("glacierjax.evaluate", f"--workdir={pretrained}", "--output=never")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and str(pretrained) in done.stderr, done.stderr
