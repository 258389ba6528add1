"""What networks of series find in scenes of one place: a record for each scene, as for a single one."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from glacierjax.core.choices import GEOREFERENCE, SIZE
from glacierjax.core.errors import InputError
from glacierjax.geo.areas import Area
from glacierjax.geo.nodata import fill_specks, missing_areas
from glacierjax.geo.registration import Footprint
from glacierjax.geo.scenes import Scene
from glacierjax.prediction.ensemble import SeriesPredictor
from glacierjax.prediction.grouping import LAST, Group
from glacierjax.prediction.priors import NOTHING_KNOWN, ScenePriors
from glacierjax.prediction.register import NOT_GEOREFERENCED, View, answers_of, check_registration
from glacierjax.prediction.scene import Prediction, SeriesNote, prediction_of, with_square_pixels
from glacierjax.prediction.scene_maps import SceneMaps
from glacierjax.prediction.series import Series
from glacierjax.prediction.spool import Spool


def keep_scene(scene: Scene, spool: Spool) -> Scene:
    """The scene with large arrays in files."""
    return dataclasses.replace(scene, image=spool.keep(scene.image), valid=spool.keep(scene.valid))


def find_fronts(
    predictor: SeriesPredictor,
    scenes: Mapping[str, Scene],
    series: Series,
    registration: str,
    spool: Spool,
    area: Area | None = None,
    positions: Sequence[int] | None = None,
    priors: Mapping[str, ScenePriors] | None = None,
) -> list[Callable[[], Prediction]]:
    """What the networks say of the wanted scenes of a sample, or of those of `positions` alone: for each scene a function that
    makes its prediction. To be called once and one after the other: an error of one scene leaves the answers of the others.

    `scenes`: of all frames, by name; `registration`: "size" or "georeference"; `area`: where a front may be; `priors` by name.
    Rules for single missing pixels and for pixels that are not square as in `glacierjax.prediction.scene.find_front`.
    """
    views = {name: _view(scene, registration, spool) for name, scene in scenes.items()}
    positions = series.wanted if positions is None else positions
    answers = answers_of(predictor, views, series, registration, new_array=spool.array, positions=positions)
    priors = priors or {}
    note = SeriesNote(tuple(dict.fromkeys(series.frames)), registration)

    def predicted(name: str, maps: SceneMaps) -> Prediction:
        scene, known = scenes[name], priors.get(name, NOTHING_KNOWN)
        return prediction_of(predictor, scene, missing_areas(scene.valid), maps, area, known, note)

    wanted = (series.frames[position] for position in positions)
    return [functools.partial(predicted, name, maps) for name, maps in zip(wanted, answers, strict=True)]


def group_of(scenes: Sequence[Scene], registration: str | None = None) -> Group:
    """Scenes that somebody says are a series. Registration None: by map coordinates if all have them, else by size.

    Raises `InputError` if by map coordinates a scene has none, or shares no ground with the first one.
    """
    check_registration(registration)
    places = {scene.name: place_of_scene(scene) for scene in scenes}
    how = registration or (SIZE if None in places.values() else GEOREFERENCE)
    if how == GEOREFERENCE:
        first, first_place = scenes[0].name, places[scenes[0].name]
        for name, place in places.items():
            if place is None or first_place is None:
                raise InputError(f"{name if place is None else first}: {NOT_GEOREFERENCED}")
            if first_place.shared_with(place) == 0:
                raise InputError(f"{name}: shares no ground with {first}, so they are no series; leave one of them out")
    dates = {scene.name: scene.facts.date for scene in scenes}
    order = sorted(dates, key=lambda name: (dates[name] or LAST, name))
    return Group({name: dates[name] for name in order}, how)


def place_of_scene(scene: Scene) -> Footprint | None:
    """Where a scene lies on the map; None: not known."""
    height, width = scene.image.shape
    return Footprint(scene.georeference, (height, width)) if scene.georeference else None


def _view(scene: Scene, registration: str, spool: Spool) -> View:
    image: np.ndarray = fill_specks(scene.image, scene.valid, missing_areas(scene.valid))
    if registration == SIZE:
        image = with_square_pixels(image, scene.pixel_sides_m)
    return View(scene.name, spool.keep(image), scene.pixel_spacing_m, place_of_scene(scene), scene.facts.date)
