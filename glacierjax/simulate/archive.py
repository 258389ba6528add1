"""Archives: scenes in the layout and with the names in which CaFFe is published (doi 10.1594/PANGAEA.940950)."""

import dataclasses
import datetime
import functools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glacierjax.core.errors import ArgumentError
from glacierjax.core.files import new_folder
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.writer import write_scene
from glacierjax.simulate.composition import Plan, front_position_m, lay_ground, plan_scene
from glacierjax.simulate.new_glaciers import made_new
from glacierjax.simulate.sar import take_image
from glacierjax.simulate.scene import take_scene
from glacierjax.simulate.series import simulate_series
from glacierjax.simulate.surfaces import make_surface
from glacierjax.simulate.terrain import Landscape, make_landscape

GLACIERS = {"train": ("Crane", "DBE", "JAC", "Jorum", "SI"), "test": ("Mapple", "COL")}  # as CaFFe is split
_ALL = tuple(name for names in GLACIERS.values() for name in names)
# A series needs its neighbours in its own split, so one glacier is there for validation.
SERIES_GLACIERS = {"train": ("Crane", "DBE", "JAC", "Jorum"), "val": ("SI",), "test": ("Mapple", "COL")}
NEW_GLACIERS = ("Kronebreen", "Tunabreen", "Nathorstbreen")
# Benchmark: the test scenes are of other glaciers than the training scenes; new: of the same, none of which is the benchmark's.
KINDS = {"benchmark": GLACIERS, "new": {"train": NEW_GLACIERS, "test": NEW_GLACIERS}}
DEFAULT_SCENES = 48
DEFAULT_SIZE_PX = 420
SIZES_PX = (192, 4 * DEFAULT_SIZE_PX)
_SCENES = (2, 10_000)
_DATES = (0, 60)  # one a month, while there are satellites
# Independent random numbers below one seed, of the benchmark's glaciers and of new ones.
_STREAMS = {
    "benchmark": {"landscape": 0, "train": 1, "test": 2, "north": 3, "series": 4},
    "new": {"landscape": 40, "train": 41, "test": 42, "north": 43, "new": 44},
}
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)  # multiples of it spread evenly around the circle
MIDSUMMER = (7, 15)  # month and day; new glaciers are in the north
_ATTEMPTS = 200  # at a window; each succeeds more often than not

# The function `map`, or that of a pool of processes: calls (function, values).
MapJobs = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


