"""Training on series that are laid over each other by map coordinates: from the records to where frames lie."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.settings import SeriesDataSettings
from glacierjax.recipes.finetune import register_by_map

NAMES = ("COL_2012-01-03_TDX_20_1_092", "COL_2012-02-03_S1_10_1_092")
PLACES = [
    (MapBounds("EPSG:32606", 500_000.0, 6_000_000.0, 502_000.0, 6_001_000.0), (50, 100)),
    (MapBounds("EPSG:32606", 500_200.0, 6_000_000.0, 502_200.0, 6_001_000.0), (100, 200)),
]


def split(places) -> Any:
    return SimpleNamespace(ids=[parse_name(name) for name in NAMES], places=places)


def test_frames_lie_where_the_records_say():
    places = register_by_map(split(PLACES), SeriesDataSettings())(1, 0)
    row, column = places.places(np.arange(2), np.arange(20))
    assert row[:, 0].tolist() == [0.5, 2.5] and column[0, [0, 10]].tolist() == [-19.5, 0.5]


def test_averaged_scenes_lie_there_too():
    register = register_by_map(split(PLACES), SeriesDataSettings(pixel_spacing_m=20))
    row, column = register(1, 0).places(np.arange(2), np.arange(20))
    assert row[:, 0].tolist() == [0, 1] and column[0, [0, 10]].tolist() == [-10, 0]


def test_a_scene_without_map_bounds_is_named():
    with pytest.raises(
        InputError, match=rf"no map bounds of {NAMES[1]}, which `config.data.registration`=georeference"
    ):
        register_by_map(split([PLACES[0], None]), SeriesDataSettings(dir="data"))
