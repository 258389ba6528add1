"""Trains and scores settings of the real-imagery recipe, each on one glacier and on another that it has not seen.

    python experiments/real_imagery/run.py --data=DATA_RAW --work=FOLDER ARM [ARM ...]

DATA_RAW is the folder of Landsat scenes (`data_raw` layout). Every arm of `settings.py` is trained on JAC and scored on SVE and
the other way round; KAN takes no part. What is done already is not repeated. FOLDER/results.jsonl gets a line for each run.
Run it from the project's root.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from settings import ARMS, BASE

DIRECTIONS = {"jac_to_sve": (("JAC",), ("SVE",)), "sve_to_jac": (("SVE",), ("JAC",))}
MODE = "whole"
NA = "auto"  # as in `make real`: not labelled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data_raw folder of the Landsat scenes")
    parser.add_argument("--work", type=Path, required=True, help="folder for data sets, runs and results")
    parser.add_argument("--direction", choices=DIRECTIONS, action="append", help="default: both")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("arms", nargs="+", choices=ARMS)
    args = parser.parse_args()
    for arm in args.arms:
        for direction in args.direction or DIRECTIONS:
            prepare(args.data, args.work / direction, *DIRECTIONS[direction], ARMS[arm].get("na", NA))
            run(arm, direction, args.work, args.seed)


def prepare(data_raw: Path, folder: Path, train: Sequence[str], test: Sequence[str], na: str = NA) -> None:
    """Links to the scenes of some glaciers as the split train and of others as test, and the data set built from them."""
    data = data_of(folder, na)
    if any(data.glob("caffe/*/*/dataset_info.json")):  # TFDS writes it last
        return
    split_of = dict.fromkeys(train, "train") | dict.fromkeys(test, "test")
    for kind in ("sar_images", "zones", "fronts"):
        for file in (data_raw / kind / "train").iterdir():
            if split := split_of.get(file.name.split("_")[0]):
                link(folder / "data_raw" / kind / split / file.name, file)
    for file in (data_raw / "bounding_boxes").iterdir():
        if file.name.split("_")[0] in split_of:
            link(folder / "data_raw" / "bounding_boxes" / file.name, file)
    call(
        "tfds_builders.build",
        "tfds_builders/caffe",
        f"--data_dir={data}",
        f"--manual_dir={folder / 'data_raw'}",
        f"--na={na}",
    )


def data_of(folder: Path, na: str = NA) -> Path:
    """The data set of a direction, by what NA means in it."""
    return folder / ("data" if na == NA else f"data_{na}")


def link(path: Path, target: Path) -> None:
    if not path.is_symlink():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target.resolve())


def run(arm: str, direction: str, work: Path, seed: int) -> None:
    """Trains and scores one arm in one direction, and notes the result."""
    workdir = work / direction / f"{arm}-{seed}"
    metrics_file = workdir / "report" / "metrics.json"
    if metrics_file.exists():
        return
    settings = dict(ARMS[arm])
    program, na = settings.pop("program", "glacierjax.train"), settings.pop("na", NA)
    config = BASE | {"seed": seed, "data.dir": str(data_of(work / direction, na))}
    config |= settings
    started = time.monotonic()
    flags = [f"--config.{key}={value}" for key, value in config.items()]
    call(program, "--config=configs/finetune_caffe.py", f"--workdir={workdir}", *flags)
    seconds = time.monotonic() - started
    if program == "glacierjax.train":  # the peer scores itself
        report = f"--output={metrics_file.parent}"
        call("glacierjax.evaluate", f"--checkpoint={workdir}", "--which=last", f"--mode={MODE}", report)
    note(arm, direction, work, seed, MODE, seconds, metrics_file)


def note(arm: str, direction: str, work: Path, seed: int, mode: str, seconds: float, metrics_file: Path) -> None:
    metrics = json.loads(metrics_file.read_text())
    errors_px = [scene["mde_px"] for scene in metrics["per_scene"].values() if scene["mde_px"] is not None] or None
    line = {
        "arm": arm,
        "direction": direction,
        "seed": seed,
        "mode": mode,
        "mde_px": errors_px and round(metrics["mde_px"], 3),
        "scene_mean_px": errors_px and round(statistics.mean(errors_px), 3),
        "scene_median_px": errors_px and round(statistics.median(errors_px), 3),
        "worst_px": errors_px and round(max(errors_px), 1),
        "missing": metrics["missing_fronts"],
        "seconds": round(seconds),
    }
    print(json.dumps(line), flush=True)
    with (work / "results.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def call(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, env=os.environ, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
