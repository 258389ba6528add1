"""Measures the speed of glacierjax and of the alternatives in one run: `make bench`.

Prints a Markdown table. No trained weights are needed: a stand-in replaces the network, and its time is subtracted.
"""

import logging
import os
import platform
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from scipy import ndimage
from scipy.spatial.distance import cdist

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.scene_names import parse_name
from glacierjax.core.startup import keep_freed_memory
from glacierjax.core.zones import NUM_ZONES, Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.writer import write_scene
from glacierjax.evaluation.network import most_probable
from glacierjax.evaluation.run import raw_scenes, score_part
from glacierjax.fronts import distance_errors
from glacierjax.fronts.scores import pixels_of
from glacierjax.model.convolution import LAYOUT, Parameters, convolve
from glacierjax.model.folded import doubled
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.tiles import gaussian_importance, stitch

SHAPE = (1500, 1400)
SCENES = 6
CONTEXT_PX, TARGET_PX = 512, 256
FRONT_PX = 6000
STITCHED = (300, 420)
FEATURES = (4, 96, 96, 32)
REPEATS = 3


def wavy_scene(name: str, shape: tuple[int, int], generator: np.random.Generator) -> LabelledScene:
    """Glacier, a wavy front and a sea with bergs, rock above, all under speckle (the hardest to compress)."""
    rows, columns = np.indices(shape)
    waves = sum(shape[1] / (8 * k) * np.sin(k * rows / shape[0] * 9 + generator.uniform(0, 6)) for k in (1, 3, 9))
    zones = np.where(columns > shape[1] / 2 + waves, Zone.OCEAN_ICE_MELANGE, Zone.GLACIER).astype(np.uint8)
    front = (zones == Zone.OCEAN_ICE_MELANGE) & (np.roll(zones, 1, 1) == Zone.GLACIER)
    front[:, 0] = False
    zones[: shape[0] // 10] = Zone.ROCK
    front[: shape[0] // 10] = False
    grey = np.array([0, 120, 170, 60])[zones] * generator.gamma(4, 0.25, shape)
    box = BoundingBox(0, 0, shape[1], shape[0])
    return LabelledScene(parse_name(name), grey.clip(0, 255).astype(np.uint8), zones, front, box)


class StandIn:
    """Replaces a network: returns blobs of all classes at once, so that post-processing has much to do; counts its own time."""

    def __init__(self, generator: np.random.Generator):
        blobs = [ndimage.zoom(generator.random((12, 12)), CONTEXT_PX / 12, order=1) for _ in range(NUM_ZONES)]
        blobs = np.stack(blobs, -1).astype(np.float32)
        self._answer = np.repeat((blobs / blobs.sum(-1, keepdims=True))[None], 4, 0)
        self.seconds = 0.0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        started = time.perf_counter()
        answer = self._answer[: len(images)]
        self.seconds += time.perf_counter() - started
        return answer


def outside_the_network(mode: str) -> tuple[float, float]:
    """Seconds per scene without the network: wall clock, and processor time of all cores."""
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        data_raw = Path(folder) / "data_raw"
        for number in range(SCENES):
            name = f"COL_2012-11-{number + 1:02d}_TDX_7_1_092"
            write_scene(data_raw, "test", wavy_scene(name, SHAPE, generator))
        network = StandIn(generator)
        predictor = Predictor([network], (0,), mode, CONTEXT_PX, 32, {}, [])
        scenes = raw_scenes(str(data_raw), "test")
        wall, processor = time.perf_counter(), time.process_time()
        score_part(scenes, most_probable(predictor), Path(folder) / "out", "Speed", "a stand-in")
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return (wall - network.seconds) / SCENES, (processor - network.seconds) / SCENES


def distances() -> tuple[float, float, float, float]:
    """For two fronts of `FRONT_PX` pixels: seconds of glacierjax and of the full distance matrix, then peak megabytes of both."""
    masks = np.zeros((2, FRONT_PX, 800), bool)
    rows = np.arange(FRONT_PX)
    for mask, phase in zip(masks, (0, 1), strict=True):
        mask[rows, (400 + 300 * np.sin(rows / 400 + phase)).astype(int)] = True

    def full_matrix() -> np.ndarray:
        one, other = map(pixels_of, masks)
        matrix = cdist(one, other)
        return np.concatenate([matrix.min(1), matrix.min(0)])

    def ours() -> np.ndarray:
        return distance_errors(*masks, 1.0)

    np.testing.assert_allclose(ours(), full_matrix(), rtol=1e-12)
    return best_of(ours), best_of(full_matrix), megabytes(ours), megabytes(full_matrix)


def stitching() -> tuple[float, float]:
    """Seconds for stitching overlapping targets: by glacierjax, and by loops over every pixel of every target."""
    generator = np.random.default_rng(0)
    height, width = STITCHED
    places = [(r, c) for r in range(-128, height, 128) for c in range(-128, width, 128)]
    targets = [generator.random((TARGET_PX, TARGET_PX, NUM_ZONES), np.float32) for _ in places]
    tiles = [(r, c, target) for (r, c), target in zip(places, targets, strict=True)]
    weights = gaussian_importance(TARGET_PX)

    def loops() -> np.ndarray:
        total = np.zeros((height, width, NUM_ZONES))
        weight_sum = np.zeros((height, width, 1))
        for row, column, target in tiles:
            for i in range(TARGET_PX):
                for j in range(TARGET_PX):
                    if 0 <= row + i < height and 0 <= column + j < width:
                        total[row + i, column + j] += weights[i, j] * target[i, j]
                        weight_sum[row + i, column + j] += weights[i, j]
        return total / weight_sum

    def ours() -> np.ndarray:
        return stitch(tiles, weights, height, width)

    started = time.perf_counter()
    expected = loops()
    slow = time.perf_counter() - started
    np.testing.assert_allclose(ours(), expected, atol=1e-6)
    return best_of(ours), slow


def gradients_in_a_loop() -> tuple[float, float]:
    """Seconds for gradients of a convolution over four accumulated micro-batches: by glacierjax, and as JAX derives them."""
    generator = np.random.default_rng(0)
    images = jnp.asarray(generator.normal(size=(4, *FEATURES)), jnp.float32)
    kernel = jnp.asarray(generator.normal(size=(3, 3, FEATURES[-1], FEATURES[-1])), jnp.float32)

    def derived(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=LAYOUT)

    def seconds(convolve: Callable[[jax.Array, jax.Array], jax.Array]) -> float:
        gradient = jax.grad(lambda x, kernel: (convolve(x, kernel) ** 2).sum(), (0, 1))

        @jax.jit
        def accumulated(images: jax.Array, kernel: jax.Array) -> jax.Array:
            def add(number: jax.Array, total: jax.Array) -> jax.Array:
                to_x, to_kernel = gradient(images[number], kernel)
                return total + to_kernel + to_x.mean()

            return jax.lax.fori_loop(0, len(images), add, jnp.zeros_like(kernel))

        accumulated(images, kernel).block_until_ready()
        return best_of(lambda: accumulated(images, kernel).block_until_ready())

    return seconds(lambda x, kernel: convolve(x, kernel, (1, 1))), seconds(derived)


def head_in_the_doubling() -> tuple[float, float]:
    """Seconds for the last layers of the network and their gradients: as one convolution, and as three layers."""
    generator = np.random.default_rng(0)

    def normal(*shape: int) -> jax.Array:
        return jnp.asarray(generator.normal(size=shape), jnp.float32)

    width = FEATURES[-1]
    x, up = normal(*FEATURES), (normal(3, 3, width, width), normal(width))
    head = normal(1, 1, width, NUM_ZONES), normal(NUM_ZONES)

    def three_steps(x: jax.Array, up: Parameters, head: Parameters) -> jax.Array:
        y = convolve(x.repeat(2, 1).repeat(2, 2), up[0], (1, 1)) + up[1]
        return convolve(y, head[0], (0, 0)) + head[1]

    def seconds(end: Callable[[jax.Array, Parameters, Parameters], jax.Array]) -> float:
        gradient = jax.jit(jax.grad(lambda *inputs: (end(*inputs) ** 2).mean(), (0, 1, 2)))
        jax.block_until_ready(gradient(x, up, head))
        return best_of(lambda: jax.block_until_ready(gradient(x, up, head)))

    return seconds(doubled), seconds(three_steps)


def best_of(function: Callable[[], object]) -> float:
    """Seconds of the fastest of `REPEATS` calls."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def megabytes(function: Callable[[], object]) -> float:
    """Peak memory of a call in megabytes."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def main() -> None:
    keep_freed_memory()  # as every command does
    logging.getLogger("glacierjax").setLevel(logging.WARNING)
    size = f"{SHAPE[0]} x {SHAPE[1]}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}\n")
    print("| what | glacierjax | alternative | ratio |\n| --- | ---: | ---: | ---: |")
    for mode in ("tiled", "overlap"):
        wall, processor = outside_the_network(mode)
        what = f"a scene of {size}, all but the network, mode {mode}"
        print(f"| {what} | {wall:.2f} s | ({processor:.2f} s of processor time) | |")
    ours, full, ours_mb, full_mb = distances()
    print(f"| distances of {FRONT_PX}-pixel fronts / full matrix | {ours:.4f} s | {full:.3f} s | {full / ours:.1f} |")
    print(f"| the same, memory | {ours_mb:.1f} MB | {full_mb:.0f} MB | {full_mb / ours_mb:.0f} |")
    ours, loops = stitching()
    what = f"stitching {STITCHED[0]} x {STITCHED[1]} with overlap / loops over pixels"
    print(f"| {what} | {ours:.4f} s | {loops:.2f} s | {loops / ours:.0f} |")
    ours, derived = gradients_in_a_loop()
    what = f"gradients of a 3 x 3 convolution of {FEATURES}, four times in a compiled loop / as JAX derives them"
    print(f"| {what} | {ours:.3f} s | {derived:.2f} s | {derived / ours:.0f} |")
    ours, steps = head_in_the_doubling()
    what = f"the last layers on {FEATURES} with gradients, folded into one convolution / in three steps"
    print(f"| {what} | {ours:.3f} s | {steps:.3f} s | {steps / ours:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
