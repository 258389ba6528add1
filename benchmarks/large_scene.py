"""Measures the peak memory of a scene of 10,000 x 10,000 pixels, scored, or of eight, predicted as a series: `make bench-memory`.

    python benchmarks/large_scene.py [--series]

The networks are of the preset "small" with random weights. They compute only the first batches and their output is repeated
for the others, so that this takes minutes on two cores. The memory is the same as without this shortcut. Arrays of a series lie
in files (`glacierjax.prediction.spool`), of which the system keeps in memory what it likes; so the memory without files is told,
too (Linux).
"""

import argparse
import dataclasses
import datetime
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from speed import CONTEXT_PX, wavy_scene

from glacierjax.core.choices import GROUPS, SIZE
from glacierjax.core.settings import SeriesFineTuning
from glacierjax.core.startup import keep_freed_memory
from glacierjax.datasets.caffe.writer import write_scene
from glacierjax.evaluation.network import most_probable
from glacierjax.evaluation.run import raw_scenes, score_part
from glacierjax.evaluation.write import write_evaluation
from glacierjax.geo.scenes import Scene
from glacierjax.model import SeriesTyrion, Tyrion, build, preset
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor, make_network
from glacierjax.prediction.series import make_series_network
from glacierjax.prediction.series_scene import find_fronts, group_of, keep_scene
from glacierjax.prediction.spool import Spool

SHAPE = (10_000, 10_000)
NAME = "COL_2012-11-03_TDX_7_1_092"
REAL_CALLS = 4
FRAMES = 8
SPACING_M = 7.0
MODE = "overlap"


def write_archive(data_raw: Path) -> None:
    write_scene(data_raw, "test", wavy_scene(NAME, SHAPE, np.random.default_rng(0)))


def stand_in(model: Any, run: Callable, *inputs: np.ndarray) -> Callable[..., np.ndarray]:
    """The network with random weights. After the first calls the last answer is given again."""
    shapes = jax.eval_shape(model.init, jax.random.key(0), *inputs)["params"]
    generator = np.random.default_rng(0)
    params = jax.tree.map(lambda x: generator.normal(0, 0.1, x.shape).astype(np.float32), shapes)
    answers: list[np.ndarray] = []

    def answer(*images: np.ndarray) -> np.ndarray:
        if len(answers) < REAL_CALLS:
            answers.append(run(params, *images))
        return answers[-1]

    return answer


def score_scene(folder: Path) -> None:
    model = Tyrion(**preset("small"))
    network = stand_in(model, make_network(model), np.zeros((1, 64, 64, 1), np.float32))
    data_raw, out = folder / "data_raw", folder / "out"
    # In a separate process, whose memory does not count.
    maker = multiprocessing.get_context("spawn").Process(target=write_archive, args=(data_raw,))
    maker.start()
    maker.join()
    predictor = Predictor([network], (0,), MODE, CONTEXT_PX, model.size_multiple, None, ["a stand-in"])
    scenes = raw_scenes(str(data_raw), "test")
    write_evaluation(out, score_part(scenes, most_probable(predictor), out, "Memory", "a stand-in"))


def predict_series(folder: Path) -> None:
    """All files of a series are written, as `glacierjax predict` does."""
    model = build(dataclasses.replace(SeriesFineTuning().model, preset="small").network(), SeriesTyrion)
    shown = np.zeros((1, FRAMES, 64, 64, 1), np.float32), np.zeros((1, FRAMES), np.int32)
    network = stand_in(model, make_series_network(model), *shown)
    predictor = SeriesPredictor(
        [network], (0,), MODE, CONTEXT_PX, model.size_multiple, None, ["a stand-in"], frames=FRAMES
    )
    generator = np.random.default_rng(0)
    with Spool(folder) as spool:
        scenes = {}
        for number in range(FRAMES):
            name = f"COL_{datetime.date(2012, 11, 3 + number)}_TDX_7_1_092"
            image = np.tile(generator.integers(1, 255, (100, 100), np.uint8), (SHAPE[0] // 100, SHAPE[1] // 100))
            scenes[name] = keep_scene(Scene(name, image, np.ones(SHAPE, bool), SPACING_M, None), spool)
        group = group_of(list(scenes.values()), SIZE)
        (sample,) = group.plan(GROUPS, FRAMES)
        for predicted in find_fronts(predictor, scenes, sample, SIZE, spool):
            predicted().save(folder / "out")


class OwnMemory(threading.Thread):
    """Watches the memory of this process that is no file's; `peak_gib`: the most so far."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_gib = 0.0

    def run(self) -> None:
        status = Path("/proc/self/status")
        while status.exists():
            line = next(line for line in status.read_text().splitlines() if line.startswith("RssAnon"))
            self.peak_gib = max(self.peak_gib, int(line.split()[1]) / 2**20)
            time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", action="store_true", help=f"{FRAMES} scenes as a series, instead of one scene")
    series = parser.parse_args().series
    keep_freed_memory()  # as every command does
    memory = OwnMemory()
    memory.start()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        (predict_series if series else score_scene)(Path(folder))
    seconds = time.perf_counter() - started
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    what = f"{FRAMES} scenes of " if series else ""
    print(
        f"{what}{SHAPE[0]} x {SHAPE[1]}, mode {MODE}: peak memory {peak_gib:.2f} GiB, without files "
        f"{memory.peak_gib:.2f} GiB, {seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
