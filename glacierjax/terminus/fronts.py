"""Fronts of many dates, read from files and laid out in one plane in metres."""

import dataclasses
import datetime
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from jaxtyping import Float
from rasterio.crs import CRS

from glacierjax.core.errors import InputError, some_names, some_reasons
from glacierjax.core.scene_names import facts_of_name
from glacierjax.fronts.verdict import Verdict
from glacierjax.geo.antimeridian import join_lines
from glacierjax.geo.features import LINES, read_features
from glacierjax.geo.georeference import WGS84, equal_area_plane, reproject
from glacierjax.geo.vectors import read_points
from glacierjax.terminus.attributes import OWN, Facts, Fields, passed_on, read_facts, read_quality
from glacierjax.terminus.front_files import POINTS_SUFFIX, files_of
from glacierjax.terminus.places import name_places

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Front:
    """The front of one scene: lines (n, 2), with the glacier on the left; none if there is no front.

    Coordinates: longitude and latitude, or x, y in pixels with `pixel_spacing_m`, or metres in a plane (y upwards).
    `is_own`: written by glacierjax; of others nobody knows on which side of the lines the glacier is. `error_m`, `verdict`: as
    the prediction told them, None: it did not; `told`: further columns that it brought with it (`attributes.PASSED_ON`).
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
    told: Mapping[str, Any] = dataclasses.field(default_factory=dict)


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


def read_fronts(
    patterns: Sequence[str], fields: Fields | None = None, problems: list[str] | None = None
) -> list[Front]:
    """The fronts in files, folders and glob patterns, by date; those without date last.

    A folder may be the output of `glacierjax.predict` or of `glacierjax.timeseries`. Lines of other origin may come in any
    vector format, with `fields` as attributes; where no attribute tells their glacier, they are told apart by place. What is
    wrong with files is added to `problems`, and the others are read. Raises `InputError` for the first such file without
    `problems`, if no file can be read, for what names no fronts, and for scenes that are there twice.
    """
    files = dict.fromkeys(file for pattern in patterns for file in files_of(pattern))
    found: list[tuple[Path, Front]] = []
    guessed = set()
    for file in files:
        try:
            fronts, used = _read_file(file, fields or Fields())
        except InputError as error:
            if problems is None:
                raise
            problems.append(str(error))
            continue
        found += [(file, front) for front in fronts]
        guessed |= used
    if problems and not found:
        raise InputError(some_reasons(problems))
    for attributes in sorted(guessed):
        log.info("date, scene and glacier of lines are taken from %s", ", ".join(attributes) or "file names")
    once: dict[tuple[str, str | None], Front] = {}
    for (file, _), front in zip(found, _named_by_date([front for _, front in found]), strict=True):
        key = front.scene, front.glacier
        if key in once:
            raise InputError(f"{file}: a second front of the scene {front.scene}; give each scene once")
        once[key] = front
    return sorted(_told_apart(list(once.values())), key=lambda front: (front.date or datetime.date.max, front.scene))


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


def _read_file(file: Path, fields: Fields) -> tuple[list[Front], set[tuple[str, ...]]]:
    """The fronts in a file, and the attributes by which lines of other programs were understood."""
    if file.suffix.lower() == POINTS_SUFFIX:
        lines, spacing_m = read_points(file)
        facts = facts_of_name(file.stem)
        return [Front(file.stem, lines, facts.date, facts.glacier, facts.sensor, spacing_m)], set()
    used = set()
    pieces: list[tuple[Facts, bool, list[np.ndarray], dict]] = []
    points = 0
    for shape, properties in read_features(file):
        if shape.geom_type not in LINES:
            raise InputError(f"{file}: a {shape.geom_type} in it; fronts are lines")
        facts = read_facts(properties, fields, file)
        is_own = properties.keys() >= OWN
        if not is_own:
            used.add(facts.used)
        parts = [shapely.get_coordinates(part) for part in shapely.get_parts(shape)]
        with_length = [part for part in parts if np.ptp(part, axis=0).any()]
        points += len(parts) - len(with_length)
        pieces.append((facts, is_own, join_lines(with_length), properties))
    if points:
        log.warning("%s: %d line(s) without length left out, all points of one are the same", file, points)
    dates = _dates_of_names((facts.name, facts.date) for facts, *_ in pieces)
    fronts: dict[tuple, Front] = {}
    for facts, is_own, lines, properties in pieces:
        of_name = dates.get(facts.name or "", set())
        date = next(iter(of_name)) if len(of_name) == 1 else facts.date  # a piece of it may have none
        key = facts.name, facts.glacier, date
        if key in fronts:  # another piece of it
            fronts[key].lines.extend(lines)
        else:
            known = read_quality(properties, file) if is_own else (None, None)
            told = passed_on(properties, is_own)
            fronts[key] = Front(facts.name or "", lines, date, facts.glacier, facts.sensor, None, is_own, *known, told)
    if not fronts:
        facts = facts_of_name(file.stem)
        return [Front(file.stem, [], facts.date, facts.glacier, facts.sensor)], used
    one = len(fronts) == 1
    return [
        front if front.scene else dataclasses.replace(front, scene=file.stem if one else f"{file.stem} {front.date}")
        for front in fronts.values()
    ], used


def _named_by_date(fronts: list[Front]) -> list[Front]:
    """The fronts, those of other programs whose name has several dates named by name and date: it is of no single scene."""
    dates = _dates_of_names((front.scene, front.date) for front in fronts if not front.is_own)
    repeated = {name for name, of_name in dates.items() if len(of_name) > 1}
    if not repeated:
        return fronts
    names = some_names(sorted(repeated))
    log.info(
        "fronts of several dates have the name %s, so it is taken for none of a scene; each date is a front", names
    )
    return [
        dataclasses.replace(front, scene=f"{front.scene} {front.date}")
        if front.scene in repeated and front.date and not front.is_own
        else front
        for front in fronts
    ]


def _dates_of_names(pairs: Iterable[tuple[str | None, datetime.date | None]]) -> dict[str, set[datetime.date]]:
    """The dates that are told with each name."""
    dates: dict[str, set[datetime.date]] = {}
    for name, date in pairs:
        if name and date:
            dates.setdefault(name, set()).add(date)
    return dates


def _told_apart(fronts: list[Front]) -> list[Front]:
    """The fronts, those that name no glacier by their places.

    A front of other programs with parts at two places is two. Of ours it is one: what lies far off in a scene is more often an
    error of the network than another glacier.
    """
    nameless = [front for front in fronts if not front.glacier and front.lines and front.pixel_spacing_m is None]
    groups = [(front, [front.lines] if front.is_own else [[line] for line in front.lines]) for front in nameless]
    places = name_places([lines for _, of_front in groups for lines in of_front]) if nameless else None
    if places is None:
        return fronts
    found = [front for front in fronts if not any(front is other for other in nameless)]
    of_groups = iter(places)
    for front, of_front in groups:
        by_place: dict[str, list[np.ndarray]] = {}
        for lines in of_front:
            by_place.setdefault(next(of_groups), []).extend(lines)
        found += [dataclasses.replace(front, lines=lines, glacier=place) for place, lines in by_place.items()]
    return found
