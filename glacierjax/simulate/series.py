"""Series: many dates of a glacier on one grid, from several sensors; mélange hides the front in winter.

Where the front stands follows the year: it stands still in winter, retreats in spring and advances in autumn. Its shape
changes with what calves, which is little in winter. So a front that mélange hides can be known from scenes some weeks or
months away, but not from the scene alone.
"""

import dataclasses
import datetime

import numpy as np

from glacierjax.core.scene_names import parse_name
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.simulate.composition import SIDE_M, Plan, hemisphere_of
from glacierjax.simulate.scene import shows_front, take_scene
from glacierjax.simulate.terrain import FRONT_RANGE_M, Landscape

DAYS_BETWEEN = 30  # two scenes, on average
_JITTER_DAYS = 9
_FIRST_YEARS = (2006, 2016)
_MIDWINTER = {"north": 15 / 365, "south": 182 / 365}  # of the year: 15 January, 1 July
_FROZEN_COSINE = 0.35  # of the year's phase; above it mélange may be rigid: 70 days before and after midwinter
_MOVING_COSINE = -0.5  # where the front moves fastest: 122 days before and after midwinter, when it can be seen
_STILLNESS = 4.0  # the larger, the less the front moves at other times
_CALVING_SEASON = 0.95  # 0: the front changes its shape all year, 1: not at all in midwinter
_SHAPE_A_YEAR = 12.0  # how far the front's shape travels through its noise field in a year, in table points
_OFTEN_HIDDEN = 0.85  # of the scenes in which mélange may be rigid
_HIDDEN_M = (300.0, 2000.0)
_TRIAL_SPACING_M = 60  # at which a site is tried out
_ATTEMPTS = 200


@dataclasses.dataclass(frozen=True)
class _Site:
    """What all scenes of a series share. The corner (west_m, north_m) is in world coordinates."""

    height_m: float
    width_m: float
    west_m: float
    north_m: float
    first: datetime.date
    shape: tuple[float, float]  # where the front's shape starts in its noise field
    roughness_m: float


def simulate_series(
    landscape: Landscape, seed: tuple[int, ...], dates: int, longest_side_px: int
) -> list[LabelledScene]:
    """The scenes of a glacier at so many dates, by date, about a month apart.

    All show the same ground, with as many pixels as their sensor's spacing gives; `longest_side_px` limits those of the
    coarsest. `seed` decides everything else.
    """
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([*seed, attempt])
        site = _draw_site(rng, landscape, longest_side_px)
        plans = [_plan_date(np.random.default_rng([*seed, attempt, n]), landscape, site, n) for n in range(dates)]
        if not all(shows_front(landscape, _at_spacing(plan, site, _TRIAL_SPACING_M)) for plan in plans):
            continue
        scenes = [_take(np.random.default_rng([*seed, attempt, n, 1]), landscape, plan) for n, plan in enumerate(plans)]
        found = [scene for scene in scenes if scene is not None]
        if len(found) == dates:
            return found
    raise RuntimeError(f"no window of {landscape.glacier} shows all its fronts; please report this with the flags used")


def is_frozen(glacier: str, date: datetime.date) -> bool:
    """Whether mélange can be rigid on this day."""
    return bool(np.cos(_phase(glacier, date)) > _FROZEN_COSINE)


def front_position_m(landscape: Landscape, date: datetime.date) -> float:
    """Where the front stands along the fjord: a trend, and farther out in winter, when it stands still."""
    years = _years(date)
    swing = np.tanh(_STILLNESS * (np.cos(_phase(landscape.glacier, date)) - _MOVING_COSINE))
    limit = FRONT_RANGE_M - 100
    return float(
        np.clip(landscape.front_m + landscape.trend_m_per_year * years + landscape.season_m * swing, -limit, limit)
    )


