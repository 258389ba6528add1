"""Scenes: when and from which sensor, which window of the landscape, and the true zones and front in it."""

import dataclasses
import datetime

import numpy as np
from scipy import ndimage

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.scene_names import HEMISPHERES, SceneId, parse_name
from glacierjax.core.zones import Zone
from glacierjax.simulate.terrain import FRONT_RANGE_M, Fjord, Landscape

# A front is drawn only where it is at least this long (Gourmelon et al. 2025, post-processing).
MIN_FRONT_M = 750.0
_SIDE_M = (5600.0, 6600.0)  # range of the scenes' longer side, unless that is more pixels than allowed
_MARGIN_M = 800.0  # ground beside the window that can throw shadow or fold into it
_EIGHT = np.ones((3, 3), bool)


@dataclasses.dataclass(frozen=True)
class Sensor:
    """A radar satellite as CaFFe's names know it: pixel spacings in metres, years in orbit, looks of its products."""

    name: str
    pixel_spacings_m: tuple[int, ...]
    years: tuple[int, int]
    looks: float
    incidence_deg: tuple[float, float]


SENSORS = (
    Sensor("ERS", (20,), (1995, 2010), 4.0, (23, 27)),
    Sensor("RSAT", (20,), (1996, 2012), 4.5, (25, 45)),
    Sensor("ENVISAT", (20,), (2003, 2011), 4.0, (23, 40)),
    Sensor("PALSAR", (17,), (2006, 2010), 7.0, (34, 40)),
    Sensor("TSX", (7, 6), (2008, 2020), 6.0, (25, 45)),
    Sensor("TDX", (7,), (2011, 2020), 6.0, (25, 45)),
    Sensor("S1", (20, 12), (2015, 2020), 7.0, (30, 45)),
)


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

    @property
    def margin_px(self) -> int:
        return int(np.ceil(_MARGIN_M / self.id.pixel_spacing_m))

    @property
    def window(self) -> tuple[slice, slice]:
        """The scene itself in arrays with margins."""
        return slice(None), slice(self.margin_px, self.margin_px + self.width_px)

    def pixel_centres(self) -> tuple[np.ndarray, np.ndarray]:
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


def front_position_m(landscape: Landscape, date: datetime.date) -> float:
    """Where the front stands along the fjord: trend, winter advance and summer retreat."""
    years = (date - datetime.date(2008, 1, 1)).days / 365.25
    # The front is farthest out at the end of winter: mid April in the north, mid October in the south.
    furthest = 0.29 if HEMISPHERES.get(landscape.glacier, "north") == "north" else 0.79
    season = landscape.season_m * np.cos(2 * np.pi * (years - furthest))
    limit = FRONT_RANGE_M - 100
    return float(np.clip(landscape.front_m + landscape.trend_m_per_year * years + season, -limit, limit))


def plan_scene(rng: np.random.Generator, landscape: Landscape, number: int, longest_side_px: int) -> Plan:
    """Draws sensor, date and window. `number` goes into the name's orbit field and makes it unique."""
    sensor = SENSORS[rng.integers(len(SENSORS))]
    spacing = int(rng.choice(sensor.pixel_spacings_m))
    first = datetime.date(sensor.years[0], 1, 1)
    date = first + datetime.timedelta(days=int(rng.integers((sensor.years[1] - sensor.years[0] + 1) * 365)))
    quality = int(rng.integers(1, 7))
    name = f"{landscape.glacier}_{date.isoformat()}_{sensor.name}_{spacing}_{quality}_{number:03d}"
    scene_id = parse_name(name)
    sides = np.array([rng.uniform(0.85, 1.0), 1.0]) * min(rng.uniform(*_SIDE_M) / spacing, longest_side_px)
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
        looks_east=bool(rng.random() < 0.5),
        incidence=np.deg2rad(rng.uniform(*sensor.incidence_deg)),
        front_m=front,
        front_noise=(rng.uniform(0, 500), rng.uniform(0, 500)),
        front_roughness_m=rng.uniform(35, 90),
        is_winter=scene_id.season() == "winter",
    )


def lay_ground(landscape: Landscape, plan: Plan) -> Ground:
    """The zones as they follow from the landscape and the front, consistent with the rules of `clean`."""
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
    zones[plan.window] = clean(zones[plan.window])
    return Ground(x, y, fjord, seaward, zones)


def clean(zones: np.ndarray) -> np.ndarray:
    """Zones (H, W) in which land is one piece and the sea is one piece, as steps 1 and 2 of the method want them."""
    zones = zones.copy()
    land = zones != Zone.OCEAN_ICE_MELANGE
    zones[land & ~_largest(land)] = Zone.OCEAN_ICE_MELANGE
    ocean = zones == Zone.OCEAN_ICE_MELANGE
    zones[ocean & ~_largest(ocean)] = Zone.GLACIER
    return zones


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest 8-connected part of a mask."""
    parts, sizes = _parts(mask)
    return mask & (parts == np.argmax(sizes))


def part_sizes(mask: np.ndarray) -> np.ndarray:
    """For each pixel (H, W) the number of pixels in its 8-connected part of the mask, 0 outside."""
    parts, sizes = _parts(mask)
    return sizes[parts]


def _parts(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of each pixel's part (0 outside the mask) and the size of each part (that of number 0 given as 0)."""
    parts = np.zeros(mask.shape, np.int32)
    ndimage.label(mask, _EIGHT, output=parts)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return parts, sizes


def sea_leaves_scene(zones: np.ndarray) -> bool:
    """Whether the sea reaches the border of the zones (H, W)."""
    sea = zones == Zone.OCEAN_ICE_MELANGE
    return bool(sea[[0, -1]].any() or sea[:, [0, -1]].any())


def sea_beside_ice(zones: np.ndarray) -> np.ndarray:
    """Sea pixels (H, W) bool with a glacier pixel above, below, left or right."""
    ice = np.pad(zones == Zone.GLACIER, 1)
    return (zones == Zone.OCEAN_ICE_MELANGE) & (ice[:-2, 1:-1] | ice[2:, 1:-1] | ice[1:-1, :-2] | ice[1:-1, 2:])


def draw_front(zones: np.ndarray, box: BoundingBox, pixel_spacing_m: float) -> np.ndarray:
    """True front (H, W) bool: sea pixels beside ice in pieces of at least 750 m, inside the box (method steps 3-5)."""
    front = sea_beside_ice(zones)
    front &= part_sizes(front) >= MIN_FRONT_M / pixel_spacing_m
    rows, columns = (np.arange(size) for size in zones.shape)
    inside_rows = (rows >= box.ymin) & (rows < box.ymax)
    return front & inside_rows[:, None] & ((columns >= box.xmin) & (columns < box.xmax))


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
