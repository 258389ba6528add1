"""Runs one campaign by one process and by two workers of Dask: the same files byte for byte, the speed-up, and what kills do.

  python benchmarks/campaign_workers.py --checkpoint=demo/run                 (200 simulated scenes of ten glaciers)
  python benchmarks/campaign_workers.py --checkpoint=demo/run --worker_kills=10 --run_kills=2

Each process of a run has one core, the single one too, so the machine needs two that are idle. With kills a third run is
disturbed: workers die, then the whole run with its scheduler, and it is started again until it is complete.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
from speed import wavy_scene

from glacierjax.campaign.journal import DONE, JOURNAL, STARTED
from glacierjax.geo.georeference import Georeference, crs_from_user
from glacierjax.geo.rasters import RasterLook, write_raster
from glacierjax.geo.registration import Footprint
from glacierjax.geo.vectors import polygon_feature, write_geojson

GLACIERS, DATES, SIDE_PX = 10, 20, 320
SPACING_M, STEP_M = 20.0, 50_000.0
INNER = 0.8  # of a scene's side, what the area of its glacier covers
CRS = "EPSG:32633"
WORKERS = 2


def write_inputs(folder: Path, dates: int) -> None:
    """GeoTIFFs of glaciers that lie far from each other, and the table of their areas."""
    generator = np.random.default_rng(0)
    features = []
    for number in range(GLACIERS):
        place = Georeference(
            crs_from_user(CRS, "grid"), (SPACING_M, 0, 400_000 + STEP_M * number, 0, -SPACING_M, 8_600_000)
        )
        for date in range(dates):
            name = f"Sim{number}_{2015 + date // 12}-{1 + date % 12:02}-01_S1_20_1_001"
            image = wavy_scene(name, (SIDE_PX, SIDE_PX), generator).image
            write_raster(folder / "scenes" / f"{name}.tif", image, place, RasterLook("grey"))
        edge = int(SIDE_PX * (1 - INNER) / 2)
        inside = Footprint(place.moved(edge, edge), (SIDE_PX - 2 * edge, SIDE_PX - 2 * edge)).on_earth().geoms[0]
        features.append(polygon_feature(inside, {"id": f"Sim{number}", "region": "simulated"}))
    write_geojson(folder / "glaciers.geojson", features)


def command(name: str, *flags: str) -> list[str]:
    return [sys.executable, "-m", f"glacierjax.{name}", *flags]


def run_flags(folder: Path, output: str, processes: int) -> list[str]:
    return command("run", f"--plan={folder / 'plan'}", f"--output={folder / output}", f"--processes={processes}")


def timed_run(folder: Path, output: str, processes: int) -> tuple[float, float]:
    """Seconds a scene once each process has done its first one (which compiles), and seconds of the whole command."""
    cores = sorted(os.sched_getaffinity(0))[: max(processes, 1)]
    arguments = ["taskset", "-c", ",".join(map(str, cores)), *run_flags(folder, output, processes)]
    started = time.perf_counter()
    subprocess.run(arguments, check=True)
    whole = time.perf_counter() - started
    events = sorted(events_of(folder / output), key=lambda event: event["t"])
    ready = max(
        min(event["t"] for event in own if event["event"] == DONE)
        for own in ([e for e in events if e["process"] == name] for name in {e["process"] for e in events})
        if any(event["event"] == DONE for event in own)
    )
    after = [event for event in events if event["event"] == DONE and event["t"] > ready]
    return (after[-1]["t"] - ready) / len(after), whole


def events_of(output: Path) -> list[dict]:
    files = (output / JOURNAL).glob("*.jsonl")
    return [{**json.loads(line), "process": path.stem} for path in files for line in path.read_text().splitlines()]


def results_of(output: Path) -> dict[str, bytes]:
    """Every file of the glaciers, and the products but the page of paths; not what a killed process had not finished."""
    files = [path for part in ("glaciers", "fronts", "stac") for path in (output / part).rglob("*") if path.is_file()]
    kept = [path for path in files if not path.name.startswith(".")]
    return {path.relative_to(output).as_posix(): path.read_bytes() for path in kept}


def compare(one: Path, other: Path) -> str:
    first, second = results_of(one), results_of(other)
    differ = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    return f"{len(first)} files, {len(differ)} differ{': ' + ', '.join(differ[:5]) if differ else ''}"


def workers_of(run: int) -> list[psutil.Process]:
    """The worker processes of a run."""
    children = psutil.Process(run).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def disturbed_run(folder: Path, output: str, worker_kills: int, run_kills: int, tasks: int) -> None:
    """Kills workers one after the other while they work, and the run itself in between; starts it again until it ends well."""
    generator, killed = np.random.default_rng(1), Counter()
    kills = ["worker"] * worker_kills
    for place in np.linspace(0, worker_kills, run_kills + 2)[1:-1].astype(int)[::-1]:
        kills.insert(place, "run")
    for start in range(run_kills + 2):
        with subprocess.Popen(run_flags(folder, output, WORKERS)) as process:
            while process.poll() is None and kills:
                done = sum(event["event"] == DONE for event in events_of(folder / output))
                if done < tasks * (sum(killed.values()) + 1) / (worker_kills + run_kills + 2):
                    time.sleep(0.1)
                    continue
                kind = kills.pop(0)
                found = workers_of(process.pid) if kind == "worker" else [psutil.Process(process.pid)]
                if not found:
                    kills.insert(0, kind)
                    continue
                os.kill(int(generator.choice([one.pid for one in found])), signal.SIGKILL)
                killed[kind] += 1
                if kind == "run":
                    break
            if process.wait() == 0:
                print(f"complete after {start + 1} starts; killed: {dict(killed)}", flush=True)
                break
    starts = Counter(event["task"] for event in events_of(folder / output) if event["event"] == STARTED)
    again = sum(starts.values()) - len(starts)
    at_most = killed["worker"] + WORKERS * killed["run"]
    print(f"{len(starts)} tasks, started again: {again}; in work when something was killed: at most {at_most}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--dates", type=int, default=DATES, help="scenes of each glacier")
    parser.add_argument("--worker_kills", type=int, default=0)
    parser.add_argument("--run_kills", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, arguments.dates)
        plan = [f"--glaciers={folder / 'glaciers.geojson'}", f"--scenes={folder / 'scenes'}"]
        checkpoint = f"--checkpoint={arguments.checkpoint}"
        subprocess.run(command("plan", *plan, checkpoint, f"--output={folder / 'plan'}"), check=True)
        (one, one_whole), (two, two_whole) = timed_run(folder, "one", 0), timed_run(folder, "two", WORKERS)
        print(f"one process {one:.3f} s a scene, {WORKERS} workers {two:.3f} s a scene: speed-up {one / two:.2f}")
        print(f"with start and products {one_whole:.0f} s and {two_whole:.0f} s: {one_whole / two_whole:.2f}")
        print(f"one process and {WORKERS} workers: {compare(folder / 'one', folder / 'two')}", flush=True)
        if arguments.worker_kills or arguments.run_kills:
            tasks = GLACIERS * arguments.dates
            disturbed_run(folder, "killed", arguments.worker_kills, arguments.run_kills, tasks)
            print(f"one process and the killed run: {compare(folder / 'one', folder / 'killed')}")


if __name__ == "__main__":
    main()
