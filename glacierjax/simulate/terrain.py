"""Landscapes: the fjord, the mountains and the ice of one glacier, in one coordinate system in metres.

World coordinates are x (east) and y (north); every glacier has its own fjord coordinates, `along` (seaward) and
`across`. Everything here stays the same from one scene of a glacier to the next.
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Real
from scipy import ndimage

from glacierjax.simulate.sensors import SENSORS, Sensor

TABLE_PX = 512  # side of a noise table; tables repeat, so landscapes have no end


@dataclasses.dataclass(frozen=True, eq=False)
class Noise:
    """A repeating random field of mean 0 and standard deviation 1, smooth enough to be read between its points."""

    spline: np.ndarray  # (TABLE_PX, TABLE_PX) cubic spline coefficients

    def at(self, x: Real[np.ndarray, "*x"], y: Real[np.ndarray, "*y"]) -> Float[np.ndarray, "..."]:
        """Values at table coordinates (one unit is one table point), broadcast against each other."""
        x, y = np.broadcast_arrays(x, y)
        return ndimage.map_coordinates(self.spline, [y, x], order=2, mode="grid-wrap", prefilter=False)


def fractal_noise(rng: np.random.Generator, slope: float, longest: float = TABLE_PX / 2) -> Noise:
    """Noise whose spectral power falls as frequency ** -slope: about 2 is rough, 5 is smooth hills.

    Beyond the wavelength `longest` (in table points) the power is level: hills are about that size.
    """
    return _spectral_noise(rng, lambda frequency: np.maximum(frequency, 1 / longest) ** (-slope / 2))


def banded_noise(rng: np.random.Generator, wavelength: float) -> Noise:
    """Noise of about one wavelength (in table points): waves of random crests."""
    return _spectral_noise(rng, lambda frequency: np.exp(-(((frequency * wavelength - 1) / 0.35) ** 2)))


def _spectral_noise(rng: np.random.Generator, amplitude_of) -> Noise:
    frequency = np.hypot(np.fft.fftfreq(TABLE_PX)[:, None], np.fft.rfftfreq(TABLE_PX)[None])
    spectrum = np.fft.rfft2(rng.standard_normal((TABLE_PX, TABLE_PX))) * amplitude_of(frequency)
    spectrum[0, 0] = 0
    values = np.fft.irfft2(spectrum, s=(TABLE_PX, TABLE_PX))
    return Noise(ndimage.spline_filter(values / values.std(), order=2, mode="grid-wrap"))


@dataclasses.dataclass(frozen=True, eq=False)
class Fjord:
    """Where every pixel lies with respect to the fjord: arrays (H, W) in metres, `across` in half widths."""

    along: np.ndarray  # seaward
    across: np.ndarray  # -1 and 1 at the walls; tributaries have values beyond 4
    wall_m: np.ndarray  # distance from the fjord's (or a tributary's) wall, negative inside


@dataclasses.dataclass(frozen=True, eq=False)
class Landscape:
    """One glacier: shape, relief and ice, all lengths in metres, angles in radians."""

    glacier: str
    azimuth: float  # direction of the sea, counted from east to north
    mirrored: bool
    half_width_m: float
    bends: np.ndarray  # (3, 3): amplitude, wave length, phase of the centre line's bends
    opening_m: float  # how much wider the fjord gets for each kilometre beyond `mouth_m`
    mouth_m: float
    tributary_m: float  # where the side glacier joins, along the fjord
    tributary_slope: float  # metres across for each metre along; the sign is the side
    relief_m: float
    wall_width_m: float  # the horizontal distance in which the walls rise to 63 % of the relief
    upland_ice: float  # threshold of the noise field above which high ground is ice
    ice_slope: float
    cliff_m: float
    front_m: float  # mean position of the front in 2008, along the fjord
    trend_m_per_year: float
    season_m: float  # half the distance between the winter and the summer front
    bow_m: float  # how far the middle of the front is ahead of its sides
    arch_m: float  # the same for the crevasses
    speed_m_per_year: float
    ridges: Noise
    roughness: Noise
    flow_lines: Noise
    crevasses: Noise
    sensors: tuple[Sensor, ...] = SENSORS
    looks_east: float = 0.5  # probability that the radar does, not west
    flow_line_width: float = 1.0  # in units of that of the benchmark's glaciers, as is the brightness (power)
    rock_brightness: float = 1.0
    icy_melange: float = 0.0  # how much a winter's mélange has the pattern of the ice, 0 to 1

    def fjord(self, x: Float[np.ndarray, "height width"], y: Float[np.ndarray, "height width"]) -> Fjord:
        """Fjord coordinates of world coordinates, with a coast that is as rough as the ground."""
        along, v = self.rotate(x, y)
        rough = self.ridges.at(x / COAST_CELL_M, y / COAST_CELL_M) * COAST_ROUGHNESS_M
        centre, half_width = self.centre_m(along), self.half_width(along)
        across = (v - centre) / half_width
        wall = (np.abs(across) - 1) * half_width
        upstream = self.tributary_m - along
        tributary_half_width = 0.45 * self.half_width_m
        offset = v - centre - self.tributary_slope * upstream
        # The tributary is slanted: its width is measured across its own direction.
        tributary_across = offset / np.hypot(1, self.tributary_slope) / tributary_half_width
        tributary_wall = np.where(upstream > 0, (np.abs(tributary_across) - 1) * tributary_half_width, np.inf)
        in_tributary = tributary_wall < wall
        return Fjord(
            along,
            np.where(in_tributary, tributary_across + TRIBUTARY_ACROSS, across),
            np.minimum(wall, tributary_wall) + rough,
        )

    def rotate(self, x, y):
        """World to (along, across) in metres, before the bends of the fjord are taken out."""
        cos, sin = np.cos(self.azimuth), np.sin(self.azimuth)
        return x * cos + y * sin, (y * cos - x * sin) * (-1 if self.mirrored else 1)

    def world(self, along: float, across_m: float) -> tuple[float, float]:
        """World coordinates of a point `across_m` metres beside the fjord's centre line."""
        v = (self.centre_m(along) + across_m) * (-1 if self.mirrored else 1)
        cos, sin = np.cos(self.azimuth), np.sin(self.azimuth)
        return along * cos - v * sin, along * sin + v * cos

    def centre_m(self, along):
        amplitude, length, phase = self.bends
        waves = np.sin(2 * np.pi * np.asarray(along)[..., None] / length + phase) * amplitude
        return waves.sum(-1)

    def half_width(self, along):
        beyond = np.logaddexp(0, (along - self.mouth_m) / 400.0) * 400.0
        return self.half_width_m + self.opening_m * beyond / 1000.0

    def mountains(
        self, x: Float[np.ndarray, "..."], y: Float[np.ndarray, "..."], wall_m: Float[np.ndarray, "height width"]
    ) -> Float[np.ndarray, "height width"]:
        """Height of the ground outside the fjord (H, W) in metres: steep walls, ridges above them."""
        ridge = 1 - np.abs(self.ridges.at(x / RIDGE_CELL_M, y / RIDGE_CELL_M))
        spurs = 1 - np.abs(self.ridges.at(y / SPUR_CELL_M, x / SPUR_CELL_M))
        rough = self.roughness.at(x / ROUGH_CELL_M, y / ROUGH_CELL_M)
        return self.relief_m * self.rise(wall_m) * np.maximum(0.4 + 0.55 * ridge + 0.12 * spurs + 0.004 * rough, 0.02)

    def upland_ice_depth(
        self, x: Float[np.ndarray, "..."], y: Float[np.ndarray, "..."], wall_m: Float[np.ndarray, "height width"]
    ) -> Float[np.ndarray, "height width"]:
        """How deep the ice on high ground buries the relief (H, W): above 0 is ice, from 1 on no ridge shows.

        Never beside the fjord: only the front parts ice from sea.
        """
        field = self.ridges.at(x / UPLAND_CELL_M + 100, y / UPLAND_CELL_M + 100)
        return np.minimum((field - self.upland_ice) / UPLAND_RIM, (wall_m - UPLAND_DISTANCE_M) / UPLAND_DISTANCE_M)

    def upland(
        self, x: Float[np.ndarray, "..."], y: Float[np.ndarray, "..."], wall_m: Float[np.ndarray, "height width"]
    ) -> Float[np.ndarray, "height width"]:
        """Height of ice-covered high ground (H, W) in metres: mountains at its rim, a smooth ice cap within."""
        buried = np.clip(self.upland_ice_depth(x, y, wall_m), 0, 1)
        return self.mountains(x, y, wall_m) * (1 - buried) + UPLAND_LEVEL * self.relief_m * self.rise(wall_m) * buried

    def rise(self, wall_m: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
        """The share of the relief that the ground has reached at a distance (H, W) from the fjord's wall."""
        return 1 - np.exp(-np.maximum(wall_m, 0) / self.wall_width_m)


COAST_CELL_M, COAST_ROUGHNESS_M = 7.0, 45.0
RIDGE_CELL_M, SPUR_CELL_M, ROUGH_CELL_M, UPLAND_CELL_M = 20.0, 8.0, 6.0, 26.0  # metres a table point
UPLAND_DISTANCE_M = 350.0
UPLAND_RIM = 0.25  # in standard deviations of the noise field, from the ice's border to where it buries all ridges
UPLAND_LEVEL = 0.8  # height of the ice caps in units of the relief
TRIBUTARY_ACROSS = 8.0
FRONT_RANGE_M = 1100.0  # fronts stay this close to the origin of the fjord's coordinates


def make_landscape(rng: np.random.Generator, glacier: str, azimuth: float) -> Landscape:
    """Draws a glacier: its width, its relief and its habits. `azimuth` in radians is the direction of the sea."""
    tributary_side = rng.choice([-1.0, 1.0])
    return Landscape(
        glacier=glacier,
        azimuth=azimuth,
        mirrored=bool(rng.random() < 0.5),
        half_width_m=rng.uniform(720, 1050),
        bends=np.array([rng.uniform(60, 260, 3), [9000.0, 5200.0, 3100.0], rng.uniform(0, 2 * np.pi, 3)]),
        opening_m=rng.choice([0.0, 150.0, 900.0]) * rng.uniform(0.7, 1.3),
        mouth_m=rng.uniform(300, 1500),
        tributary_m=rng.uniform(-2600, -FRONT_RANGE_M - 200),
        tributary_slope=tributary_side * rng.uniform(0.7, 1.6),
        relief_m=rng.uniform(700, 1200),
        wall_width_m=rng.uniform(330, 600),
        upland_ice=rng.uniform(0.2, 1.3),
        ice_slope=rng.uniform(0.02, 0.05),
        cliff_m=rng.uniform(25, 60),
        front_m=rng.uniform(-250, 250),
        trend_m_per_year=-rng.uniform(15, 60),
        season_m=rng.uniform(120, 300),
        bow_m=rng.uniform(-300, 260),
        arch_m=rng.uniform(-120, 260),
        speed_m_per_year=rng.uniform(600, 4000),
        ridges=fractal_noise(rng, 5.0, longest=90),
        roughness=fractal_noise(rng, 2.6),
        flow_lines=fractal_noise(rng, 1.7),
        crevasses=banded_noise(rng, 6.0),
    )