@dataclasses.dataclass(frozen=True)
class ArchiveOptions:
    """What to simulate. `size` is the longest side in pixels; a quarter of `scenes` (at least one) is the test split.

    `glaciers`: a key of `KINDS`, those of the benchmark or new ones (`glacierjax.simulate.new_glaciers`).

    `dates`: above 0 there is instead a series of so many scenes of each glacier of `SERIES_GLACIERS`, and `size` limits those
    of the coarsest sensor.

    More scenes leave the first ones as they are. Raises `InputError` naming the flag of a value out of range.
    """

    seed: int = 0
    scenes: int = DEFAULT_SCENES
    size: int = DEFAULT_SIZE_PX
    glaciers: str = next(iter(KINDS))
    dates: int = 0

    def __post_init__(self):
        if self.seed < 0:
            raise ArgumentError("seed", self.seed, "choose a seed of 0 or more")
        limits = (("scenes", self.scenes, _SCENES), ("size", self.size, SIZES_PX), ("dates", self.dates, _DATES))
        for flag, value, (low, high) in limits:
            if not low <= value <= high:
                raise ArgumentError(flag, value, f"choose {low} to {high}")
        if self.glaciers not in KINDS:
            raise ArgumentError("glaciers", self.glaciers, f"choose {' or '.join(KINDS)}")
        if self.dates and self.glaciers != next(iter(KINDS)):
            raise ArgumentError("dates", self.dates, "series are of the benchmark's glaciers; leave out `glaciers`")

    def scenes_of(self, split: str) -> int:
        test = max(1, self.scenes // 4)
        return test if split == "test" else self.scenes - test


class _Job(NamedTuple):
    """What one process simulates at a time: a scene, or of series all dates of a glacier, which share a window."""

    split: str
    glacier: str
    number: int


def simulate(options: ArchiveOptions, map_jobs: MapJobs = map) -> Iterator[tuple[str, LabelledScene]]:
    """The scenes of an archive, one after the other, each with its split ("train", "test"; of series also "val").

    `map_jobs` may be the `map` of a pool of processes; the scenes are the same.
    """
    glaciers_of = SERIES_GLACIERS if options.dates else KINDS[options.glaciers]
    jobs = [
        _Job(split, glaciers[index % len(glaciers)], index)
        for split, glaciers in glaciers_of.items()
        for index in range(len(glaciers) if options.dates else options.scenes_of(split))
    ]
    for job, scenes in zip(jobs, map_jobs(functools.partial(_simulate_job, options), jobs), strict=True):
        for scene in scenes:
            yield job.split, scene


def _simulate_job(options: ArchiveOptions, job: _Job) -> list[LabelledScene]:
    landscape, streams = landscape_of(job.glacier, options.seed), _STREAMS[options.glaciers]
    if options.dates:
        seed = (options.seed, streams["series"], _ALL.index(job.glacier))
        return simulate_series(landscape, seed, options.dates, options.size)
    rng = np.random.default_rng([options.seed, streams[job.split], job.number])
    return [simulate_scene(rng, landscape, job.number + 1, options.size)]


@functools.lru_cache(maxsize=len(_ALL))
def landscape_of(glacier: str, seed: int) -> Landscape:
    """The landscape of a glacier, the same for all its scenes. The glaciers of an archive face different ways."""
    is_new = glacier in NEW_GLACIERS
    streams = _STREAMS["new" if is_new else "benchmark"]
    glaciers = NEW_GLACIERS if is_new else _ALL
    north = np.random.default_rng([seed, streams["north"]]).uniform(0, 2 * np.pi)
    order = glaciers.index(glacier)
    rng = np.random.default_rng([seed, streams["landscape"], order])
    landscape = make_landscape(rng, glacier, north + order * GOLDEN_ANGLE)
    return made_new(np.random.default_rng([seed, streams["new"], order]), landscape, order) if is_new else landscape


def simulate_scene(rng: np.random.Generator, landscape: Landscape, number: int, longest_side_px: int) -> LabelledScene:
    """One scene of a glacier. `number` (1, 2, ...) makes its name unique; `rng` decides everything else."""
    for _ in range(_ATTEMPTS):
        plan = plan_scene(rng, landscape, number, longest_side_px)
        scene = take_scene(rng, landscape, plan)
        if scene is not None:
            return with_priors(rng, landscape, plan, scene) if landscape.glacier in NEW_GLACIERS else scene
    raise RuntimeError(f"no window of {landscape.glacier} shows its front; please report this with the flags used")


def with_priors(rng: np.random.Generator, landscape: Landscape, plan: Plan, scene: LabelledScene) -> LabelledScene:
    """The scene with what would be known of a new glacier without labels: its rock, and the same window in the nearest summer."""
    days = [datetime.date(plan.id.date.year + years, *MIDSUMMER) for years in (-1, 0, 1)]
    day = min(days, key=lambda day: abs(day - plan.id.date))
    summer = dataclasses.replace(
        plan,
        id=dataclasses.replace(plan.id, date=day),
        front_m=front_position_m(landscape, day),
        front_noise=(rng.uniform(0, 500), rng.uniform(0, 500)),
        is_winter=False,
    )
    ground = lay_ground(landscape, summer)
    image, _ = take_image(rng, summer, ground, make_surface(rng, landscape, summer, ground))
    rock = lay_ground(landscape, plan).zones[plan.window] == Zone.ROCK  # in shadow too
    return dataclasses.replace(scene, rock=rock, summer=image)


def write_archive(output: str | os.PathLike, options: ArchiveOptions, map_jobs: MapJobs = map) -> dict[str, int]:
    """Writes `output/data_raw` atomically; returns the number of scenes of each split. `map_jobs`: as of `simulate`.

    Raises `InputError` when `data_raw` exists and is not empty, or when it cannot be written.
    """
    target = Path(output) / "data_raw"
    counts = dict.fromkeys(SERIES_GLACIERS if options.dates else GLACIERS, 0)
    with new_folder(target) as folder:
        for split, scene in simulate(options, map_jobs):
            write_scene(folder, split, scene)
            counts[split] += 1
    return counts
