"""Measures scenes an hour of `predict`, beside a chain that works by files: part of `make bench`.

    python benchmarks/bulk.py [--preset mini tyrion] [--scenes=2] [--turns=3]

Scenes of 1500 x 1400 pixels, mode overlap, random weights. Ours: the prediction of a folder with all its files, as the command
does it. The other side is a chain of programs that hand on files, as many published ones work: one cuts each scene into files of
tiles, one predicts a tile at a time and writes its classes' probabilities as a file, one puts them together, one makes zones and
front and writes them. It is our own stand-in, not the official code. Network, weights and tiles are the same on all sides. The
chain runs twice: its tiles are added as arrays, and pixel by pixel, as the official code adds them. The network's
time is that of a tile, measured once for all sides; while they run, one of its answers stands for all.
"""

import argparse
import functools
import logging
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
from speed import CONTEXT_PX, SHAPE, TARGET_PX, wavy_scene

from glacierjax.core.files import write_png
from glacierjax.core.grid import overlapping_pixels
from glacierjax.core.settings import PRESETS
from glacierjax.core.startup import keep_freed_memory
from glacierjax.core.zones import grey_from_ids
from glacierjax.fronts.extract import extract_front
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.scenes import ReadOptions
from glacierjax.model import Tyrion, build
from glacierjax.prediction.ensemble import Predictor, make_network
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.tiles import Network, gaussian_importance

STRIDE_PX = TARGET_PX // 2
SPACING_M = 7.0


class Counted:
    """Counts tiles; gives an answer of the network again for each of them."""

    def __init__(self, answer: np.ndarray):
        self._answer, self.tiles = answer, 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.tiles += len(images)
        return np.repeat(self._answer, len(images), 0)


def random_network(preset: str) -> Network:
    model: Any = build(PRESETS[preset], Tyrion)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, CONTEXT_PX, CONTEXT_PX, 1)))["params"]
    rng = np.random.default_rng(0)
    params = jax.device_put(jax.tree.map(lambda leaf: rng.normal(0, 0.02, leaf.shape).astype(np.float32), shapes))
    network = make_network(model)
    return lambda images: network(params, images)


def ours(network: Network, folder: Path, output: Path) -> None:
    """The folder predicted as `glacierjax predict` does, with all files."""
    predictor = Predictor([network], (0,), "overlap", CONTEXT_PX, 32, None, ["random weights"])
    Batch(predictor, output, ReadOptions(SPACING_M)).run(find_sources([str(folder)]))


def add_array(total: np.ndarray, part: np.ndarray) -> None:
    total += part


def add_pixels(total: np.ndarray, part: np.ndarray) -> None:
    for row in range(part.shape[0]):
        for column in range(part.shape[1]):
            total[row, column] += part[row, column]


def by_files(add: Callable[[np.ndarray, np.ndarray], None], network: Network, folder: Path, output: Path) -> None:
    """The same with a file for each tile between the steps."""
    tiles, answers = output / "tiles", output / "answers"
    margin = (CONTEXT_PX - TARGET_PX) // 2
    inner = slice(margin, margin + TARGET_PX)
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            scene = np.asarray(image)
        rows, columns = (overlapping_pixels(side, CONTEXT_PX, STRIDE_PX) for side in scene.shape)
        for row in range(0, len(rows) - CONTEXT_PX + 1, STRIDE_PX):
            for column in range(0, len(columns) - CONTEXT_PX + 1, STRIDE_PX):
                context = scene[rows[row : row + CONTEXT_PX, None], columns[column : column + CONTEXT_PX]]
                write_png(tiles / f"{path.stem}__{row}_{column}.png", context)
    answers.mkdir(parents=True)
    for path in sorted(tiles.iterdir()):
        with Image.open(path) as image:
            np.save(answers / f"{path.stem}.npy", network(np.asarray(image)[None])[0, inner, inner])
    weights = gaussian_importance(TARGET_PX)[..., None]
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            height, width = image.size[::-1]
        total = np.zeros((height + CONTEXT_PX, width + CONTEXT_PX, 4), np.float32)
        weight_sum = np.zeros((*total.shape[:2], 1), np.float32)
        for answer in sorted(answers.glob(f"{path.stem}__*.npy")):
            row, column = map(int, answer.stem.rpartition("__")[2].split("_"))
            place = np.s_[row : row + TARGET_PX, column : column + TARGET_PX]
            add(total[place], weights * np.load(answer))
            add(weight_sum[place], weights)
        probabilities = (total / np.maximum(weight_sum, 1e-30))[:height, :width]
        np.save(output / f"{path.stem}.npy", probabilities)
        found = np.load(output / f"{path.stem}.npy").argmax(-1).astype(np.uint8)
        write_png(output / "zones" / path.name, grey_from_ids(found))
        write_png(output / "fronts" / path.name, extract_front(found, SPACING_M).astype(np.uint8) * 255)


def without_network(side: Callable[[Network, Path, Path], None], answer: np.ndarray, folder: Path) -> tuple[float, int]:
    """Seconds that a side takes for the folder without the network, and the tiles that the network would be given."""
    counted = Counted(answer)
    with tempfile.TemporaryDirectory() as output:
        started = time.perf_counter()
        side(counted, folder, Path(output) / "out")
        return time.perf_counter() - started, counted.tiles


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", nargs="*", default=["mini", "tyrion"], choices=PRESETS)
    parser.add_argument("--scenes", type=int, default=2)
    parser.add_argument(
        "--turns", type=int, default=3, help="how often a tile of the network is timed; the fastest counts"
    )
    options = parser.parse_args()
    keep_freed_memory()  # as every command does
    logging.getLogger("glacierjax").setLevel(logging.ERROR)  # random weights find no front, and it says so
    print(f"{os.cpu_count()} cores, scenes of {SHAPE[0]} x {SHAPE[1]}\n")
    print("| scenes an hour, mode overlap | glacierjax | chain by files | ratio | pixel by pixel | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    chains = [functools.partial(by_files, add) for add in (add_array, add_pixels)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "scenes"
        generator = np.random.default_rng(0)
        for number in range(options.scenes):
            name = f"COL_2012-11-{number + 1:02d}_TDX_7_1_092"
            write_png(folder / f"{name}.png", wavy_scene(name, SHAPE, generator).image)
        tile = generator.integers(0, 256, (1, CONTEXT_PX, CONTEXT_PX), np.uint8)
        sides: list[tuple[float, int]] = []
        for preset in options.preset:
            network = random_network(preset)
            answer = network(tile)  # compiles
            seconds = min(timed(lambda network=network: network(tile)) for _ in range(options.turns))
            sides = sides or [without_network(side, answer, folder) for side in (ours, *chains)]
            rates = [3600 * options.scenes / (outside + tiles * seconds) for outside, tiles in sides]
            print(row(f"{preset}, {seconds:.3f} s a tile", rates, [rates[0] / rate for rate in rates]), flush=True)
        of_scene = [outside / options.scenes for outside, _ in sides]
        what = f"seconds a scene without the network, {sides[0][1] / options.scenes:.0f} tiles"
        print(row(what, of_scene, [seconds / of_scene[0] for seconds in of_scene]))


def row(what: str, values: Sequence[float], ratios: Sequence[float]) -> str:
    """A row of the table: our value, then each other one with our advantage."""
    others = [f"{value:.1f} | {ratio:.2f}" for value, ratio in zip(values[1:], ratios[1:], strict=True)]
    return f"| {what} | {values[0]:.1f} | {' | '.join(others)} |"


def timed(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
