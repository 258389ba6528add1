"""overview.html: all glaciers of a campaign on one map and in one table; opens from disk and needs no network."""

import dataclasses
import datetime
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
from jaxtyping import Float
from rasterio.crs import CRS

from glacierjax.core.errors import InputError
from glacierjax.geo.georeference import WGS84, equal_area_plane, reproject
from glacierjax.reports.content import MISSING
from glacierjax.reports.page import template

WIDTH, HEIGHT, MARGIN = 1000, 620, 40
LEAST_RADIUS, MOST_RADIUS = 4.0, 16.0
MOST_LABELS = 30
LABEL_SHARE = 0.25  # of the map's width, for the longest names
WIDEST_PLANE_DEG = 100.0  # of latitude; beyond it a plane would distort too much, so the map is one of degrees
GRID_STEPS_DEG = (0.25, 0.5, 1, 2, 5, 10, 20, 30)
LEAST_SPAN_DEG = 0.5
# Upper bound of the rejected share -> colour, from blue to red, told apart by the colour-blind too (ColorBrewer).
SHARES = ((0.05, "#2c7fb8"), (0.2, "#7fcdbb"), (0.5, "#fe9929"), (1.0, "#cc4c02"))


@dataclasses.dataclass(frozen=True)
class GlacierFacts:
    """What a campaign found of one glacier. `scenes` with a result; `fronts`: scenes with one, of which some are `doubtful` or
    `rejected`; `longest_gap_days` between fronts that are not rejected, None: fewer than two; `without_result`: tasks; `months`
    with a monthly front, `gaps`: months without one between them; `links`: (text, path from the page) of its monthly fronts;
    `problem`: what is missing of these, and why."""

    id: str
    name: str
    region: str
    longitude: float
    latitude: float
    scenes: int = 0
    fronts: int = 0
    doubtful: int = 0
    rejected: int = 0
    first: datetime.date | None = None
    last: datetime.date | None = None
    longest_gap_days: int | None = None
    without_result: int = 0
    months: int = 0
    gaps: int = 0
    links: tuple[tuple[str, str], ...] = ()
    problem: str = ""

    @property
    def rejected_share(self) -> float:
        return self.rejected / self.fronts if self.fronts else 0.0


class _Dot(NamedTuple):
    x: float
    y: float
    radius: float
    colour: str
    number: int
    title: str
    label: str

    @property
    def is_at_right(self) -> bool:
        """Whether a label to the right of it would be cut off."""
        return self.x > WIDTH * (1 - LABEL_SHARE)


COLUMNS = (
    "Glacier",
    "Name",
    "Region",
    "Scenes",
    "Fronts",
    "Doubtful",
    "Rejected",
    "Rejected, %",
    "First",
    "Last",
    "Longest gap, days",
    "No result",
    "Months",
    "Months between",
    "Monthly fronts",
)


def overview_text(glaciers: Sequence[GlacierFacts], title: str, version: str) -> str:
    """The page of all glaciers, at least one."""
    lonlat = np.array([(one.longitude, one.latitude) for one in glaciers], float)
    to_map = _projection(lonlat)
    dots = _dots(glaciers, to_map(lonlat))
    total = {
        name: sum(getattr(one, name) for one in glaciers)
        for name in ("scenes", "fronts", "doubtful", "rejected", "without_result", "months", "gaps")
    }
    return template("overview.html").render(
        title=title,
        version=version,
        glaciers=len(glaciers),
        total=total,
        size=(WIDTH, HEIGHT),
        grid=_grid(lonlat, to_map),
        dots=dots,
        legend=_legend(),
        header=COLUMNS,
        rows=[(_cells(one), _links(one), one.problem) for one in glaciers],
        missing=MISSING,
    )


def _cells(one: GlacierFacts) -> list[str]:
    share = f"{100 * one.rejected_share:.0f}" if one.fronts else MISSING
    days = MISSING if one.longest_gap_days is None else str(one.longest_gap_days)
    dates = [MISSING if date is None else date.isoformat() for date in (one.first, one.last)]
    counts = [str(count) for count in (one.scenes, one.fronts, one.doubtful, one.rejected)]
    months = [str(one.months), str(one.gaps)] if one.months else [MISSING, MISSING]
    return [one.id, one.name, one.region, *counts, share, *dates, days, str(one.without_result), *months]


def _links(one: GlacierFacts) -> list[tuple[str, str]]:
    """(text, address) of the last column."""
    return [(text, quote(path)) for text, path in one.links]


def _colour(one: GlacierFacts) -> str:
    if not one.fronts:
        return "none"
    return next(colour for bound, colour in SHARES if one.rejected_share <= bound)


