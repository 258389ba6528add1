"""A simulated SSL4SAR archive: many SAR scenes of one window of each glacier, and one optical image of it.

Published layout (`glacierjax.datasets.ssl4sar.archive`). Landscapes, windows and days are others than in the simulated CaFFe
archive, also where both know a glacier by the same name: nothing of CaFFe's test scenes is seen here.
"""

import dataclasses
import datetime
import functools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from glacierjax.core.errors import ArgumentError
from glacierjax.core.files import new_folder
from glacierjax.core.scene_names import SceneId
from glacierjax.core.zones import Zone
from glacierjax.datasets.ssl4sar.archive import SAR_FOLDERS
from glacierjax.datasets.ssl4sar.optical import Grid
from glacierjax.datasets.ssl4sar.writer import write_optical_image, write_sar_scene
from glacierjax.simulate.archive import DEFAULT_SIZE_PX, GOLDEN_ANGLE, SIZES_PX, MapJobs
from glacierjax.simulate.composition import Plan, front_position_m, lay_ground, sea_leaves_scene
from glacierjax.simulate.optical import take_optical_image
from glacierjax.simulate.sar import take_image
from glacierjax.simulate.sensors import Sensor
from glacierjax.simulate.surfaces import make_surface
from glacierjax.simulate.terrain import Landscape, make_landscape

GLACIERS = ("COL", "JAC", "Hubbard", "Kongsbreen", "Upernavik", "Petermann")  # Arctic, as SSL4SAR's
DEFAULT_SCENES = 36
_SCENES = (2 * len(GLACIERS), 100_000)  # a first round of all glaciers for training, one for validation
_SENSOR = Sensor("S1", (20, 12), (2015, 2024), 7.0, (30, 45))
_OPTICAL_DAY = datetime.date(2020, 8, 1)
_SIDE_M = 6000.0  # of a window, unless that is more pixels than allowed
_VALIDATION_PART = 6  # every sixth scene
_STREAMS = {"landscape": 20, "window": 21, "sar": 22, "optical": 23, "north": 24}  # others than the CaFFe archive's
_UTM = "EPSG:32606"
_UTM_ORIGIN_M = (500_000.0, 6_700_000.0)
_ATTEMPTS = 200
_MIN_SHARE = 0.08  # of the window that is sea


@dataclasses.dataclass(frozen=True)
class Ssl4SarOptions:
    """What to simulate: `scenes` SAR scenes in all (0: none), a sixth of them validation; `size` the longest side in pixels.

    More scenes leave the first ones as they are. Raises `InputError` naming the flag of a value out of range.
    """

    seed: int = 0
    scenes: int = DEFAULT_SCENES
    size: int = DEFAULT_SIZE_PX

    def __post_init__(self):
        low, high = _SCENES
        if self.scenes and not low <= self.scenes <= high:
            raise ArgumentError("ssl_scenes", self.scenes, f"choose {low} to {high}, or 0 for none")
        low, high = SIZES_PX
        if not low <= self.size <= high:
            raise ArgumentError("size", self.size, f"choose {low} to {high}")


@dataclasses.dataclass(frozen=True, eq=False)
class Window:
    """One glacier as this archive shows it: always the same ground, in pixels of `spacing_m` metres."""

    landscape: Landscape
    height_px: int
    width_px: int
    west_m: float
    north_m: float
    spacing_m: int

    @property
    def grid(self) -> Grid:
        east, north = _UTM_ORIGIN_M
        transform = (self.spacing_m, 0.0, east + self.west_m, 0.0, -self.spacing_m, north + self.north_m)
        return Grid(self.height_px, self.width_px, _UTM, tuple(map(float, transform)))


def windows(options: Ssl4SarOptions) -> list[Window]:
    """The window of each glacier, in the order of `GLACIERS`."""
    return [window_of(options, number) for number in range(len(GLACIERS))]


def simulate_sar(
    options: Ssl4SarOptions, map_jobs: MapJobs = map
) -> Iterator[tuple[str, str, UInt8[np.ndarray, "height width"]]]:
    """(split, name, grey values (H, W) uint8) of the SAR scenes, the glaciers in turn. `map_jobs`: as of `simulate`."""
    yield from map_jobs(functools.partial(_simulate_sar_scene, options), range(options.scenes))


