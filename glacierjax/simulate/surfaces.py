"""What covers the ground: height and backscatter of ice, rock, sea, mélange and bergs.

Backscatter is relative (power, linear; the ice near the front has about 1). Neither it nor any grey value tells ice
from sea: the mélange of one scene is brighter than the ice of another. Structure does: flow lines and crevasses on
the glacier, floes, bergs and wind streaks on the sea.
"""

import dataclasses

import numpy as np
from scipy.spatial import KDTree

from glacierjax.core.zones import Zone
from glacierjax.simulate.composition import Ground, Plan
from glacierjax.simulate.terrain import Landscape, Noise, fractal_noise


@dataclasses.dataclass(frozen=True, eq=False)
class Surface:
    """Height in metres and relative backscatter (power), both (H, W + 2 margins)."""

    height_m: np.ndarray
    backscatter: np.ndarray


def make_surface(rng: np.random.Generator, landscape: Landscape, plan: Plan, ground: Ground) -> Surface:
    """Covers the ground: mountains and ice from the landscape, the sea of this day from `rng`."""
    height, backscatter = _rock(rng, landscape, plan, ground)
    ice = _ice(rng, landscape, plan, ground)
    sea = _sea(rng, landscape, plan, ground)
    if plan.hidden_m:
        sea = _frozen(landscape, plan, ground, ice, sea)
    for zone, (zone_height, zone_backscatter) in ((Zone.GLACIER, ice), (Zone.OCEAN_ICE_MELANGE, sea)):
        where = ground.zones == zone
        height = np.where(where, zone_height, height)
        backscatter = np.where(where, zone_backscatter, backscatter)
    return Surface(height, backscatter)


def _rock(rng, landscape: Landscape, plan: Plan, ground: Ground):
    """Bare and snowed-up slopes; the same snow line for the whole scene."""
    height = landscape.mountains(ground.x, ground.y, ground.fjord.wall_m)
    grain = landscape.roughness.at(ground.x / 4, ground.y / 4)
    patches = landscape.ridges.at(ground.x / 7, ground.y / 7)
    level = rng.uniform(0.5, 1.2) * landscape.rock_brightness
    return height, level * np.exp(0.35 * grain + 0.45 * patches)


def _ice(rng, landscape: Landscape, plan: Plan, ground: Ground):
    """Glacier ice: flow lines along, crevasses across, bright shear margins; smooth firn on high ground."""
    across, seaward = ground.fjord.across, ground.seaward_m
    # Ice moves: what is drawn on it travels seaward with the years.
    travelled = landscape.speed_m_per_year * (plan.id.date.toordinal() / 365.25 - 2000)
    along = ground.fjord.along - travelled
    lines, fine_lines = _flow_lines(landscape, across, ground.fjord.along)
    arched = along + landscape.arch_m * across**2
    crests = landscape.crevasses.at(across * landscape.half_width_m / 30, arched / 11)
    patches = landscape.roughness.at(across * 9 + 60, along / 70)
    near_front = np.exp(np.minimum(seaward, 0) / 900)
    broken = np.clip(0.25 + 0.45 * near_front + 0.3 * patches, 0.05, 1)
    margin = np.exp(-np.maximum(1 - np.abs(across), 0) / 0.07)
    # Wet snow swallows the radar's waves in summer, up the glacier first.
    wetness = 0.0 if plan.is_winter else rng.uniform(0, 0.9)
    log = 0.42 * lines + 0.25 * fine_lines + 0.5 * broken * crests + 0.5 * margin
    log += rng.uniform(-0.2, 0.5) * near_front - wetness * (1 - np.exp(np.minimum(seaward + 700, 0) / 900))
    surface = landscape.cliff_m - landscape.ice_slope * np.minimum(seaward, 0) + 3.0 * broken * crests + 2.0 * lines

    in_fjord = ground.fjord.wall_m < 0
    upland = landscape.upland(ground.x, ground.y, ground.fjord.wall_m)
    rolling = landscape.ridges.at(ground.x / 12, ground.y / 12)
    firn = rng.uniform(0.4, 1.6) * np.exp(0.2 * rolling)
    return np.where(in_fjord, surface, upland), np.where(in_fjord, np.exp(log - 0.25), firn)


