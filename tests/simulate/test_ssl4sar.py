"""The simulated SSL4SAR archive: published layout, one ground for both sensors, nothing of the CaFFe archive."""

import dataclasses
import itertools

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.datasets.ssl4sar.archive import Ssl4SarArchive
from glacierjax.datasets.ssl4sar.optical import BANDS, FILE_BANDS, read_optical
from glacierjax.simulate import ArchiveOptions, Ssl4SarOptions, write_ssl4sar
from glacierjax.simulate.archive import landscape_of
from glacierjax.simulate.ssl4sar import GLACIERS, simulate_optical, simulate_sar, windows

OPTIONS = Ssl4SarOptions(seed=3, scenes=12, size=192)


@pytest.fixture(scope="module", autouse=True)
def two_glaciers():
    """Two of the glaciers: enough to tell, and fast."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glacierjax.simulate.ssl4sar.GLACIERS", GLACIERS[:2])
        yield


@pytest.fixture(scope="module")
def shown(two_glaciers):
    return windows(OPTIONS)


@pytest.fixture(scope="module")
def sar(two_glaciers):
    """The first four scenes: two days of each glacier."""
    return list(itertools.islice(simulate_sar(OPTIONS), 4))


@pytest.fixture(scope="module")
def optical(shown):
    return simulate_optical(OPTIONS, shown[0])


@pytest.fixture(scope="module")
def archive(tmp_path_factory, two_glaciers):
    output = tmp_path_factory.mktemp("simulated")
    assert write_ssl4sar(output, OPTIONS) == {"train": 10, "val": 2}
    return output / "ssl4sar"


def test_the_archive_has_the_published_layout_and_can_be_read(archive, sar):
    folders = ["data_optical", "unlabeled_data_raw_train", "unlabeled_data_raw_val"]
    assert sorted(path.name for path in archive.iterdir()) == folders
    found = Ssl4SarArchive(archive)
    assert found.glaciers() == ["COL", "JAC"]
    assert (archive / "data_optical" / "Columbia_2020_S2.tif").exists(), "spelled as published"
    scenes = {scene.id.name: scene for split in found.splits() for scene in found.scenes(split)}
    for split, name, image in sar:
        np.testing.assert_array_equal(read_grey_png(archive / f"unlabeled_data_raw_{split}" / f"{name}.png"), image)
        assert scenes[name].id.date is not None and scenes[name].id.sensor == "S1"
        file, grid = found.optical_grids[{"COL": "col", "JAC": "jac"}[scenes[name].id.glacier]]
        assert grid.shape == image.shape and grid.is_georeferenced, file


def test_optical_files_have_twenty_described_bands_with_a_gap(archive, optical):
    import rasterio

    path = archive / "data_optical" / "Columbia_2020_S2.tif"
    with rasterio.open(path) as file:
        assert file.count == 20 and file.descriptions == FILE_BANDS and file.crs.to_epsg() == 32606
        np.testing.assert_array_equal(file.read(), optical)
    gap = np.isnan(optical)
    assert 0 < gap.mean() < 0.05 and (gap == gap[0]).all()
    bands = read_optical(path, "x").bands
    assert bands.shape[2] == len(BANDS) and (bands.max((0, 1)) == 255).all()


def test_scenes_of_a_glacier_show_the_same_ground_on_other_days(sar):
    (_, first, image), (_, again, later) = sar[0], sar[2]
    assert first.split("_")[1] == again.split("_")[1] and image.shape == later.shape
    assert (image != later).mean() > 0.5


def test_both_sensors_see_the_same_ground(sar, optical):
    # Rock is dark in snow's bands and rough in the radar: over blocks, what the radar varies by follows the optical band.
    near_infrared = np.nan_to_num(optical[7])
    own = _correlation(sar[0][2], near_infrared)
    assert own > 0.3
    assert own > abs(_correlation(sar[0][2][::-1, ::-1], near_infrared)) + 0.1


def _correlation(image, band, block=12):
    rows, columns = (size // block * block for size in band.shape)

    def blocks(x):
        return x[:rows, :columns].reshape(rows // block, block, columns // block, block)

    spread = np.log1p(blocks(image.astype(float)).std((1, 3)).ravel())
    return abs(np.corrcoef(spread, np.log1p(blocks(band).std((1, 3)).ravel()))[0, 1])


def test_landscapes_are_not_those_of_the_caffe_archive(shown):
    for window in shown:
        caffe = landscape_of(window.landscape.glacier, ArchiveOptions(seed=OPTIONS.seed).seed)
        assert caffe.half_width_m != window.landscape.half_width_m


def test_more_scenes_leave_the_first_ones_alone(sar):
    more = simulate_sar(dataclasses.replace(OPTIONS, scenes=20))
    split, name, image = next(more)
    assert (split, name) == sar[0][:2]
    np.testing.assert_array_equal(image, sar[0][2])


@pytest.mark.parametrize(
    ("field", "value", "flag"), [("scenes", -1, "ssl_scenes"), ("scenes", 11, "ssl_scenes"), ("size", 20, "size")]
)
def test_option_out_of_range_is_named(field, value, flag):
    with pytest.raises(InputError, match=f"{flag}={value}"):
        Ssl4SarOptions(**{field: value})


def test_existing_archive_is_refused_and_left_alone(tmp_path):
    (tmp_path / "ssl4sar").mkdir()
    (tmp_path / "ssl4sar" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="ssl4sar: exists already"):
        write_ssl4sar(tmp_path, OPTIONS)
    assert [p.name for p in tmp_path.rglob("*")] == ["ssl4sar", "mine.txt"]