def _legend() -> list[tuple[str, str]]:
    """(colour, meaning) of the dots."""
    lower = [0.0, *(bound for bound, _ in SHARES)]
    parts = [
        (colour, f"{100 * below:.0f} to {100 * bound:.0f} % rejected")
        for below, (bound, colour) in zip(lower, SHARES, strict=False)
    ]
    return [*parts, ("none", "no front")]


def _dots(glaciers: Sequence[GlacierFacts], points: Float[np.ndarray, "glacier 2"]) -> list[_Dot]:
    """The largest first, so that small ones lie on top."""
    most = max(one.fronts for one in glaciers) or 1
    dots = []
    for number, (one, (x, y)) in enumerate(zip(glaciers, points.round(1).tolist(), strict=True), 1):
        radius = LEAST_RADIUS + (MOST_RADIUS - LEAST_RADIUS) * (one.fronts / most) ** 0.5
        title = f"{one.name}: {one.fronts} fronts of {one.scenes} scenes, {one.rejected} rejected"
        label = one.name if len(glaciers) <= MOST_LABELS else ""
        dots.append(_Dot(x, y, round(radius, 1), _colour(one), number, title, label))
    return sorted(dots, key=lambda dot: -dot.radius)


class _Projection(NamedTuple):
    """From longitude and latitude to the picture. `plane` None: a map of degrees."""

    plane: CRS | None
    middle: Float[np.ndarray, "2"]
    scale: float

    def flat(self, lonlat: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        if self.plane is None:
            return np.array(lonlat)
        return reproject(lonlat, WGS84, self.plane)

    def __call__(self, lonlat: Float[np.ndarray, "point 2"]) -> Float[np.ndarray, "point 2"]:
        return (self.flat(lonlat) - self.middle) * (self.scale, -self.scale) + (WIDTH / 2, HEIGHT / 2)


def _projection(lonlat: Float[np.ndarray, "glacier 2"]) -> _Projection:
    wide = np.ptp(lonlat[:, 1]) > WIDEST_PLANE_DEG
    plane = None if wide else equal_area_plane(lonlat)
    first = _Projection(plane, np.zeros(2), 1.0)
    flat = first.flat(lonlat)
    unit = 1.0 if wide else 111_000.0
    spans = np.maximum(np.ptp(flat, axis=0), LEAST_SPAN_DEG * unit)
    scale = float(((WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN) / spans).min())
    return first._replace(middle=(flat.min(0) + flat.max(0)) / 2, scale=scale)


def _grid(lonlat: Float[np.ndarray, "glacier 2"], to_map: _Projection) -> list[tuple[str, str]]:
    """(points of a polyline, its label) of the parallels and meridians around the glaciers."""
    low, high = lonlat[:, 1].min(), lonlat[:, 1].max()
    tall = max(high - low, LEAST_SPAN_DEG)
    step = next((step for step in GRID_STEPS_DEG if tall / step <= 6), GRID_STEPS_DEG[-1])
    south, north = max(step * np.floor(low / step - 1), -90.0), min(step * np.ceil(high / step + 1), 90.0)
    middle = float(np.degrees(np.angle(np.exp(1j * np.radians(lonlat[:, 0])).mean())))
    wide = min(tall / max(np.cos(np.radians((low + high) / 2)), 0.1), 180.0)
    aside = np.abs((lonlat[:, 0] - middle + 180) % 360 - 180).max()
    half = min(max(aside, wide / 2, LEAST_SPAN_DEG) * 1.5, 180.0)
    if to_map.plane is None:
        middle, half = 0.0, 180.0
    turn = next((step for step in GRID_STEPS_DEG if half / step <= 4), GRID_STEPS_DEG[-1])
    along = np.linspace(0, 1, 41)
    lines = []
    for latitude in np.arange(south, north + step / 2, step):
        points = np.column_stack([middle - half + 2 * half * along, np.full(len(along), latitude)])
        lines.append((points, f"{abs(latitude):g}° {'N' if latitude >= 0 else 'S'}"))
    for longitude in np.arange(turn * np.floor((middle - half) / turn), middle + half + turn / 2, turn):
        points = np.column_stack([np.full(len(along), longitude), south + (north - south) * along])
        east = (longitude + 180) % 360 - 180
        lines.append((points, f"{abs(east):g}° {'E' if east >= 0 else 'W'}"))
    drawn = []
    for points, label in lines:
        try:
            on_map = to_map(points).round(1).tolist()
        except InputError:  # a point that the plane cannot show
            continue
        drawn.append((" ".join(f"{x:g},{y:g}" for x, y in on_map), label))
    return drawn