def _flow_lines(landscape: Landscape, across: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Broad and fine lines along the flow (H, W), each of mean 0 and standard deviation 1."""
    across = across / landscape.flow_line_width
    return (
        landscape.flow_lines.at(across * 42, along / 260),
        landscape.flow_lines.at(across * 95 + 200, along / 170),
    )


def _sea(rng: np.random.Generator, landscape: Landscape, plan: Plan, ground: Ground):
    """The sea of one day: mélange for some way from the front, then sea ice or water with bergs."""
    noise = fractal_noise(rng, 2.6)
    melange = _melange(rng, plan, ground, noise)
    outer = _sea_ice if rng.random() < (0.75 if plan.is_winter else 0.2) else _water
    beyond = outer(rng, plan, ground, noise)
    often, reach = (0.85, (500, 5000)) if plan.is_winter else (0.6, (200, 2500))
    if plan.is_winter and landscape.icy_melange:
        melange = _icy_melange(rng, landscape, plan, ground, melange)
        often, reach = 1.0, (2000, 6000)
    reach_m = rng.uniform(*reach) if rng.random() < often else 0.0
    edge_m = reach_m + 0.25 * reach_m * noise.at(ground.x / 30, ground.y / 30)
    is_melange = ground.seaward_m < edge_m
    return tuple(np.where(is_melange, *pair) for pair in zip(melange, beyond, strict=True))


def _frozen(landscape: Landscape, plan: Plan, ground: Ground, ice: tuple, sea: tuple) -> tuple:
    """The sea with rigid mélange before the front, frozen together and snowed up, which looks like the ice behind it.

    It has the ice's pattern, and thins out seaward from the height of the ice, so that no cliff shows. It ends at a ragged
    edge, where a scene alone seems to have its front.
    """
    edge_m = plan.hidden_m * (1 + 0.15 * landscape.roughness.at(ground.x / 40 + 30, ground.y / 40))
    share = 1 - ground.seaward_m / np.maximum(edge_m, 1.0)
    is_frozen = share > 0
    return np.where(is_frozen, ice[0] * np.clip(share, 0, 1), sea[0]), np.where(is_frozen, ice[1], sea[1])


def _melange(rng, plan: Plan, ground: Ground, noise: Noise):
    """Brash ice with floes and bergs of all sizes, some dark pools."""
    matrix = _cells(rng, ground, noise, rng.uniform(45, 70))
    floes = _cells(rng, ground, noise, rng.uniform(170, 300))
    size = rng.lognormal(np.log(45), 0.5, floes.count)
    inside = floes.centre_m < np.minimum(size, 130)[floes.index]
    kind = rng.random(floes.count)
    pools, bergs = rng.uniform(0.03, 0.2), rng.uniform(0.1, 0.35)
    is_pool = inside & (kind < pools)[floes.index]
    is_berg = inside & (kind > 1 - bergs)[floes.index]
    rims = (np.abs(floes.centre_m - np.minimum(size, 130)[floes.index]) < 16) & (is_pool | is_berg)
    log = 0.32 * rng.standard_normal(matrix.count)[matrix.index] + 0.3 * noise.at(ground.x / 12, ground.y / 12)
    log -= 0.4 * (matrix.edge_m < 9)
    log = np.where(is_pool, -1.9, log) + np.where(is_berg, rng.normal(0.35, 0.5, floes.count)[floes.index], 0)
    log = log + 0.6 * rims
    height = np.where(is_berg, rng.uniform(5, 22, floes.count)[floes.index], 0.0)
    return height, 10 ** rng.uniform(-0.45, 0.4) * np.exp(log)


def _icy_melange(rng, landscape: Landscape, plan: Plan, ground: Ground, melange):
    """Mélange frozen together and drawn out like the ice: its lines and ridges, but in other places, and lower."""
    height, backscatter = melange
    across, along = ground.fjord.across + rng.uniform(3, 9), ground.fjord.along
    lines, fine_lines = _flow_lines(landscape, across, along)
    ridges = landscape.crevasses.at(across * landscape.half_width_m / 30, (along + rng.uniform(0, 5000)) / 11)
    like_ice = 0.42 * lines + 0.25 * fine_lines + 0.35 * ridges + rng.uniform(-0.3, 0.3)
    own = np.log(backscatter) - np.log(backscatter[ground.seaward_m > 0]).mean()
    share = landscape.icy_melange
    return height * (1 - share) + share * (2 + ridges), np.exp(share * like_ice + (1 - share) * own)


def _sea_ice(rng, plan: Plan, ground: Ground, noise: Noise):
    """Large floes, smooth or ridged, parted by leads."""
    floes = _cells(rng, ground, noise, rng.uniform(350, 900))
    tone = rng.normal(0, 0.3, floes.count)[floes.index]
    lead = floes.edge_m < rng.uniform(8, 40) * np.exp(0.6 * noise.at(ground.x / 20, ground.y / 20))
    log = tone + 0.25 * noise.at(ground.x / 9, ground.y / 9) + rng.choice([-1.3, 0.7]) * lead
    height, bergs = _bergs(rng, ground, noise, rng.uniform(0.0, 0.06))
    return height, 10 ** rng.uniform(-0.8, 0.25) * np.exp(np.where(height > 0, bergs, log))


def _water(rng, plan: Plan, ground: Ground, noise: Noise):
    """Open water, calm and dark or roughened by wind and then often brighter than ice, with scattered bergs."""
    wind = rng.uniform(0, 2 * np.pi)
    u = ground.x * np.cos(wind) + ground.y * np.sin(wind)
    v = ground.y * np.cos(wind) - ground.x * np.sin(wind)
    windy = rng.random() < 0.55
    level = rng.uniform(-0.5, 0.35) if windy else rng.uniform(-1.7, -0.9)
    streaks = noise.at(u / 60, v / 12)
    height, bergs = _bergs(rng, ground, noise, rng.uniform(0.01, 0.12))
    bergs += 0.0 if windy else 0.8
    calm = 10**level * np.exp(0.25 * streaks + 0.3 * noise.at(u / 45 + 90, v / 45))
    return height, np.where(height > 0, 10 ** max(level, -0.6) * np.exp(bergs), calm)


def _bergs(rng, ground: Ground, noise: Noise, share: float):
    """Scattered bergs: height (0 where there is none) and log backscatter; `share` of the sites carry one."""
    sites = _cells(rng, ground, noise, rng.uniform(150, 260))
    radius = np.where(rng.random(sites.count) < share, rng.lognormal(np.log(50), 0.6, sites.count), 0.0)
    inside = sites.centre_m < np.minimum(radius, 150)[sites.index]
    height, log = rng.uniform(8, 30, sites.count), rng.normal(0.9, 0.4, sites.count)
    return np.where(inside, height[sites.index], 0.0), log[sites.index]


@dataclasses.dataclass(frozen=True, eq=False)
class _Cells:
    """A random partition of the ground (Voronoi cells): index of each pixel's cell, distances to centre and edge."""

    index: np.ndarray
    centre_m: np.ndarray
    edge_m: np.ndarray
    count: int


def _cells(rng: np.random.Generator, ground: Ground, noise: Noise, size_m: float) -> _Cells:
    low = np.array([ground.x.min(), ground.y.min()]) - size_m
    high = np.array([ground.x.max(), ground.y.max()]) + size_m
    count = int(np.prod((high - low) / size_m))
    centres = rng.uniform(low, high, (count, 2))
    is_sea = ground.zones == Zone.OCEAN_ICE_MELANGE
    x, y = ground.x[is_sea], ground.y[is_sea]
    # Looking from a displaced place makes edges ragged and discs lumpy.
    shift = 0.1 * size_m
    places = np.stack([x + shift * noise.at(x / 5, y / 5), y + shift * noise.at(y / 5, x / 5)], -1)
    distance, nearest = (np.asarray(found) for found in KDTree(centres).query(places, k=2))
    index = np.zeros(is_sea.shape, np.intp)
    centre, edge = np.zeros(is_sea.shape), np.zeros(is_sea.shape)
    index[is_sea], centre[is_sea] = nearest[:, 0], distance[:, 0]
    edge[is_sea] = distance[:, 1] - distance[:, 0]
    return _Cells(index, centre, edge, count)
