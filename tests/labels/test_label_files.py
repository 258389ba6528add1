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
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.meta_data import META_DATA, read_meta_data
from glacierjax.datasets.caffe.na_rule import na_is_unlabelled
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


def test_labels_of_another_split_stay(plain, tmp_path):
    def label(split, year):
        return label_plain(plain, tmp_path, [straight(plain[1], *NORTH)], [{"date": f"{year}-07-01"}], split=split)

    (train,) = label("train", 2018)
    (test,) = label("test", 2019)
    archive = open_archive(tmp_path / "out")
    assert (archive.names("train"), archive.names("test")) == ([train.name], [test.name])
    assert na_is_unlabelled("stated", archive)
    places = read_meta_data(tmp_path / "out" / META_DATA).by_name()
    assert sorted(places) == sorted([train.name, test.name]) and None not in places.values()
    label("test", 2018)  # moves there from train, and what test had is replaced
    archive = open_archive(tmp_path / "out")
    assert (list(archive.splits()), archive.names("test")) == (["test"], [train.name])


def test_a_label_that_cannot_be_made_again_stays_and_is_named(plain, tmp_path, caplog):
    shapes, rows = [straight(plain[1], *NORTH)] * 2, [{"date": f"{year}-07-01"} for year in (2018, 2019)]
    names = [scene.name for scene in label_plain(plain, tmp_path, shapes, rows)]
    cut = tmp_path / "S1_2018-07-01_HH.tif"
    cut.write_bytes(plain[0][0].read_bytes()[:300])
    with pytest.raises(InputError, match="1 scenes labelled, "):
        label_plain(([cut, *plain[0][1:]], plain[1]), tmp_path, shapes, rows)
    assert open_archive(tmp_path / "out").names("train") == names
    assert f"kept from an earlier run, because of the problems of this one: {names[0]}" in caplog.text
