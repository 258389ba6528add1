"""Measures the input pipeline of pretraining: how fast a process cuts pairs of crops out of full-size scenes.

    python benchmarks/pairs.py [--seconds=5] [--folder=SCRATCH]

Scenes of 1500 x 1400 pixels with 14 optical bands, crops of 512. Prints Markdown: crops per second of one process and of its
parts, of the whole pipeline with threads and with worker processes, its memory, and of one process that also resizes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glacierjax.core.settings import PairAugmentSettings, PairDataSettings
from glacierjax.data.image_file import write_images
from glacierjax.data.pairs import PairSource
from glacierjax.data.pipeline import batches
from glacierjax.data.scene_pairs import ScenePairs, pair_up
from glacierjax.datasets.ssl4sar.optical import BANDS

SCENES, IMAGES, SHAPE, BATCH = 24, 4, (1400, 1500), 32


def make_pairs(folder: Path) -> ScenePairs:
    """Scenes of noise: the content makes no difference to the speed."""
    rng = np.random.default_rng(0)
    glaciers = [f"G{i}" for i in range(IMAGES)]
    ids = [(f"S1_{glaciers[i % IMAGES]}_{i}", glaciers[i % IMAGES]) for i in range(SCENES)]
    sar = (rng.integers(0, 256, SHAPE, np.uint8) for _ in range(SCENES))
    optical = (rng.integers(0, 256, (*SHAPE, len(BANDS)), np.uint8) for _ in range(IMAGES))
    return pair_up(
        ids,
        write_images(sar, folder / "sar.bin", SCENES, "scenes"),
        write_images(optical, folder / "optical.bin", IMAGES, "optical images"),
        glaciers,
    )


def rate(work: Callable[[int], object], seconds: float) -> float:
    """Calls `work(0)`, `work(1)`, ... per second, after a warm-up."""
    for i in range(10):
        work(i)
    started = time.perf_counter()
    count = 0
    while time.perf_counter() - started < seconds:
        work(count)
        count += 1
    return count / (time.perf_counter() - started)


def pipeline_rate(source: PairSource, workers: int, seconds: float) -> float:
    """Crops per second of the whole pipeline, including batching."""
    with batches(source, 0, workers) as stream:
        for _ in range(3):
            next(stream)
        return BATCH * rate(lambda _: next(stream), seconds)


def memory_mib(pid: int | str) -> tuple[int, int]:
    """Memory of a process in MiB: (its own, shared with the file cache)."""
    fields = dict(line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "kB" in line)
    own, file = (int(fields[key].split()[0]) // 1024 for key in ("RssAnon", "RssFile"))
    return own, file


def worker_memory(source: PairSource) -> tuple[int, int]:
    """Memory of the one worker process of a pipeline while it runs."""
    with batches(source, 0, 1) as stream:
        for _ in range(12):
            next(stream)
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True)
        memories = [memory_mib(pid) for pid in children.stdout.split() if Path(f"/proc/{pid}/status").exists()]
    return max(memories)


def resized_on_host(sample: dict[str, np.ndarray]) -> np.ndarray:
    """Resizing on the host instead of the accelerator: SciPy's cubic splines, band by band."""
    from scipy import ndimage

    top, left, side = sample["square"]
    square = sample["optical"][top : top + side, left : left + side]
    zoom = sample["optical"].shape[0] / side
    return np.stack([ndimage.zoom(square[..., b], zoom, order=3) for b in range(square.shape[2])], -1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="Length of each measurement.")
    parser.add_argument("--folder", help="Where to put 160 MB of scenes; default: a temporary folder.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        pairs = make_pairs(Path(folder))
        source = PairSource(pairs, PairDataSettings(), PairAugmentSettings(), 0, BATCH, 0, BATCH, 10**6)
        inside = pairs.size(0)[0] // 4
        rows = [
            ("one process, whole sample", rate(source.__getitem__, options.seconds)),
            ("- SAR crop alone", rate(lambda i: pairs.sar.crop(i % SCENES, inside, inside, 512, 512), options.seconds)),
            (
                "- optical crop, inside the scene",
                rate(lambda i: pairs.optical.crop(i % IMAGES, inside, inside, 512, 512), options.seconds),
            ),
            (
                "- optical crop, half beyond the border",
                rate(lambda i: pairs.optical.crop(i % IMAGES, -256, -256, 512, 512), options.seconds),
            ),
            ("pipeline, threads", pipeline_rate(source, 0, options.seconds)),
            ("pipeline, 1 worker process", pipeline_rate(source, 1, options.seconds)),
            ("pipeline, 2 worker processes", pipeline_rate(source, 2, options.seconds)),
            ("one process that also resizes on the host", rate(lambda i: resized_on_host(source[i]), options.seconds)),
        ]
        print(
            f"{os.cpu_count()} cores, scenes of {SHAPE[1]} x {SHAPE[0]} px with {len(BANDS)} bands, crops of 512 px\n"
        )
        print("| measured | crops per second |\n| --- | --- |")
        for name, value in rows:
            print(f"| {name} | {value:.0f} |")
        own, file = worker_memory(source)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"\nWorker process: {own} MiB of its own, {file} MiB shared with the file cache; batches of {BATCH}.")
        print(f"Training process: peak {peak} MiB, the benchmark's own scenes included.")


if __name__ == "__main__":
    sys.exit(main())
