"""Measures the peak memory of scoring a scene of 10,000 x 10,000 pixels: `make bench-memory`.

The network is the preset "small" with random weights. It computes only the first batches and its output is repeated for the
others, so that this takes minutes on two cores. The memory is the same as without this shortcut.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from speed import CONTEXT_PX, wavy_scene

from glacierjax.datasets.caffe.writer import write_scene
from glacierjax.evaluation.network import most_probable
from glacierjax.evaluation.run import raw_scenes, score_part
from glacierjax.evaluation.write import write_evaluation
from glacierjax.model import Tyrion, preset
from glacierjax.prediction.ensemble import Predictor, make_network

SHAPE = (10_000, 10_000)
NAME = "COL_2012-11-03_TDX_7_1_092"
REAL_BATCHES = 4
MODE = "overlap"


def write_archive(data_raw: Path) -> None:
    write_scene(data_raw, "test", wavy_scene(NAME, SHAPE, np.random.default_rng(0)))


def main() -> None:
    model = Tyrion(**preset("small"))
    shapes = jax.eval_shape(model.init, jax.random.key(0), np.zeros((1, 64, 64, 1), np.float32))["params"]
    generator = np.random.default_rng(0)
    params = jax.tree.map(lambda x: generator.normal(0, 0.1, x.shape).astype(np.float32), shapes)
    network = make_network(model)
    answers: list[np.ndarray] = []

    def answer(images: np.ndarray) -> np.ndarray:
        if len(answers) < REAL_BATCHES:
            answers.append(network(params, images))
        return answers[-1]

    with tempfile.TemporaryDirectory() as folder:
        data_raw, out = Path(folder) / "data_raw", Path(folder) / "out"
        # In a separate process, whose memory does not count.
        maker = multiprocessing.get_context("spawn").Process(target=write_archive, args=(data_raw,))
        maker.start()
        maker.join()
        before = time.perf_counter()
        predictor = Predictor([answer], (0,), MODE, CONTEXT_PX, model.size_multiple, {}, [])
        scenes = raw_scenes(str(data_raw), "test")
        write_evaluation(out, score_part(scenes, most_probable(predictor), out, "Memory", "a stand-in"))
        seconds = time.perf_counter() - before
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{SHAPE[0]} x {SHAPE[1]}, mode {MODE}: peak memory {peak_gib:.2f} GiB, {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