def front_shape(glacier: str, start: tuple[float, float], date: datetime.date) -> tuple[float, float]:
    """Where in the noise field of its shape the front of a day is read (`Plan.front_noise`): what calves moves it on."""
    calved = _years(date) - _CALVING_SEASON * np.sin(_phase(glacier, date)) / (2 * np.pi)
    return start[0], start[1] + _SHAPE_A_YEAR * calved


def _years(date: datetime.date) -> float:
    return (date - datetime.date(2008, 1, 1)).days / 365.25


def _phase(glacier: str, date: datetime.date) -> float:
    """The time of year as an angle, 0 in midwinter."""
    return 2 * np.pi * (_years(date) - _MIDWINTER[hemisphere_of(glacier)])


def _draw_site(rng: np.random.Generator, landscape: Landscape, longest_side_px: int) -> _Site:
    longest_m = min(rng.uniform(*SIDE_M), longest_side_px * max(max(s.pixel_spacings_m) for s in landscape.sensors))
    sides = np.array([rng.uniform(0.85, 1.0), 1.0]) * longest_m
    height, width = sides if rng.random() < 0.5 else sides[::-1]
    first = datetime.date(int(rng.integers(*_FIRST_YEARS)), 1, 1) + datetime.timedelta(days=int(rng.integers(365)))
    along = front_position_m(landscape, first) + rng.uniform(-0.2, 0.2) * min(height, width)
    x, y = landscape.world(along, rng.uniform(-0.12, 0.12) * min(height, width))
    shape = (rng.uniform(0, 500), rng.uniform(0, 500))
    return _Site(height, width, x - width / 2, y + height / 2, first, shape, rng.uniform(35, 90))


def _plan_date(rng: np.random.Generator, landscape: Landscape, site: _Site, index: int) -> Plan:
    """Draws the sensor and the day of a scene, and whether mélange hides its front."""
    days = index * DAYS_BETWEEN + int(rng.integers(-_JITTER_DAYS, _JITTER_DAYS + 1))
    date = site.first + datetime.timedelta(days=days)
    there = [sensor for sensor in landscape.sensors if sensor.years[0] <= date.year <= sensor.years[1]]
    sensor = there[rng.integers(len(there))]
    quality, spacing = int(rng.integers(1, 7)), max(sensor.pixel_spacings_m)
    name = f"{landscape.glacier}_{date.isoformat()}_{sensor.name}_{spacing}_{quality}_{index + 1:03d}"
    scene_id = parse_name(name)
    hidden_m = rng.uniform(*_HIDDEN_M) if rng.random() < _OFTEN_HIDDEN else 0.0
    plan = Plan(
        id=scene_id,
        sensor=sensor,
        height_px=0,
        width_px=0,
        west_m=site.west_m,
        north_m=site.north_m,
        looks_east=bool(rng.random() < 0.5),
        incidence=np.deg2rad(rng.uniform(*sensor.incidence_deg)),
        front_m=front_position_m(landscape, date),
        front_noise=front_shape(landscape.glacier, site.shape, date),
        front_roughness_m=site.roughness_m,
        is_winter=scene_id.season() == "winter",
        hidden_m=hidden_m if is_frozen(landscape.glacier, date) else 0.0,
    )
    return _at_spacing(plan, site, spacing)


def _at_spacing(plan: Plan, site: _Site, spacing_m: int) -> Plan:
    """The plan of the same ground with another pixel spacing."""
    height, width = (round(side / spacing_m) for side in (site.height_m, site.width_m))
    scene_id = dataclasses.replace(plan.id, pixel_spacing_m=spacing_m)
    return dataclasses.replace(plan, id=scene_id, height_px=height, width_px=width)


def _take(rng: np.random.Generator, landscape: Landscape, plan: Plan) -> LabelledScene | None:
    """The scene, taken again where the swath's end has cut off a piece of the front."""
    attempts = (take_scene(rng, landscape, plan) for _ in range(_ATTEMPTS // 10))
    return next((scene for scene in attempts if scene is not None), None)
