"""Plain scenes to label."""

import numpy as np
import pytest
from rasterio.crs import CRS

from glacierjax.geo.georeference import Georeference
from glacierjax.geo.rasters import write_raster


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Four scenes of noise, 100 x 80 pixels, of one glacier, one a year: paths and their common grid."""
    folder = tmp_path_factory.mktemp("plain")
    place = Georeference(CRS.from_epsg(32633), (20, 0, 500_000, 0, -20, 8_700_000))
    rng = np.random.default_rng(0)
    paths = [folder / f"S1_{year}-07-01_HH.tif" for year in range(2018, 2022)]
    for path in paths:
        write_raster(path, rng.integers(1, 255, (80, 100)).astype(np.uint8), place, "grey")
    return paths, place
