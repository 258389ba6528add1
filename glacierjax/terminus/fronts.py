"""Fronts of many dates, read from files and laid out in one plane in metres."""

import dataclasses
import datetime
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Float
from rasterio.crs import CRS

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import named_paths, user_path, visible_files
from glacierjax.core.scene_names import facts_of_name
from glacierjax.fronts.verdict import Verdict
from glacierjax.geo.antimeridian import join_lines
from glacierjax.geo.features import JSON_SUFFIXES, LINES, SUFFIXES, read_features
from glacierjax.geo.georeference import WGS84, equal_area_plane, reproject
from glacierjax.geo.vectors import read_points
from glacierjax.terminus.attributes import OWN, Fields, read_facts, read_quality
from glacierjax.terminus.places import name_places

log = logging.getLogger(__name__)

LINES_FOLDER = "lines"  # of the output of glacierjax.predict
JUDGED = "judged.geojson"  # of that of glacierjax.timeseries
POINTS_SUFFIX = ".csv"


@dataclasses.dataclass(frozen=True, eq=False)
class Front:
    """The front of one scene: lines (n, 2), with the glacier on the left; none if there is no front.

    Coordinates: longitude and latitude, or x, y in pixels with `pixel_spacing_m`, or metres in a plane (y upwards).
    `is_own`: written by glacierjax; of others nobody knows on which side of the lines the glacier is. `error_m`, `verdict`: as
    the prediction told them, None: it did not.
    """

    scene: str
    lines: list[np.ndarray]
    date: datetime.date | None
    glacier: str | None
    sensor: str | None
    pixel_spacing_m: float | None = None
    is_own: bool = True
    error_m: float | None = None
    verdict: Verdict | None = None


@dataclasses.dataclass(frozen=True)
class Plane:
    """Metres, y upwards. `crs` None: of the pixels of scenes that share one grid of `pixel_spacing_m`."""

    crs: CRS | None
    pixel_spacing_m: float | None = None

    def from_lonlat(self, points: Float[np.ndarray, "point 2"], where: str) -> Float[np.ndarray, "point 2"]:
        """Points (n, 2) of longitude and latitude; `InputError` naming `where` in a plane of pixels."""
        if self.crs is None:
            raise InputError(f"{where}: on Earth, but the fronts are in pixels of scenes that are not georeferenced")
        return reproject(points, WGS84, self.crs)

    def from_pixels(self, points: Float[np.ndarray, "point 2"], where: str) -> Float[np.ndarray, "point 2"]:
        """Points (n, 2) x, y in pixels, y downwards; `InputError` naming `where` in a plane of the Earth."""
        if self.pixel_spacing_m is None:
            raise InputError(f"{where}: in pixels, but the fronts lie on Earth; give GeoJSON polygons")
        return points * (self.pixel_spacing_m, -self.pixel_spacing_m)


def read_fronts(patterns: Sequence[str], fields: Fields | None = None) -> list[Front]:
    """The fronts in files, folders and glob patterns, by date; those without date last.

    A folder may be the output of `glacierjax.predict` or of `glacierjax.timeseries`. Lines of other origin may come in any
    vector format, with `fields` as attributes; where no attribute tells their glacier, they are told apart by place. Raises
    `InputError` for what names no fronts, and for scenes that are there twice.
    """
    files = dict.fromkeys(file for pattern in patterns for file in files_of(pattern))
    fronts: dict[tuple[str, str | None], Front] = {}
    guessed = set()
    for file in files:
        found, used = _read_file(file, fields or Fields())
        guessed |= used
        for front in found:
            key = front.scene, front.glacier
            if key in fronts:
                raise InputError(f"{file}: a second front of the scene {front.scene}; give each scene once")
            fronts[key] = front
    for attributes in sorted(guessed):
        log.info("date, scene and glacier of lines are taken from %s", ", ".join(attributes) or "file names")
    return sorted(_told_apart(list(fronts.values())), key=lambda front: (front.date or datetime.date.max, front.scene))


