"""Series of fronts whose motion is known: the simulator's true fronts, as a network errs about them, some of them wrong."""

import dataclasses
import datetime

import contourpy
import numpy as np
import shapely

from glacierjax.simulate.archive import landscape_of
from glacierjax.simulate.composition import Plan, lay_ground, plan_scene
from glacierjax.simulate.series import front_position_m, front_shape
from glacierjax.simulate.terrain import Landscape
from glacierjax.terminus.fronts import Front

FAILURES = ("shifted", "jumped", "half", "melange")
GLACIERS = ("Crane", "DBE", "JAC", "Jorum", "SI", "Mapple", "COL")
SPACING_M, SIDE_PX = 60, 130  # of the grid on which the true front is found
FIRST = datetime.date(2012, 1, 1)
USUAL_ERROR_M = (20.0, 80.0)  # mean distance error of a scene
TOLD_WRONG = 0.3  # standard deviation of the logarithm of the error that is told by the true one
SHIFT_M, JUMP_M, MELANGE_M = (500, 900), (2000, 3500), (1200, 2500)


@dataclasses.dataclass(frozen=True, eq=False)
class KnownSeries:
    """`fronts` in metres, and for each its failure ("": none); `plan`: the window in which they are looked at."""

    landscape: Landscape
    plan: Plan
    fronts: list[Front]
    kinds: list[str]

    def true_front(self, date: datetime.date) -> np.ndarray:
        return true_front(self.landscape, self.plan, date)

    @property
    def flow(self) -> np.ndarray:
        """Unit vector (2,) along the fjord."""
        return np.array([np.cos(self.landscape.azimuth), np.sin(self.landscape.azimuth)])


def known_series(glacier: str, seed: int, dates: int, years: float, failed_share: float) -> KnownSeries:
    """A series at random days; each kind of failure is as frequent as the others."""
    landscape = landscape_of(glacier, seed)
    rng = np.random.default_rng([seed, GLACIERS.index(glacier), 7])
    days = np.sort(rng.choice(round(365 * years), dates, replace=False)).tolist()
    wrong = rng.choice(dates, round(dates * failed_share), replace=False).tolist()
    kinds = dict(zip(wrong, list(FAILURES) * dates, strict=False))
    plan = _window(landscape, rng)
    series = KnownSeries(landscape, plan, [], [kinds.get(number, "") for number in range(dates)])
    for number, day in enumerate(days):
        date = FIRST + datetime.timedelta(days=day)
        error_m = float(rng.uniform(*USUAL_ERROR_M))
        line = _err(rng, series.true_front(date), series.flow, error_m)
        line = _fail(rng, line, series.flow, series.kinds[number])
        told_m = error_m * float(np.exp(rng.normal(0, TOLD_WRONG)))
        series.fronts.append(Front(f"{glacier}_{date}_{number}", [line], date, glacier, "S1", error_m=told_m))
    return series


def _window(landscape: Landscape, rng: np.random.Generator) -> Plan:
    """A square around the middle of all fronts."""
    plan = plan_scene(rng, landscape, 1, SIDE_PX)
    x_m, y_m = landscape.world(0.0, 0.0)
    half_m = SPACING_M * SIDE_PX / 2
    scene = dataclasses.replace(plan.id, pixel_spacing_m=SPACING_M)
    corner = {"west_m": x_m - half_m, "north_m": y_m + half_m}
    return dataclasses.replace(plan, id=scene, height_px=SIDE_PX, width_px=SIDE_PX, **corner)


def true_front(landscape: Landscape, plan: Plan, date: datetime.date) -> np.ndarray:
    """The front (n, 2) of a day in metres of the simulated world, glacier on its left, to a part of a pixel."""
    plan = dataclasses.replace(
        plan,
        front_m=front_position_m(landscape, date),
        front_noise=front_shape(landscape.glacier, plan.front_noise, date),
    )
    ground = lay_ground(landscape, plan)
    seaward_m = np.ma.masked_where(ground.fjord.wall_m > 0, ground.seaward_m)
    lines = contourpy.contour_generator(ground.x, ground.y, seaward_m).lines(0.0)
    line = max(lines, key=lambda points: shapely.LineString(points).length)
    flow = np.array([np.cos(landscape.azimuth), np.sin(landscape.azimuth)])
    chord = line[-1] - line[0]
    return line if chord @ (-flow[1], flow[0]) > 0 else line[::-1]


def _err(rng: np.random.Generator, line: np.ndarray, flow: np.ndarray, error_m: float) -> np.ndarray:
    """The line as a network finds it: off along the flow by so much on average, alike in neighbouring places."""
    place = np.linspace(0, 1, len(line))
    knots = np.linspace(0, 1, 6)
    return line + np.interp(place, knots, rng.normal(0, 1.25 * error_m, len(knots)))[:, None] * flow


def _fail(rng: np.random.Generator, line: np.ndarray, flow: np.ndarray, kind: str) -> np.ndarray:
    sign = rng.choice([-1, 1])
    place = np.linspace(0, 1, len(line))
    if kind == "shifted":
        return line + sign * rng.uniform(*SHIFT_M) * flow
    if kind == "jumped":
        return line + sign * rng.uniform(*JUMP_M) * flow
    if kind == "half":
        share = rng.uniform(0.4, 0.6)
        return line[place < share] if sign > 0 else line[place > 1 - share]
    if kind == "melange":  # the front is the edge of the mélange over a part of the width
        on_edge = np.abs(place - rng.uniform(0.25, 0.75)) < rng.uniform(0.2, 0.35)
        return line + rng.uniform(*MELANGE_M) * on_edge[:, None] * flow
    return line
