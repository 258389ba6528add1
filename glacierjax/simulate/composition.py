"""Scenes: when and from which sensor, which window of the landscape, and the true zones and front in it."""

import dataclasses
import datetime

import numpy as np
from jaxtyping import Bool, Float, UInt8

from glacierjax.core import seasons
from glacierjax.core.boxes import BoundingBox
from glacierjax.core.scene_names import SceneId, parse_name
from glacierjax.core.zones import Zone
from glacierjax.fronts.extract import front_of_border, ocean_glacier_border
from glacierjax.fronts.postprocess import clean_zones
from glacierjax.simulate.sensors import Sensor
from glacierjax.simulate.terrain import FRONT_RANGE_M, Fjord, Landscape

SIDE_M = (5600.0, 6600.0)  # range of the scenes' longer side, unless that is more pixels than allowed
_MARGIN_M = 800.0  # ground beside the window that can throw shadow or fold into it


@dataclasses.dataclass(frozen=True)
class Plan:
    """How a scene was taken. The window's upper left corner is (west_m, north_m) in world coordinates."""

    id: SceneId
    sensor: Sensor
    height_px: int
    width_px: int
    west_m: float
    north_m: float
    looks_east: bool
    incidence: float  # radians from the vertical
    front_m: float
    front_noise: tuple[float, float]  # table coordinates: the shape of this day's front
    front_roughness_m: float
    is_winter: bool
    hidden_m: float = 0.0  # how far beyond the front the mélange looks like ice, which hides the front; 0: not

    @property
    def margin_px(self) -> int:
        return int(np.ceil(_MARGIN_M / self.id.pixel_spacing_m))

    @property
    def window(self) -> tuple[slice, slice]:
        """The scene itself in arrays with margins."""
        return slice(None), slice(self.margin_px, self.margin_px + self.width_px)

    def pixel_centres(self) -> tuple[Float[np.ndarray, " column"], Float[np.ndarray, " row"]]:
        """World coordinates x (W + 2 margins,) and y (H,) in metres of the window and what is beside it."""
        spacing = self.id.pixel_spacing_m
        columns = np.arange(-self.margin_px, self.width_px + self.margin_px)
        return self.west_m + (columns + 0.5) * spacing, self.north_m - (np.arange(self.height_px) + 0.5) * spacing


@dataclasses.dataclass(frozen=True, eq=False)
class Ground:
    """What is where, on the window with its margins (H, W + 2 margins); `seaward_m` counts from the front."""

    x: np.ndarray
    y: np.ndarray
    fjord: Fjord
    seaward_m: np.ndarray
    zones: np.ndarray  # uint8 class ids, without NA


def hemisphere_of(glacier: str) -> str:
    """ "north" or "south"; glaciers that CaFFe does not have are simulated in the north."""
    return seasons.hemisphere_of(glacier, None) or seasons.NORTH


def front_position_m(landscape: Landscape, date: datetime.date) -> float:
    """Where the front stands along the fjord: trend, winter advance and summer retreat."""
    years = (date - datetime.date(2008, 1, 1)).days / 365.25
    # The front is farthest out at the end of winter: mid April in the north, mid October in the south.
    furthest = 0.29 if hemisphere_of(landscape.glacier) == seasons.NORTH else 0.79
    season = landscape.season_m * np.cos(2 * np.pi * (years - furthest))
    limit = FRONT_RANGE_M - 100
    return float(np.clip(landscape.front_m + landscape.trend_m_per_year * years + season, -limit, limit))


