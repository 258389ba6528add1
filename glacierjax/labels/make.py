"""Makes a data set in CaFFe's layout from scenes and front lines: what `glacierjax label` does."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.crs import CRS

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import ArgumentError, InputError, some_names, some_reasons
from glacierjax.core.files import write_png
from glacierjax.core.progress import track
from glacierjax.core.scene_names import SceneId
from glacierjax.core.seasons import check_months
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import NOT_LABELLED
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.splits import TRAIN
from glacierjax.datasets.caffe.writer import write_scene, write_statement
from glacierjax.geo.areas import Area, read_area
from glacierjax.geo.covers import Cover, read_cover
from glacierjax.geo.georeference import WGS84, reproject
from glacierjax.geo.inputs import find_sources
from glacierjax.geo.scenes import ReadOptions, read_scene
from glacierjax.geo.sources import shown_path, whole_path
from glacierjax.geo.summer import SummerScenes, summer_scenes
from glacierjax.labels.earlier import OVERLAYS, SCENES, SPLIT, files_of, kept_of, read_earlier, write_places
from glacierjax.labels.frames import Frame, bounds_of, read_frames
from glacierjax.labels.lines import BY_NAME, Line, read_lines, scene_of
from glacierjax.labels.names import name_scene
from glacierjax.labels.sides import Sided, by_glacier, side_by_point, side_by_shares, sides_of_others
from glacierjax.labels.zones import Place, divide_place, draw_zones, lay_box
from glacierjax.reports.figures import label_picture
from glacierjax.terminus.attributes import Fields

log = logging.getLogger(__name__)

COVERS = {"rock": Zone.ROCK, "glacier": Zone.GLACIER, "ocean": Zone.OCEAN_ICE_MELANGE}


@dataclasses.dataclass(frozen=True)
class LabelOptions:
    """`rock`, `glacier`, `ocean`: files of polygons or (raster) masks, "": none; `glacier_points`: "X,Y" on the glacier, in
    longitude and latitude or in the reference system of the scenes; `box`: where fronts may be, "": around each line;
    `summer`: "nearest" of the scenes, or a
    file: the summer scene that is stored with each, "": none; `summer_months` without sea ice, (): by hemisphere;
    `glacier_name`: instead of what tells it; `split`: of the data set; `fields`: attributes of the lines; `read`: how scenes
    are read."""

    rock: str = ""
    glacier: str = ""
    ocean: str = ""
    glacier_points: tuple[str, ...] = ()
    summer: str = ""
    summer_months: tuple[int, ...] = ()
    box: str = ""
    glacier_name: str = ""
    split: str = TRAIN
    fields: Fields = dataclasses.field(default_factory=Fields)
    read: ReadOptions = dataclasses.field(default_factory=ReadOptions)


@dataclasses.dataclass(frozen=True, eq=False)
class _Job:
    """A front with its scene, its box and, once it is known, its side."""

    place: Place
    matched_by: str
    sided: Sided | None = None


def label_scenes(scenes: Sequence[str], fronts: Sequence[str], output: Path, options: LabelOptions) -> list[SceneId]:
    """Writes a labelled scene for each front into the folder `output`, its overlay first; returns what they are called.

    A front or scene that cannot be used is logged and stops no other one. Raises `InputError` at the end if there were such,
    and names them; at once for what is wrong with the options, and if `output` holds something else than an earlier result.
    """
    covers = {zone: read_cover(path) for name, zone in COVERS.items() if (path := getattr(options, name))}
    area = read_area(options.box) if options.box else None
    points = [_point(text) for text in options.glacier_points]
    earlier = read_earlier(output)
    sources = _find(scenes, options.read.polarisation)
    check_months(options.summer_months, bool(options.summer))
    summer = summer_scenes(options.summer, sources, options.summer_months, options.read) if options.summer else None
    frames, problems = read_frames(sources)
    lines, more = read_lines(fronts, options.fields)
    problems += more
    for problem in problems:
        log.info("%s", problem)
    matched = _match(lines, frames, area, options, problems)
    _tell_of_covers_beside([job.place.frame for job in matched], covers)
    jobs = _with_sides(matched, covers, points, problems)
    written: dict[str, dict[str, Any]] = {}
    ids: list[SceneId] = []
    places: dict[str, MapBounds | None] = {}
    for job in track(jobs, len(jobs), "scenes labelled"):
        try:
            made = _make(job, covers, summer, options, [scene.name for scene in ids])
        except InputError as error:
            _note(problems, str(error))
            continue
        scene, drawn_facts = made
        written[scene.id.name] = {SPLIT: options.split, **drawn_facts}
        # Before the scene: without it, what is not labelled would be taken for the class NA.
        write_statement(output, NOT_LABELLED, {SCENES: {**earlier, **written}})
        write_png(output / OVERLAYS / f"{scene.id.name}.png", label_picture(scene))
        write_scene(output, options.split, scene)
        ids.append(scene.id)
        places[scene.id.name] = bounds_of(job.place.frame, scene.id.pixel_spacing_m)
    if ids:
        kept = kept_of(earlier, written, options.split, bool(problems))
        for left_over in sorted(files_of(earlier) - files_of(written) - files_of(kept)):
            (output / left_over).unlink(missing_ok=True)
        write_places(output, places, kept)
        write_statement(output, NOT_LABELLED, {SCENES: {**kept, **written}})
        used = {job.place.frame.where for job in jobs}
        unused = [frame.name for frame in frames if frame.where not in used]
        if unused:
            log.info("without a front, so left out: %s", some_names(unused))
        log.info("written: %d scenes in %s; look at %s before training", len(ids), output, output / OVERLAYS)
    if problems:
        raise InputError(f"{len(ids)} scenes labelled, {len(problems)} problem(s): {some_reasons(problems)}")
    return ids


def _find(scenes: Sequence[str], polarisation: str | None) -> list:
    try:
        return find_sources(scenes, polarisation)
    except ArgumentError as error:
        raise ArgumentError("scenes", error.value, error.advice) from None


def _note(problems: list[str], problem: str) -> None:
    log.info("%s", problem)
    problems.append(problem)


def _match(
    lines: Sequence[Line], frames: Sequence[Frame], area: Area | None, options: LabelOptions, problems: list[str]
) -> list[_Job]:
    """The fronts with their scenes and boxes; of several fronts of one glacier in one scene the first."""
    jobs: dict[tuple[str, str | None], _Job] = {}
    by_date = []
    for line in lines:
        try:
            frame, matched_by = scene_of(line, frames, bool(options.fields.name))
            key = frame.where, line.front.glacier
            if key in jobs:
                first = jobs[key].place.line.where
                raise InputError(
                    f"{line.where}: a second front of {frame.where} beside that of {first}; keep one of them"
                )
            jobs[key] = _Job(lay_box(line, frame, area), matched_by)
        except InputError as error:
            _note(problems, str(error))
            continue
        if matched_by != BY_NAME:
            by_date.append(frame.name)
    if by_date:
        log.info("scenes of %d front(s) told by date and place: %s", len(by_date), some_names(by_date))
    return list(jobs.values())


def _tell_of_covers_beside(frames: Sequence[Frame], covers: Mapping[Zone, Cover]) -> None:
    """Logs of which scenes covers say nothing. Raises `ArgumentError` for a raster that shows the ground of none."""
    for name, zone in COVERS.items():
        if (cover := covers.get(zone)) is None:
            continue
        beside = [frame.where for frame in frames if not cover.meets(frame.shape, frame.georeference)]
        if beside and len(beside) == len(frames) and cover.area is None:
            raise ArgumentError(name, cover.where, f"shows nothing of {some_names(beside)}; give that of their ground")
        if beside:
            log.warning("%s: says nothing of %s", cover.where, some_names(beside))


def _with_sides(
    jobs: Sequence[_Job], covers: Mapping[Zone, Cover], points: Sequence[np.ndarray], problems: list[str]
) -> list[_Job]:
    """The jobs whose side of the glacier is known, with their lines turned accordingly (plane of the place)."""
    fronts = [job.place.line.front for job in jobs]
    sided: dict[int, Sided] = {}
    failed: set[int] = set()
    for i, job in enumerate(jobs):
        try:
            if (told := _told(job.place, covers, points)) is not None:
                sided[i] = told
        except InputError as error:
            _note(problems, str(error))
            failed.add(i)
    for group in by_glacier(fronts):
        numbers = [i for i in group if i not in failed]
        known = {k: sided[i] for k, i in enumerate(numbers) if i in sided}
        for k, found in sides_of_others([fronts[i] for i in numbers], known).items():
            i = numbers[k]
            if isinstance(found, str):
                _note(problems, f"{jobs[i].place.line.where}: {found}")
                continue
            place = jobs[i].place
            turned = [bool((new[0] != old[0]).any()) for new, old in zip(found.lines, fronts[i].lines, strict=True)]
            flipped = [line[::-1] if turn else line for line, turn in zip(place.lines, turned, strict=True)]
            sided[i] = dataclasses.replace(found, lines=flipped)
    counts: dict[str, list[str]] = {}
    for i, told in sided.items():
        counts.setdefault(told.told_by, []).append(jobs[i].place.frame.name)
    for told_by, names in counts.items():
        log.info("side of the glacier told by the %s: %s", told_by, some_names(names))
    if turned_round := [jobs[i].place.line.where for i, told in sided.items() if told.turned]:
        log.warning("drawn with the glacier on the right, so turned round: %s", some_names(turned_round))
    return [dataclasses.replace(jobs[i], sided=sided[i]) for i in sorted(sided)]


def _told(place: Place, covers: Mapping[Zone, Cover], points: Sequence[np.ndarray]) -> Sided | None:
    """The side that a point or polygons tell; None if they do not."""
    if points:
        on_plane = [reproject(_lonlat(point, place.frame)[None], WGS84, place.crs)[0] for point in points]
        middle = np.concatenate(place.lines).mean(0)
        nearest = min(on_plane, key=lambda point: float(np.hypot(*(point - middle))))
        return side_by_point(place.polygon, place.lines, nearest, place.line.where)
    frame = place.frame
    if not covers.keys() - {Zone.ROCK}:
        return None
    masks = {zone: cover.mask(frame.shape, frame.georeference) for zone, cover in covers.items()}
    divided = divide_place(place, place.lines, masks.get(Zone.ROCK))
    if divided is None:
        return None
    left, right = place.on_grid(divided.glacier), place.on_grid(divided.ocean)

    def shares(zone: Zone) -> tuple[float, float]:
        mask = masks.get(zone)
        if mask is None:
            return 0.0, 0.0
        return float(mask[left].mean()) if left.any() else 0.0, float(mask[right].mean()) if right.any() else 0.0

    return side_by_shares(place.lines, shares(Zone.GLACIER), shares(Zone.OCEAN_ICE_MELANGE))


def _make(
    job: _Job,
    covers: Mapping[Zone, Cover],
    summer: SummerScenes | None,
    options: LabelOptions,
    taken: Sequence[str],
) -> tuple[LabelledScene, dict[str, Any]]:
    """The labelled scene of a front, and what is to be remembered of how it was made."""
    place, sided = job.place, job.sided
    assert sided is not None
    frame, line = place.frame, place.line
    scene = read_scene(frame.source, options.read)
    if scene.image.shape != frame.shape or scene.georeference is None:
        raise InputError(f"{frame.where}: changed while it was read; start again")
    if scene.pixel_sides_m is not None:
        along_row, along_column = scene.pixel_sides_m
        raise InputError(
            f"{frame.where}: pixels of {along_row:.3g} m x {along_column:.3g} m are not square; warp the scene to a map in "
            "metres (gdalwarp -t_srs EPSG:3413, say)"
        )
    for note in scene.warnings:
        log.warning("%s: %s", frame.where, note)
    masks = {zone: cover.mask(frame.shape, frame.georeference) for zone, cover in covers.items()}
    drawn = draw_zones(place, sided.lines, masks, scene.valid)
    scene_id = name_scene(line, frame, options.glacier_name, scene.pixel_spacing_m, taken)
    seen = summer and summer.for_scene(frame.source, scene_id.date, frame.georeference, frame.shape)
    if summer is not None and seen is None:
        log.warning("%s: no summer scene of its ground", frame.where)
    facts = {
        "files": [shown_path(whole_path(tile.path)) for tile in frame.source.tiles],
        "front": line.where,
        "matched_by": job.matched_by,
        "side_told_by": sided.told_by,
        "turned_round": sided.turned,
        "box": options.box or "around the line",
        "summer": seen and seen.name,
        "labelled_share": round(float(drawn.valid.mean()), 4),
        "reading": dict(scene.reading),
    }
    labels = (drawn.zones, drawn.front, drawn.box, drawn.valid)
    return LabelledScene(scene_id, scene.image, *labels, masks.get(Zone.ROCK), seen and seen.grey), facts


def _point(text: str) -> np.ndarray:
    """The numbers (2,) of "X,Y"."""
    try:
        x, y = (float(part) for part in text.replace(";", ",").split(","))
    except ValueError:
        raise ArgumentError("glacier_point", text, "expected two numbers, X,Y or longitude,latitude") from None
    return np.array([x, y])


def _lonlat(point: np.ndarray, frame: Frame) -> np.ndarray:
    """A point that may be in the reference system of a scene, as longitude and latitude."""
    x, y = point
    if abs(x) <= 360 and abs(y) <= 90:
        return point
    try:
        return reproject(point[None], frame.georeference.crs, WGS84)[0]
    except InputError:
        crs = CRS(frame.georeference.crs).to_string()[:20]
        raise ArgumentError(
            "glacier_point", f"{x:g},{y:g}", f"lies nowhere in {crs}, the system of {frame.where}"
        ) from None