def lay_out(fronts: Sequence[Front]) -> tuple[list[Front], Plane]:
    """The fronts in metres, and the plane: equal-area around them, or that of their pixels.

    Raises `InputError` if some are on Earth and some in pixels. Pixels are of one size (`inputs.choose_spacing`).
    """
    spacings = {front.pixel_spacing_m for front in fronts if front.lines}
    if not spacings:
        raise InputError(
            "`fronts`: none of the scenes has a front; look at the overlays, and at `box` of the prediction"
        )
    if len(spacings) > 1:
        raise InputError("`fronts`: some in pixels, some on Earth; give those of one kind")
    spacing_m = spacings.pop()
    if spacing_m is not None:
        plane = Plane(None, spacing_m)
        move = plane.from_pixels
    else:
        plane = Plane(equal_area_plane(np.concatenate([line for front in fronts for line in front.lines])))
        move = plane.from_lonlat
    placed = [dataclasses.replace(f, lines=[move(line, f.scene) for line in f.lines]) for f in fronts]
    return placed, plane


def files_of(pattern: str) -> list[Path]:
    """The files with front lines that a file, a folder or a pattern names. Raises `InputError` if there are none."""
    path = user_path(pattern)
    if path.is_dir():
        folder = path / LINES_FOLDER if (path / LINES_FOLDER).is_dir() else path
        if folder == path and (path / JUDGED).is_file():
            return [path / JUDGED]
        # A scene may be there in several formats; those that predict always writes come first.
        files = visible_files(folder, (*JSON_SUFFIXES, POINTS_SUFFIX)) or visible_files(folder, SUFFIXES)
    else:
        files = [file for file in named_paths(path) if not file.is_dir()]
    if not files:
        raise ArgumentError("fronts", pattern, f"no front lines there ({', '.join((*SUFFIXES, POINTS_SUFFIX))})")
    return files


def _read_file(file: Path, fields: Fields) -> tuple[list[Front], set[tuple[str, ...]]]:
    """The fronts in a file, and the attributes by which lines of other programs were understood."""
    if file.suffix.lower() == POINTS_SUFFIX:
        lines, spacing_m = read_points(file)
        facts = facts_of_name(file.stem)
        return [Front(file.stem, lines, facts.date, facts.glacier, facts.sensor, spacing_m)], set()
    fronts: dict[tuple, Front] = {}
    used = set()
    for shape, properties in read_features(file):
        if shape.geom_type not in LINES:
            raise InputError(f"{file}: a {shape.geom_type} in it; fronts are lines")
        facts = read_facts(properties, fields, file)
        is_own = OWN in properties
        if not is_own:
            used.add(facts.used)
        key = facts.name, facts.glacier, None if facts.name else facts.date
        lines = join_lines([shapely.get_coordinates(part) for part in shapely.get_parts(shape)])
        if key in fronts:  # another piece of it
            fronts[key].lines.extend(lines)
        else:
            known = read_quality(properties, file) if is_own else (None, None)
            fronts[key] = Front(facts.name or "", lines, facts.date, facts.glacier, facts.sensor, None, is_own, *known)
    if not fronts:
        facts = facts_of_name(file.stem)
        return [Front(file.stem, [], facts.date, facts.glacier, facts.sensor)], used
    one = len(fronts) == 1
    return [
        front if front.scene else dataclasses.replace(front, scene=file.stem if one else f"{file.stem} {front.date}")
        for front in fronts.values()
    ], used


def _told_apart(fronts: list[Front]) -> list[Front]:
    """The fronts, those of other programs that name no glacier by their places; parts of a front at two places are two."""
    nameless = [front for front in fronts if not front.is_own and not front.glacier and front.lines]
    if not nameless or any(front.pixel_spacing_m for front in nameless):
        return fronts
    places = name_places([line for front in nameless for line in front.lines])
    if places is None:
        return fronts
    found = [front for front in fronts if not any(front is other for other in nameless)]
    of_lines = iter(places)
    for front in nameless:
        by_place: dict[str, list[np.ndarray]] = {}
        for line in front.lines:
            by_place.setdefault(next(of_lines), []).append(line)
        found += [dataclasses.replace(front, lines=lines, glacier=place) for place, lines in by_place.items()]
    return found
