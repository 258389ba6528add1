"""Measures campaigns of 200,000 tasks with a stand-in for the networks: plan, run, restart, status.

  python benchmarks/campaign.py                       (planner, restart after 150,000, status; minutes)
  python benchmarks/campaign.py --workers=2 --tasks=20000       (overhead of a task with Dask's workers)

The scenes are a list with bounds that no file belongs to; a task does nothing but write its record and its events.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet

from glacierjax.campaign import settings as settings_module
from glacierjax.campaign.plan import plan_campaign
from glacierjax.campaign.run import engine_for, run_campaign
from glacierjax.campaign.settings import GLACIERS, CampaignSettings
from glacierjax.campaign.status import status_of
from glacierjax.campaign.tasks import Plan, Task
from glacierjax.geo.vectors import polygon_feature, write_geojson
from glacierjax.prediction.ensemble import Predictor
from glacierjax.prediction.records import Record, states_of, write_record

PLACES = 147  # glaciers of the Svalbard product of 2026
SIDE_DEG, STEP_DEG = 0.1, 0.5
SPACING_M = 10.0


def only_record(plan: Plan, task: Task, output: Path) -> None:
    """A task that leaves a record of a scene without a front, as a run looks for it when it starts again."""
    folder = output / GLACIERS / task.glacier
    row = {"scene": task.name, "georeferenced": False, "front_lines": 0, "quality": "", "date": str(task.date)}
    write_record(folder, Record(states_of(task.sources[0], folder), row, [], "stand-in"))


def use_no_network() -> None:
    """Plans need only the facts of a network."""
    settings_module.open_predictor = lambda *arguments: Predictor(
        [lambda images: np.zeros((*images.shape, 4), np.float32)], (0,), "overlap", 64, 32, None, ["stand-in"]
    )


def write_inputs(folder: Path, tasks: int) -> tuple[Path, Path]:
    """A table of glaciers and a list of links, each over one glacier."""
    import shapely

    corners = [(STEP_DEG * (i % 20), 76 + STEP_DEG * (i // 20)) for i in range(PLACES)]
    boxes = [shapely.box(west, south, west + SIDE_DEG, south + SIDE_DEG) for west, south in corners]
    glaciers = folder / "glaciers.geojson"
    write_geojson(glaciers, [polygon_feature(box, {"id": f"G{i:03}"}) for i, box in enumerate(boxes)])
    rows = []
    for number in range(tasks):
        west, south = corners[number % PLACES]
        day = np.datetime64("2014-10-03") + number // PLACES
        rows.append(
            {
                "path": f"https://nowhere.invalid/{number % PLACES}/S1A_{str(day).replace('-', '')}_{number}.tif",
                "west": west - 0.05,
                "south": south - 0.05,
                "east": west + SIDE_DEG + 0.05,
                "north": south + SIDE_DEG + 0.05,
                "pixel_spacing_m": SPACING_M,
            }
        )
    scenes = folder / "scenes.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), scenes)
    return glaciers, scenes


def timed(what: str, function: Callable[[], object]) -> float:
    started, on_core = time.perf_counter(), time.process_time()
    function()
    seconds, busy = time.perf_counter() - started, time.process_time() - on_core
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{what}: {seconds:.1f} s, {busy:.1f} s of a core (peak memory so far {peak_gib:.2f} GiB)", flush=True)
    return busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--tasks", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=0, help="processes of Dask; 0: this process")
    arguments = parser.parse_args()
    tasks, done_before = arguments.tasks, arguments.tasks * 3 // 4
    use_no_network()
    with tempfile.TemporaryDirectory() as name, engine_for("", arguments.workers) as engine:
        folder = Path(name)
        glaciers, scenes = write_inputs(folder, tasks)
        plan, out = folder / "plan", folder / "out"
        settings = CampaignSettings(("stand-in",))
        timed(f"plan of {tasks} tasks", lambda: plan_campaign(glaciers, [str(scenes)], plan, settings))
        quarters = [(i, 4) for i in (1, 2, 3)]
        seconds = timed(
            f"{done_before} tasks",
            lambda: [run_campaign(plan, out, engine, shard, work=only_record) for shard in quarters],
        )
        print(
            f"overhead: {1000 * seconds / done_before:.2f} ms of a core for each task in the process that hands them out"
        )
        first: list[float] = []

        def note_first(plan: Plan, task: Task, output: Path) -> None:
            if not first:
                first.append(time.process_time())
            only_record(plan, task, output)

        begun = time.process_time()
        work = only_record if arguments.workers else note_first
        left = f"restart and the other {tasks - done_before} tasks"
        timed(left, lambda: run_campaign(plan, out, engine, work=work))
        for moment in first:
            print(f"restart: the first task that is left begins after {moment - begun:.1f} s of a core")
        timed(f"status of {tasks} tasks", lambda: print(status_of(out)))


if __name__ == "__main__":
    main()
