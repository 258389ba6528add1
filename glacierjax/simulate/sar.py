"""The radar: layover, shadow, speckle and grey values of a terrain-corrected SAR scene.

A side-looking radar sorts echoes by distance, so high ground is imaged together with lower ground nearer to the sensor
(layover), and ground behind it sends nothing (shadow). The echoes are summed in range cells, get their speckle there,
and are put back onto the map, where a slope towards the sensor is one stretched bright cell.
"""

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from glacierjax.core.zones import Zone
from glacierjax.fronts.extract import drop_short
from glacierjax.fronts.postprocess import clean_zones
from glacierjax.simulate.composition import Ground, Plan, sea_leaves_scene
from glacierjax.simulate.surfaces import Surface

_MIN_SHADOW_M2 = 120.0**2  # smaller shadows carry no label of their own


def take_image(
    rng: np.random.Generator, plan: Plan, ground: Ground, surface: Surface
) -> tuple[UInt8[np.ndarray, "height width"], UInt8[np.ndarray, "height width"]]:
    """The scene's grey values and its zones with NA, both (H, W) uint8."""
    power, shadow = _image_power(rng, plan, surface)
    grey = _grey_values(rng, power[plan.window])
    zones = ground.zones[plan.window].copy()
    ashore = shadow[plan.window] & (ground.fjord.wall_m[plan.window] > 0) & (zones != Zone.OCEAN_ICE_MELANGE)
    zones[_without_specks(ashore, plan.id.pixel_spacing_m)] = Zone.NA
    return _cut_swath(rng, grey, zones)


def _image_power(
    rng: np.random.Generator, plan: Plan, surface: Surface
) -> tuple[Float[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
    """Power with speckle on the map, and where the radar does not see (bool), both like the surface."""
    flip = slice(None, None, 1 if plan.looks_east else -1)
    height, backscatter = surface.height_m[:, flip], surface.backscatter[:, flip]
    spacing = plan.id.pixel_spacing_m
    ground_range = np.arange(height.shape[1]) * spacing
    slope = 1 / np.tan(plan.incidence)  # metres that a ray falls for each metre of ground
    ray = height + ground_range * slope
    shadow = ray < np.maximum.accumulate(ray, axis=1) - 1e-6
    echo = np.where(shadow, 0, backscatter * _facing(height, spacing, plan.incidence))
    cells = (ground_range - height * slope) / spacing
    first = int(np.floor(cells.min()))
    cells -= first
    echo = _add_up(echo, cells)
    noise_floor = rng.uniform(0.002, 0.012)
    looks = plan.sensor.looks * rng.uniform(0.7, 1.3) / (1 + 0.12 * (plan.id.quality - 1))
    speckled = (echo + noise_floor) * rng.gamma(looks, 1 / looks, echo.shape)
    rows = np.arange(len(height))[:, None]
    return speckled[rows, np.rint(cells).astype(np.intp)][:, flip], shadow[:, flip]


def _facing(
    height: Float[np.ndarray, "rows columns"], spacing: float, incidence: float
) -> Float[np.ndarray, "rows columns"]:
    """How much brighter a slope is than level ground: the ratio of the cosines of their incidence angles, sharpened."""
    down, right = np.gradient(height, spacing)
    cosine = (np.cos(incidence) + right * np.sin(incidence)) / np.sqrt(1 + right**2 + down**2)
    return (np.maximum(cosine, 0) / np.cos(incidence)) ** 1.3


def _add_up(
    echo: Float[np.ndarray, "height width"], cells: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "height cells"]:
    """Sums of the echoes (H, W) by range cell; `cells` (H, W) are fractional, >= 0: an echo is shared between two."""
    count = int(cells.max()) + 2
    whole = cells.astype(np.intp)
    share = cells - whole
    flat = whole + np.arange(len(echo))[:, None] * count
    total = np.bincount(flat.ravel(), (echo * (1 - share)).ravel(), len(echo) * count)
    total[1:] += np.bincount(flat.ravel(), (echo * share).ravel(), len(echo) * count)[:-1]
    return total.reshape(len(echo), count)


def _grey_values(
    rng: np.random.Generator, power: Float[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width"]:
    """Amplitude as uint8; brightness and contrast are the processor's choice and differ from scene to scene."""
    level, contrast, black = rng.uniform(65, 125), rng.uniform(0.95, 1.25), rng.uniform(4, 12)
    return np.clip(np.rint(level * np.sqrt(power) ** contrast - black), 0, 255).astype(np.uint8)


def _without_specks(mask: Bool[np.ndarray, "height width"], spacing: float) -> Bool[np.ndarray, "height width"]:
    """The mask without threads and parts below the size that an annotator outlines."""
    opened = np.asarray(ndimage.binary_opening(mask))
    return drop_short(opened, _MIN_SHADOW_M2 / spacing**2)


def _cut_swath(
    rng: np.random.Generator, grey: UInt8[np.ndarray, "height width"], zones: UInt8[np.ndarray, "height width"]
) -> tuple[UInt8[np.ndarray, "height width"], UInt8[np.ndarray, "height width"]]:
    """In one scene of four the swath ends inside the window: 0 and NA beyond a slanted line."""
    wanted = rng.random() < 0.25
    side, lean, width = rng.choice([-1, 1]), rng.uniform(0.1, 0.25), rng.uniform(0.02, 0.14)
    rows, columns = np.indices(zones.shape)
    rows, columns = rows / zones.shape[0], columns / zones.shape[1]
    from_edge = (columns if side < 0 else 1 - columns) - lean * rows
    outside = from_edge < width - lean / 2
    cut = np.where(outside, Zone.NA, zones).astype(np.uint8)
    # A cut may neither part the sea or the land nor make the sea a lake: labels are to be what the method expects.
    if not wanted or (clean_zones(cut) != cut).any() or not sea_leaves_scene(cut):
        return grey, zones
    return np.where(outside, 0, grey).astype(np.uint8), cut
