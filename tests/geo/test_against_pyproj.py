"""Vertices and lengths against pyproj, which has its own PROJ and geodesics."""

import json

import numpy as np
import pytest
import shapely
from rasterio.crs import CRS
from shapely.geometry import shape

from glacierjax.geo.georeference import Georeference, segment_lengths_m
from glacierjax.geo.vectors import feature

pyproj = pytest.importorskip("pyproj", reason="pyproj (extra [test]) is not installed")
GEOD = pyproj.Geod(ellps="WGS84")
LINE_PX = np.array([[10.25, 590], [120, 455.5], [333.3, 310], [300, 200], [410, 95], [580, 10]])


def grid(epsg, lon, lat, angle_deg=0.0, shear=0.0, size=20.0):
    """A grid of 600 x 600 pixels around a place, turned and sheared."""
    x, y = pyproj.Transformer.from_crs(4326, epsg, always_xy=True).transform(lon, lat)
    cos, sin = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    linear = size * np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, shear], [0, -1]])
    x0, y0 = (x, y) - linear @ (300, 300)
    return Georeference(CRS.from_epsg(epsg), (*linear[0], x0, *linear[1], y0))


@pytest.mark.parametrize(
    "georeference",
    [
        grid(32622, -50.2, 69.2),
        grid(32708, -132, -72.5),
        grid(3413, -45, 78),
        grid(3031, 179.999, -77.5),
        grid(3031, 120, -66),
        grid(4326, -50.2, 69.2, size=2e-4),
        grid(4326, 179.999, -70, size=2e-4),
        grid(32622, -50.2, 69.2, angle_deg=33),
        grid(3413, 20, 79, angle_deg=-100),
        grid(32622, -50.2, 69.2, shear=0.4),
        grid(3031, 179.999, -77.5, angle_deg=12, shear=-0.3),
    ],
    ids=[
        "UTM",
        "UTM south",
        "3413",
        "3031 at 180",
        "3031",
        "degrees",
        "degrees at 180",
        "rotated",
        "3413 rotated",
        "sheared",
        "3031 rotated and sheared at 180",
    ],
)
def test_vertices_lie_within_a_centimetre_of_pyprojs(georeference):
    member = json.loads(json.dumps(feature(georeference.to_lonlat(LINE_PX), {})))
    written = np.concatenate([shapely.get_coordinates(part) for part in shapely.get_parts(shape(member["geometry"]))])
    assert (np.abs(written[:, 0]) <= 180).all()
    written = written[np.abs(written[:, 0]) != 180]  # where the line was cut
    a, b, c, d, e, f = georeference.transform
    x, y = a * LINE_PX[:, 0] + b * LINE_PX[:, 1] + c, d * LINE_PX[:, 0] + e * LINE_PX[:, 1] + f
    to_lonlat = pyproj.Transformer.from_crs(georeference.crs.to_epsg(), 4326, always_xy=True)
    _, _, distance_m = GEOD.inv(*to_lonlat.transform(x, y), *written.T)
    assert distance_m.max() < 0.01


@pytest.mark.parametrize(("length_m", "below_deg", "off"), [(20, 88, 1e-6), (1000, 88, 1e-6), (50_000, 80, 1e-4)])
def test_lengths_are_those_of_geodesics(length_m, below_deg, off):
    rng = np.random.default_rng(0)
    lon, lat, azimuth = rng.uniform((-180, -below_deg, 0), (180, below_deg, 360), (300, 3)).T
    lon_end, lat_end, _ = GEOD.fwd(lon, lat, azimuth, np.full(300, length_m))
    ours = [segment_lengths_m(np.array(ends))[0] for ends in zip(zip(lon, lat), zip(lon_end, lat_end))]  # noqa: B905
    np.testing.assert_allclose(ours, length_m, rtol=off)
