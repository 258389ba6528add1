"""The small archive of the end-to-end tests, the smallest training on it, and how its log is read."""

import json
from pathlib import Path

import numpy as np

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.writer import write_scene

SCENES = {
    "train": [f"{glacier}_20{year}-03-30_TSX_20_3_0{year}" for glacier in ("DBE", "JAC") for year in (10, 11, 12)],
    "test": ["COL_2012-11-03_TDX_20_1_092", "COL_2016-01-24_S1_20_3_065"],
}
SHAPE = (96, 100)
EPOCHS = 4
METRICS = "metrics.jsonl"
TINY_PRETRAINING = (
    "--config.model.preset=tiny",
    f"--config.num_epochs={EPOCHS}",
    "--config.batch_size=4",
    "--config.micro_batch_size=2",
    "--config.log_every=1",
    "--config.data.workers=0",
    "--config.data.samples_per_epoch=8",
    "--config.data.context_px=64",
    "--config.data.padding=clean",
)
TINY = ("--config=configs/finetune_caffe.py", *TINY_PRETRAINING)


def make_scene(name: str, column: int, rng: np.random.Generator) -> LabelledScene:
    """Bright ice left of `column`, dark sea right of it, rock above and nothing below."""
    zones = np.full(SHAPE, Zone.GLACIER, np.uint8)
    zones[:, column:] = Zone.OCEAN_ICE_MELANGE
    zones[:8], zones[-6:] = Zone.ROCK, Zone.NA
    grey_of_zone = np.array([5, 220, 160, 50])
    image = (grey_of_zone[zones] + rng.integers(-5, 30, SHAPE)).clip(0, 255).astype(np.uint8)
    front = np.zeros(SHAPE, bool)
    front[8:-6, column] = True
    return LabelledScene(parse_name(name), image, zones, front, BoundingBox(10, 0, 95, 96))


def write_archive(data_raw: Path) -> Path:
    """Eight scenes in CaFFe's layout."""
    rng = np.random.default_rng(0)
    for split, names in SCENES.items():
        for number, name in enumerate(names):
            write_scene(data_raw, split, make_scene(name, 35 + 5 * number, rng))
    return data_raw


def build_flags(data_dir: Path, data_raw: Path) -> list[str]:
    return ["tfds_builders/caffe", f"--data_dir={data_dir}", f"--manual_dir={data_raw}", "--na=class"]


def val_lines(workdir: Path) -> list[dict]:
    """The validations in the log of a run, which may still be running."""
    path = workdir / METRICS
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n") and '"val"' in line]
