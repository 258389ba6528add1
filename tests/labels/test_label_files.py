"""Files that `label` is given beside lines: other places, other scales, other polarisations."""

import json

import numpy as np
import pytest
import shapely
from drawn_lines import NORTH, label_plain, straight
from helpers import run_here
from rasterio.crs import CRS
from vector_files import write_vectors

from glacierjax.core.errors import InputError
from glacierjax.geo.georeference import Georeference
from glacierjax.geo.rasters import write_raster


@pytest.mark.parametrize("name", ["rock", "glacier", "ocean"])
def test_polygons_and_rasters_of_another_place_do_not_pass_unsaid(plain, tmp_path, name, caplog):
    shapes, rows = [straight(plain[1], *NORTH)] * 2, [{"date": f"{year}-07-01"} for year in (2018, 2020)]
    far = write_vectors(tmp_path / "far.geojson", [shapely.box(-50, 60, -49, 61)], [{"what": name}], 4326)
    assert len(label_plain(plain, tmp_path, shapes, rows, **{name: str(far)})) == 2
    assert "far.geojson: says nothing of " in caplog.text
    assert all(f"S1_{year}-07-01_HH.tif" in caplog.text for year in (2018, 2020))
    place = Georeference(CRS.from_epsg(32633), (20, 0, 100_000, 0, -20, 7_700_000))
    write_raster(tmp_path / "far.tif", np.full((10, 10), 255, np.uint8), place, name)
    with pytest.raises(InputError, match=rf"{name}='.*far.tif': shows nothing of .*; give that of their ground"):
        label_plain(plain, tmp_path, shapes, rows, **{name: str(tmp_path / "far.tif")})


def test_what_was_guessed_of_a_scene_is_overridden_by_the_flags_that_the_log_names(plain, tmp_path):
    """Power without a word that tells it, guessed as amplitude, and 7 along a border, guessed as no data."""
    power = np.random.default_rng(1).gamma(40, 0.025, (80, 100)).astype(np.float32)
    power[:, 90:] = 7
    write_raster(tmp_path / "S1_2018-07-01_HH.tif", power, plain[1], "grey")
    lines = write_vectors(tmp_path / "f.geojson", [straight(plain[1], *NORTH)], [{"date": "2018-07-01"}], 4326)
    files = (f"--scenes={tmp_path / 'S1_2018-07-01_HH.tif'}", f"--fronts={lines}")
    readings = []
    for number, flags in enumerate([[], ["--scale=power", "--nodata=none"]]):
        done = run_here("glacierjax.label", *files, f"--output={tmp_path / str(number)}", *flags)
        assert done.returncode == 0 and ("--scale and --nodata override" in done.stderr) == (not flags)
        (facts,) = json.loads((tmp_path / str(number) / "labels.json").read_text())["scenes"].values()
        readings.append((facts["reading"]["scale"], facts["reading"]["nodata"]))
    assert readings == [("amplitude", "7"), ("power", "")]


def test_cross_polarised_scenes_are_labelled_where_they_are_asked_for(plain, tmp_path):
    folder = tmp_path / "scenes"
    image = np.random.default_rng(1).integers(1, 255, (80, 100)).astype(np.uint8)
    write_raster(folder / "S1_2018-07-01_HV.tif", image, plain[1], "grey")
    lines = write_vectors(tmp_path / "f.geojson", [straight(plain[1], *NORTH)], [{"date": "2018-07-01"}], 4326)
    files = (f"--scenes={folder}", f"--fronts={lines}", f"--output={tmp_path / 'out'}")
    refused = run_here("glacierjax.label", *files)
    assert refused.returncode == 2 and "give --polarisation=HV" in refused.stderr
    assert run_here("glacierjax.label", *files, "--polarisation=HV").returncode == 0
