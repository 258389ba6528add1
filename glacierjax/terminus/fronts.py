"""Fronts of many dates, read from files and laid out in one plane in metres."""

import dataclasses
import datetime
import glob
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from rasterio.crs import CRS

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path, visible_files
from glacierjax.core.scene_names import facts_of_name, parse_date
from glacierjax.geo.antimeridian import join_lines
from glacierjax.geo.areas import JSON_SUFFIXES, LINES, read_features
from glacierjax.geo.georeference import WGS84, equal_area_plane, reproject
from glacierjax.geo.vectors import read_points

LINES_FOLDER = "lines"  # of the output of glacierjax.predict
POINTS_SUFFIX = ".csv"


@dataclasses.dataclass(frozen=True, eq=False)
class Front:
    """The front of one scene: lines (n, 2), with the glacier on the left; none if there is no front.

    Coordinates: longitude and latitude, or x, y in pixels with `pixel_spacing_m`, or metres in a plane (y upwards).
    """

    scene: str
    lines: list[np.ndarray]
    date: datetime.date | None
    glacier: str | None
    sensor: str | None
    pixel_spacing_m: float | None = None


@dataclasses.dataclass(frozen=True)
class Plane:
    """Metres, y upwards. `crs` None: of the pixels of scenes that share one grid of `pixel_spacing_m`."""

    crs: CRS | None
    pixel_spacing_m: float | None = None

    def from_lonlat(self, points: np.ndarray, where: str) -> np.ndarray:
        """Points (n, 2) of longitude and latitude; `InputError` naming `where` in a plane of pixels."""
        if self.crs is None:
            raise InputError(f"{where}: on Earth, but the fronts are in pixels of scenes that are not georeferenced")
        return reproject(points, WGS84, self.crs)

    def from_pixels(self, points: np.ndarray, where: str) -> np.ndarray:
        """Points (n, 2) x, y in pixels, y downwards; `InputError` naming `where` in a plane of the Earth."""
        if self.pixel_spacing_m is None:
            raise InputError(f"{where}: in pixels, but the fronts lie on Earth; give GeoJSON polygons")
        return points * (self.pixel_spacing_m, -self.pixel_spacing_m)


def read_fronts(patterns: Sequence[str]) -> list[Front]:
    """The fronts in files, folders and glob patterns, by date; those without date last.

    A folder may be the output of `glacierjax.predict`. Raises `InputError` for what names no fronts, and for scenes
    that are there twice.
    """
    files = dict.fromkeys(file for pattern in patterns for file in _files(pattern))
    fronts: dict[str, Front] = {}
    for file in files:
        for front in _read_file(file):
            if front.scene in fronts:
                raise InputError(f"{file}: a second front of the scene {front.scene}; give each scene once")
            fronts[front.scene] = front
    return sorted(fronts.values(), key=lambda front: (front.date or datetime.date.max, front.scene))


def lay_out(fronts: Sequence[Front]) -> tuple[list[Front], Plane]:
    """The fronts in metres, and the plane: equal-area around them, or that of their pixels.

    Raises `InputError` if some are on Earth and some in pixels. Pixels are of one size (`inputs.choose_spacing`).
    """
    spacings = {front.pixel_spacing_m for front in fronts if front.lines}
    if not spacings:
        raise InputError(
            "--fronts: none of the scenes has a front; look at the overlays, and at --box of the prediction"
        )
    if len(spacings) > 1:
        raise InputError("--fronts: some in pixels, some on Earth; give those of one kind")
    spacing_m = spacings.pop()
    if spacing_m is not None:
        plane = Plane(None, spacing_m)
        move = plane.from_pixels
    else:
        plane = Plane(equal_area_plane(np.concatenate([line for front in fronts for line in front.lines])))
        move = plane.from_lonlat
    placed = [dataclasses.replace(f, lines=[move(line, f.scene) for line in f.lines]) for f in fronts]
    return placed, plane


def _files(pattern: str) -> list[Path]:
    path = user_path(pattern)
    if path.is_dir():
        folder = path / LINES_FOLDER if (path / LINES_FOLDER).is_dir() else path
        suffixes = (*JSON_SUFFIXES, POINTS_SUFFIX)
        files = visible_files(folder, suffixes)
    else:
        files = [path] if path.exists() else [Path(file) for file in sorted(glob.glob(str(path)))]  # noqa: PTH207
    if not files:
        raise InputError(
            f"--fronts={pattern}: no front lines there (.geojson or .csv of `python -m glacierjax.predict`)"
        )
    return files


def _read_file(file: Path) -> list[Front]:
    if file.suffix.lower() == POINTS_SUFFIX:
        lines, spacing_m = read_points(file)
        return [_front(file.stem, lines, {}, spacing_m)]
    by_scene: dict[str, tuple[list[np.ndarray], dict]] = {}
    for shape, properties in read_features(file):
        if shape.geom_type not in LINES:
            raise InputError(f"{file}: a {shape.geom_type} in it; fronts are lines")
        lines, _ = by_scene.setdefault(str(properties.get("scene") or file.stem), ([], properties))
        lines += join_lines([shapely.get_coordinates(part) for part in shapely.get_parts(shape)])
    by_scene = by_scene or {file.stem: ([], {})}
    return [_front(scene, lines, properties) for scene, (lines, properties) in by_scene.items()]


def _front(scene: str, lines: list[np.ndarray], properties: dict, spacing_m: float | None = None) -> Front:
    """What the file does not say, the scene's name may."""
    facts = facts_of_name(scene)
    date = parse_date(str(properties["date"]), scene) if properties.get("date") else facts.date
    glacier, sensor = properties.get("glacier") or facts.glacier, properties.get("sensor") or facts.sensor
    return Front(scene, lines, date, glacier, sensor, spacing_m)
