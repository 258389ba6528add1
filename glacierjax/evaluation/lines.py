"""Fronts given as lines, of any program or person: found for each scene of a split, and drawn on its pixels.

A line belongs to the scene that its attributes or its file name, else to those of its date in which it lies. Where a scene lies
is known when it is read, so what is wrong about places is told then.
"""

import logging
from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Bool, Float
from rasterio import features

from glacierjax.core.errors import InputError, some_names
from glacierjax.core.files import user_path, visible_files
from glacierjax.core.scene_names import parse_name
from glacierjax.datasets.caffe.meta_data import META_DATA
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.run import Predict, PredictedLabels
from glacierjax.geo.features import SUFFIXES
from glacierjax.geo.georeference import WGS84, georeference_of_bounds, reproject
from glacierjax.terminus.attributes import Fields
from glacierjax.terminus.front_files import LINES_FOLDER, POINTS_SUFFIX
from glacierjax.terminus.fronts import Front, read_fronts

log = logging.getLogger(__name__)


def are_lines(fronts: str) -> bool:
    """Whether a file, folder or pattern names lines; a folder without any is one of front images."""
    path = user_path(fronts)
    if not path.is_dir():
        return path.suffix.lower() in (*SUFFIXES, POINTS_SUFFIX)
    return (path / LINES_FOLDER).is_dir() or bool(visible_files(path, (*SUFFIXES, POINTS_SUFFIX)))


def from_lines(fronts: str, names: Sequence[str], fields: Fields | None = None) -> Predict:
    """Draws the lines of each scene, of files as `glacierjax.terminus.fronts.read_fronts` takes them.

    Scenes without a line have no front, and are logged, as are lines of no scene. Raises `InputError` if no line belongs to
    a scene; when a scene is drawn, if it or its lines are not on the map, or two fronts of its date and one glacier lie in it.
    """
    of_scene = _by_scene(read_fronts([fronts], fields), names, fronts)
    return lambda scene: PredictedLabels(_drawn(of_scene[scene.id.name], scene, fronts))


def _by_scene(fronts: Sequence[Front], names: Sequence[str], where: str) -> dict[str, list[Front]]:
    by_name = {name.casefold(): name for name in names}
    scenes = [parse_name(name) for name in names]
    glaciers = {scene.glacier.casefold() for scene in scenes}
    found: dict[str, list[Front]] = {name: [] for name in names}
    by_date: dict[str, list[Front]] = {name: [] for name in names}
    unused = []
    for front in fronts:
        if not front.lines:
            continue
        if (named := by_name.get(front.scene.casefold())) is not None:
            found[named].append(front)
            continue
        glacier = (front.glacier or "").casefold()
        same = [
            one
            for one in scenes
            if one.date == front.date and (one.glacier.casefold() == glacier or glacier not in glaciers)
        ]
        if front.pixel_spacing_m is not None or not same:
            unused.append(front.scene or str(front.date))
        else:
            for scene in same:
                by_date[scene.name].append(front)
    for name, dated in by_date.items():
        found[name] = found[name] or dated
    if not any(found.values()):
        raise InputError(
            f"{where}: no line of a scene of the split: there are {some_names(unused) or 'none'}, expected names or dates as in "
            f"{names[0]}; name the attribute with `name_field` or `date_field`"
        )
    if told := [name for name in names if by_date[name] and found[name] is by_date[name]]:
        log.info("lines of %d scene(s) are told by their date: %s", len(told), some_names(told))
    if unused:
        log.warning("%d line(s) of no scene of the split, left out: %s", len(unused), some_names(unused))
    if without := [name for name, of_one in found.items() if not of_one]:
        log.warning("no line for %d of %d scenes: %s", len(without), len(names), some_names(without))
    return found


def _drawn(fronts: Sequence[Front], scene: LabelledScene, where: str) -> Bool[np.ndarray, "height width"]:
    """The pixels (H, W) of a scene that its lines run through."""
    height, width = shape = scene.zones.shape
    picture = shapely.box(0, 0, width, height)
    in_pixels = [(front, shapely.MultiLineString(_in_pixels(front, scene))) for front in fronts]
    inside = [(front, lines) for front, lines in in_pixels if lines.intersects(picture)]
    is_named = any(front.scene.casefold() == scene.id.name.casefold() for front in fronts)
    if fronts and not inside:
        if is_named:
            raise InputError(
                f"{fronts[0].scene}: its lines lie outside of the scene; is their reference system right, or are they of another "
                "scene?"
            )
        log.warning("%s: the lines of its date lie elsewhere, so it has none", scene.id.name)
    if not inside:
        return np.zeros(shape, bool)
    glaciers = [front.glacier for front, _ in inside]
    if not is_named and len(set(glaciers)) < len(glaciers):
        raise InputError(
            f"{where}: {len(inside)} fronts of {scene.id.date} lie in the scene {scene.id.name} "
            f"({some_names([front.scene for front, _ in inside])}); name the scene in an attribute (`name_field`), or leave the "
            "others out"
        )
    return np.asarray(features.rasterize([lines for _, lines in inside], shape, dtype=np.uint8), bool)


def _in_pixels(front: Front, scene: LabelledScene) -> list[Float[np.ndarray, "point 2"]]:
    if front.pixel_spacing_m is not None:
        return front.lines
    if scene.bounds is None:
        raise InputError(
            f"{scene.id.name}: not georeferenced, so lines on Earth cannot be laid over it; put {META_DATA} beside the data, or "
            "give lines in pixels (.csv)"
        )
    place = georeference_of_bounds(scene.bounds, scene.zones.shape)
    return [place.to_pixels(reproject(line, WGS84, place.crs)) for line in front.lines]
