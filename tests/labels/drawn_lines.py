"""Drawn lines over plain scenes, and labels made of them."""

import numpy as np
import shapely
from vector_files import write_vectors

from glacierjax.labels.make import LabelOptions, label_scenes

NORTH = ((50, 70), (50, 10))  # runs north: the glacier lies in the west


def straight(place, *corners):
    """A line through these pixels (column, row), in longitude and latitude."""
    return shapely.LineString(place.to_lonlat(np.array(corners, float)))


def label_plain(plain, tmp_path, shapes, rows, **options):
    paths, _ = plain
    fronts = write_vectors(tmp_path / "fronts.geojson", shapes, rows, 4326)
    return label_scenes([str(path) for path in paths], [str(fronts)], tmp_path / "out", LabelOptions(**options))