def _simulate_sar_scene(options: Ssl4SarOptions, number: int) -> tuple[str, str, UInt8[np.ndarray, "height width"]]:
    window = window_of(options, number % len(GLACIERS))
    rng = np.random.default_rng([options.seed, _STREAMS["sar"], number])
    first = datetime.date(_SENSOR.years[0], 1, 1)
    day = first + datetime.timedelta(days=int(rng.integers((_SENSOR.years[1] - _SENSOR.years[0] + 1) * 365)))
    plan = _plan(rng, window, day, number)
    ground = lay_ground(window.landscape, plan)
    image, _ = take_image(rng, plan, ground, make_surface(rng, window.landscape, plan, ground))
    # A round of all glaciers is validation after every five for training.
    split = "val" if number // len(GLACIERS) % _VALIDATION_PART == 1 else "train"
    return split, f"S1_{window.landscape.glacier}_{day:%Y%m%d}_{number:05d}", image


def simulate_optical(options: Ssl4SarOptions, window: Window) -> Float32[np.ndarray, "20 height width"]:
    """Bands (20, H, W) float32 of a glacier's window on a summer day."""
    rng = np.random.default_rng([options.seed, _STREAMS["optical"], GLACIERS.index(window.landscape.glacier)])
    plan = _plan(rng, window, _OPTICAL_DAY, 0)
    ground = lay_ground(window.landscape, plan)
    surface = make_surface(rng, window.landscape, plan, ground)
    return take_optical_image(rng, window.landscape, plan, ground, surface)


def write_ssl4sar(output: str | os.PathLike, options: Ssl4SarOptions, map_jobs: MapJobs = map) -> dict[str, int]:
    """Writes `output/ssl4sar` atomically; returns the number of SAR scenes of each split. `map_jobs`: as of `simulate`.

    Raises `InputError` when it exists and is not empty, or when it cannot be written.
    """
    counts = dict.fromkeys(SAR_FOLDERS, 0)
    with new_folder(Path(output) / "ssl4sar") as folder:
        for split, name, image in simulate_sar(options, map_jobs):
            write_sar_scene(folder, split, name, image)
            counts[split] += 1
        for window in windows(options):
            bands = simulate_optical(options, window)
            write_optical_image(folder, window.landscape.glacier, _OPTICAL_DAY.year, bands, window.grid)
    return counts


@functools.lru_cache(maxsize=len(GLACIERS))  # a landscape is 8 MB, too much to be sent to a process with each scene
def window_of(options: Ssl4SarOptions, number: int) -> Window:
    """The window of the glacier `GLACIERS[number]`: sea and land have their share at the mean position of the front."""
    north = np.random.default_rng([options.seed, _STREAMS["north"]]).uniform(0, 2 * np.pi)
    rng = np.random.default_rng([options.seed, _STREAMS["landscape"], number])
    landscape = make_landscape(rng, GLACIERS[number], north + number * GOLDEN_ANGLE)
    rng = np.random.default_rng([options.seed, _STREAMS["window"], number])
    spacing = _SENSOR.pixel_spacings_m[number % len(_SENSOR.pixel_spacings_m)]
    for _ in range(_ATTEMPTS):
        longest = min(_SIDE_M / spacing, options.size)
        height, width = (int(longest * side) for side in rng.permutation([1.0, rng.uniform(0.85, 1.0)]))
        extent_m = min(height, width) * spacing
        along = landscape.front_m + rng.uniform(-0.25, 0.25) * extent_m
        x, y = landscape.world(along, rng.uniform(-0.12, 0.12) * extent_m)
        window = Window(landscape, height, width, x - width / 2 * spacing, y + height / 2 * spacing, spacing)
        plan = _plan(rng, window, _OPTICAL_DAY, 0)
        zones = lay_ground(landscape, plan).zones[plan.window]
        if _MIN_SHARE < (zones == Zone.OCEAN_ICE_MELANGE).mean() < 1 - _MIN_SHARE and sea_leaves_scene(zones):
            return window
    raise RuntimeError(f"no window of {landscape.glacier} shows its front; please report this with the flags used")


def _plan(rng: np.random.Generator, window: Window, day: datetime.date, number: int) -> Plan:
    """How the window was taken on a day; the front of the day is the landscape's."""
    glacier = window.landscape.glacier
    scene = SceneId(f"{glacier}_{number}", glacier, day, _SENSOR.name, window.spacing_m, 1, str(number))
    return Plan(
        id=scene,
        sensor=_SENSOR,
        height_px=window.height_px,
        width_px=window.width_px,
        west_m=window.west_m,
        north_m=window.north_m,
        looks_east=bool(rng.random() < 0.5),
        incidence=np.deg2rad(rng.uniform(*_SENSOR.incidence_deg)),
        front_m=front_position_m(window.landscape, day),
        front_noise=(rng.uniform(0, 500), rng.uniform(0, 500)),
        front_roughness_m=rng.uniform(35, 90),
        is_winter=not 4 <= day.month <= 8,
    )