def plan_scene(rng: np.random.Generator, landscape: Landscape, number: int, longest_side_px: int) -> Plan:
    """Draws sensor, date and window. `number` goes into the name's orbit field and makes it unique."""
    sensor = landscape.sensors[rng.integers(len(landscape.sensors))]
    spacing = int(rng.choice(sensor.pixel_spacings_m))
    first = datetime.date(sensor.years[0], 1, 1)
    date = first + datetime.timedelta(days=int(rng.integers((sensor.years[1] - sensor.years[0] + 1) * 365)))
    quality = int(rng.integers(1, 7))
    name = f"{landscape.glacier}_{date.isoformat()}_{sensor.name}_{spacing}_{quality}_{number:03d}"
    scene_id = parse_name(name)
    sides = np.array([rng.uniform(0.85, 1.0), 1.0]) * min(rng.uniform(*SIDE_M) / spacing, longest_side_px)
    height, width = (int(side) for side in (sides if rng.random() < 0.5 else sides[::-1]))
    front = front_position_m(landscape, date)
    extent_m = min(height, width) * spacing
    # The window follows the front only loosely, so that the front may be anywhere in the scene.
    along = front + rng.uniform(-0.3, 0.3) * extent_m
    x, y = landscape.world(along, rng.uniform(-0.12, 0.12) * extent_m)
    return Plan(
        id=scene_id,
        sensor=sensor,
        height_px=height,
        width_px=width,
        west_m=x - width / 2 * spacing,
        north_m=y + height / 2 * spacing,
        looks_east=bool(rng.random() < landscape.looks_east),
        incidence=np.deg2rad(rng.uniform(*sensor.incidence_deg)),
        front_m=front,
        front_noise=(rng.uniform(0, 500), rng.uniform(0, 500)),
        front_roughness_m=rng.uniform(35, 90),
        is_winter=scene_id.season({landscape.glacier: hemisphere_of(landscape.glacier)}) == "winter",
    )


def lay_ground(landscape: Landscape, plan: Plan) -> Ground:
    """The zones as they follow from the landscape and the front, cleaned as `glacierjax.fronts.clean_zones` does."""
    x, y = np.meshgrid(*plan.pixel_centres())
    fjord = landscape.fjord(x, y)
    across_m = fjord.across * landscape.half_width_m
    shape = landscape.roughness.at(across_m / 18 + plan.front_noise[0], fjord.along / 40 + plan.front_noise[1])
    bow = landscape.bow_m * (1 - np.minimum(fjord.across**2, 1.5))
    seaward = fjord.along - (plan.front_m + bow + shape * plan.front_roughness_m)
    in_fjord = fjord.wall_m < 0
    zones = np.full(x.shape, Zone.ROCK, np.uint8)
    zones[(landscape.upland_ice_depth(x, y, fjord.wall_m) > 0) | in_fjord] = Zone.GLACIER
    zones[in_fjord & (seaward > 0)] = Zone.OCEAN_ICE_MELANGE
    zones[plan.window] = clean_zones(zones[plan.window])
    return Ground(x, y, fjord, seaward, zones)


def sea_leaves_scene(zones: UInt8[np.ndarray, "height width"]) -> bool:
    """Whether the sea reaches the border of the zones (H, W)."""
    sea = zones == Zone.OCEAN_ICE_MELANGE
    return bool(sea[[0, -1]].any() or sea[:, [0, -1]].any())


def draw_front(
    zones: UInt8[np.ndarray, "height width"], box: BoundingBox, pixel_spacing_m: float
) -> Bool[np.ndarray, "height width"]:
    """True front (H, W) bool of cleaned zones: `glacierjax.fronts.extract_front` without its cleaning."""
    return front_of_border(ocean_glacier_border(zones), pixel_spacing_m, box)


def front_box(landscape: Landscape, plan: Plan) -> BoundingBox:
    """The rectangle of the landscape in which this glacier's fronts lie, in this scene's pixels."""
    reach = FRONT_RANGE_M + 500
    stations = np.linspace(-reach, reach, 9)
    side = landscape.half_width(reach) + 100
    corners = [landscape.world(along, across) for along in stations for across in (-side, side)]
    x, y = np.array(corners).T
    spacing = plan.id.pixel_spacing_m
    columns, rows = (x - plan.west_m) / spacing, (plan.north_m - y) / spacing
    return BoundingBox(*(round(float(v), 2) for v in (columns.min(), rows.min(), columns.max(), rows.max())))
