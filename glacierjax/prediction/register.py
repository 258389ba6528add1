"""Scenes of a series on one grid, by their sizes or by map coordinates, and what an ensemble finds in them."""

import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.choices import CLEAN, REGISTRATIONS, SIZE
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.spacing import average_looks, looks_for
from glacierjax.datasets.series import days_of_dates
from glacierjax.geo.registration import Footprint
from glacierjax.prediction.answers import Answers
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor
from glacierjax.prediction.frames import Frame, FrameByMap, FrameBySize
from glacierjax.prediction.scene_maps import NewArray, SceneMaps
from glacierjax.prediction.series import Series

LARGEST_GAP = 4.0  # the common grid may have so many times the area of the scenes on it
NOT_GEOREFERENCED = (
    "not georeferenced, which `registration`=georeference needs; give a GeoTIFF (for CaFFe, put meta_data.csv beside its "
    "archive), or use `registration`=size"
)


@dataclasses.dataclass(frozen=True, eq=False)
class View:
    """A scene as networks of series see it: `image` with square pixels where scenes are laid over each other by size;
    `place` on the map, of the scene's own pixels; `date`; None: not known."""

    name: str
    image: UInt8[np.ndarray, "_ _"]
    pixel_spacing_m: float
    place: Footprint | None = None
    date: datetime.date | None = None


def check_registration(registration: str | None) -> None:
    if registration is not None and registration not in REGISTRATIONS:
        raise ArgumentError("registration", registration, f"choose {' or '.join(REGISTRATIONS)}")


def check_single(predictor: Predictor, series: str | None, registration: str | None) -> None:
    """Raises `InputError` if networks of single scenes are told how to form series."""
    for name, value in (("series", series), ("registration", registration)):
        if value is not None:
            raise ArgumentError(name, value, f"{predictor.sources[0]} takes single scenes; leave it out")


def answers_of(
    predictor: SeriesPredictor,
    views: dict[str, View],
    series: Series,
    registration: str,
    protocol: str = CLEAN,
    new_array: NewArray = np.zeros,
    positions: Sequence[int] | None = None,
) -> list[SceneMaps]:
    """What the ensemble finds in each wanted scene of a sample, or in those of `positions` alone, on its own pixels.

    `views` by name. The answers are the same for any `positions`. Raises `InputError` for a scene without a place on the map
    or, if the networks need it, without a date.
    """
    frames, grid = lay(predictor, views, series, registration, protocol)
    days = days_of_dates({name: views[name].date for name in series.frames}, series.frames, predictor.needs_dates)
    shown = [frames[name] for name in series.frames]
    positions = series.wanted if positions is None else positions
    answers = [Answers(shown[i], grid, predictor.members > 1, new_array) for i in positions]
    top = 0
    for mean, spread in predictor.series_strips(shown, days, positions, grid, protocol):
        for number, answer in enumerate(answers):
            answer.take(top, mean[:, :, number], spread[:, :, number])
        top += len(mean)
    return [answer.maps for answer in answers]


def lay(
    predictor: SeriesPredictor, views: dict[str, View], series: Series, registration: str, protocol: str = CLEAN
) -> tuple[dict[str, Frame], tuple[int, int]]:
    """The frames of a sample by name, and the (rows, columns) of the grid that they lie on.

    By size it is that of the reference. By map coordinates it has the pixels of the finest wanted scene (of equal ones the
    reference's), which are square there, and holds all wanted scenes. Scenes finer than the networks want are averaged.
    """
    check_registration(registration)
    reference = series.frames[series.reference]
    wanted = [series.frames[i] for i in series.wanted]
    finest = min(wanted, key=lambda name: (round(views[name].pixel_spacing_m, 3), name != reference))
    # By map coordinates no scene is finer than the grid.
    least_m = 0 if registration == SIZE else views[finest].pixel_spacing_m
    spacing_m = max(predictor.pixel_spacing_m, least_m)
    looks = {name: looks_for(view.pixel_spacing_m, spacing_m) for name, view in views.items()}
    images = {name: average_looks(view.image, looks[name]) for name, view in views.items()}
    if registration == SIZE:
        grid = _shape(images[reference])
        tile = predictor.context_px // 2
        return {
            name: FrameBySize(images[name], _shape(view.image), grid, looks[name], protocol, tile)
            for name, view in views.items()
        }, grid
    places = {name: place_of(view) for name, view in views.items()}
    own = places[finest].with_square_pixels().averaged(looks[finest])
    common = own.around([places[name] for name in wanted])
    area = sum(places[name].outline(own).area for name in wanted)
    if common.shape[0] * common.shape[1] > LARGEST_GAP * area:
        raise InputError(
            f"{', '.join(wanted)}: lie far apart on the map, so they are no series; predict them one by one"
        )
    return {
        name: FrameByMap(
            images[name],
            places[name].shape,
            common.map_into(places[name].averaged(looks[name])),
            places[name].map_into(common),
        )
        for name in views
    }, common.shape


def place_of(view: View) -> Footprint:
    """Raises `InputError` for a scene without a place on the map."""
    if view.place is None:
        raise InputError(f"{view.name}: {NOT_GEOREFERENCED}")
    return view.place


def _shape(image: np.ndarray) -> tuple[int, int]:
    return image.shape[0], image.shape[1]
