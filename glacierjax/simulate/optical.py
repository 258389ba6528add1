"""The optical sensor: reflectances of snow, ice, rock and water under a low sun, as a 20-band Sentinel-2 image.

The same landscape, lit instead of sounded: slopes facing the sun are bright, water is dark, snow is bright in the
visible and dark in the short-wave infrared, rock the other way round.
"""

import numpy as np
from jaxtyping import Float, Float32

from glacierjax.core.zones import Zone
from glacierjax.datasets.ssl4sar.optical import FILE_BANDS
from glacierjax.simulate.composition import Ground, Plan
from glacierjax.simulate.surfaces import Surface
from glacierjax.simulate.terrain import Landscape, fractal_noise

# Reflectance of pure surfaces in B1 ... B8, B8A, B9, B11, B12: typical spectra, rounded.
_SNOW = (0.95, 0.95, 0.94, 0.93, 0.92, 0.91, 0.90, 0.88, 0.86, 0.70, 0.12, 0.08)
_ICE = (0.68, 0.70, 0.68, 0.62, 0.58, 0.53, 0.48, 0.43, 0.38, 0.28, 0.04, 0.03)
_ROCK = (0.12, 0.13, 0.16, 0.19, 0.21, 0.22, 0.23, 0.24, 0.25, 0.25, 0.30, 0.27)
_WATER = (0.10, 0.08, 0.06, 0.035, 0.025, 0.02, 0.02, 0.018, 0.015, 0.012, 0.008, 0.006)
_SCENE_CLASS = {"snow": 11, "rock": 5, "water": 6, "shadow": 2}  # codes of Sentinel-2's scene classification
_REFLECTANCE_SCALE = 10_000
_NOISE = 0.006  # of the sensor and the air, as reflectance


def take_optical_image(
    rng: np.random.Generator, landscape: Landscape, plan: Plan, ground: Ground, surface: Surface
) -> Float32[np.ndarray, "20 height width"]:
    """Bands (20, H, W) float32 in Sentinel-2's units, NaN where the image has a gap."""
    window = plan.window
    height, zones = surface.height_m[window], ground.zones[window]
    light = _light(rng, height, plan.id.pixel_spacing_m)
    noise = fractal_noise(rng, 2.6)
    x, y = ground.x[window], ground.y[window]
    snow, ice, rock, water = _cover(rng, landscape, ground, window, zones, height, noise)
    shares = np.stack([snow, ice, rock, water])
    spectra = np.array([_SNOW, _ICE, _ROCK, _WATER])
    reflectance = np.einsum("mb,mhw->bhw", spectra, shares)
    # Water has no slopes; its own texture is faint.
    reflectance *= np.where(water > 0.5, 1.0, light)
    reflectance += rng.normal(0, _NOISE, reflectance.shape)
    haze = 0.02 * np.clip(1 + 0.5 * noise.at(x / 60, y / 60), 0, None)
    reflectance[:4] += haze * np.array([1.0, 0.8, 0.5, 0.3])[:, None, None]
    bands = dict(
        zip((b for b in FILE_BANDS if b[0] == "B"), reflectance.clip(0.0001) * _REFLECTANCE_SCALE, strict=True)
    )
    dominant = np.choose(shares.argmax(0), [_SCENE_CLASS[k] for k in ("snow", "snow", "rock", "water")])
    bands["SCL"] = np.where((light < 0.35) & (water < 0.5), _SCENE_CLASS["shadow"], dominant)
    bands["AOT"] = 100 * (0.8 + haze * 10)
    bands["WVP"] = 1000 * (0.5 - height / 6000 + 0.02 * noise.at(x / 40, y / 40)).clip(0.05)
    for name, source in zip(("TCI_R", "TCI_G", "TCI_B"), ("B4", "B3", "B2"), strict=True):
        bands[name] = (bands[source] / _REFLECTANCE_SCALE * 255).clip(0, 255)
    bands["MSK_CLDPRB"] = rng.uniform(0, 5, zones.shape)
    bands["MSK_SNWPRB"] = 100 * (snow + ice).clip(0, 1)
    stack = np.stack([bands[name] for name in FILE_BANDS]).astype(np.float32)
    return _with_gap(rng, stack)


def _cover(rng, landscape: Landscape, ground: Ground, window, zones, height, noise):
    """Shares of snow, bare ice, rock and open water in each pixel, adding up to one."""
    x, y = ground.x[window], ground.y[window]
    seaward = ground.seaward_m[window]
    patches = 0.5 + 0.2 * noise.at(x / 14, y / 14)
    # Snow lies high up and in hollows; on the glacier bare ice shows towards the front.
    snow_line_m = rng.uniform(250, 600)
    high = 1 / (1 + np.exp(-(height - snow_line_m) / 120))
    snow_on_rock = np.clip(high * (0.6 + 0.4 * patches), 0, 1)
    bare = np.clip(np.exp(np.minimum(seaward, 0) / 2500) * (0.6 + 0.6 * patches), 0, 1)
    reach_m = rng.uniform(0, 1800)
    melange = 1 / (1 + np.exp((seaward - reach_m - 200 * noise.at(x / 30, y / 30)) / 60))
    floating = np.clip(melange * (0.35 + 0.8 * patches + 0.15 * noise.at(x / 5, y / 5)), 0, 0.95)
    bergs = np.where(height > 0, 0.9, 0)  # what stands out of the sea
    sea_ice = np.maximum(floating, bergs)
    lines = landscape.flow_lines.at(ground.fjord.across[window] * 42, ground.fjord.along[window] / 260)
    dirt = np.clip(0.08 + 0.06 * lines, 0, 0.3)  # moraines along the flow
    rock = zones == Zone.ROCK
    sea = zones == Zone.OCEAN_ICE_MELANGE
    nothing = np.zeros(zones.shape)
    snow = np.where(rock, snow_on_rock, np.where(sea, 0.3 * sea_ice, (1 - bare) * (1 - dirt)))
    ice = np.where(rock, 0, np.where(sea, 0.7 * sea_ice, bare * (1 - dirt)))
    stone = np.where(rock, 1 - snow_on_rock, np.where(sea, 0, dirt))
    return snow, ice, stone, np.where(sea, 1 - sea_ice, nothing)


def _light(
    rng: np.random.Generator, height_m: Float[np.ndarray, "height width"], spacing_m: float
) -> Float[np.ndarray, "height width"]:
    """Sunlight on the slopes relative to level ground, with some light from the sky."""
    azimuth, elevation = rng.uniform(np.pi * 1.1, np.pi * 1.6), np.deg2rad(rng.uniform(28, 45))
    down, right = np.gradient(height_m, spacing_m)
    towards_x, towards_y = np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation)
    cosine = (np.sin(elevation) - right * towards_x - down * towards_y) / np.sqrt(1 + right**2 + down**2)
    return 0.25 + 0.75 * np.clip(cosine / np.sin(elevation), 0, 1.6)


def _with_gap(
    rng: np.random.Generator, bands: Float[np.ndarray, "band height width"]
) -> Float32[np.ndarray, "band height width"]:
    """A corner without data, as mosaics of several passes have it."""
    rows, columns = np.indices(bands.shape[1:])
    cut = rng.uniform(0.02, 0.08)
    beyond = rows / bands.shape[1] + columns / bands.shape[2] < cut
    return np.where(beyond, np.nan, bands).astype(np.float32)
