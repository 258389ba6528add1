"""The SSL4SAR builder, run on a small invented archive (TFDS's own test case needs TensorFlow)."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from glacierjax.core.files import encode_png
from glacierjax.datasets.ssl4sar.archive import SAR_FOLDERS
from glacierjax.datasets.ssl4sar.optical import FILE_BANDS, read_optical
from glacierjax.datasets.ssl4sar.prepared import open_optical, open_unlabelled
from tfds_builders.build import main
from tfds_builders.ssl4sar.made_archive import SCENES, SHAPES, archive_files, geotiff

TRAIN, VAL = SAR_FOLDERS.values()
COL_OPTICAL = "data_optical/Columbia_2020.tif"
FIRST = f"{TRAIN}/S1_COL_20190105_000"


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def build(tmp_path: Path, *flags: str) -> int:
    where = (f"--data_dir={tmp_path / 'data'}", f"--manual_dir={tmp_path / 'manual'}")
    return main(["tfds_builders/ssl4sar", *where, *flags])


def test_both_configs_hold_what_the_archive_holds(tmp_path, capsys):
    files = archive_files()
    write(tmp_path / "manual", files)
    assert build(tmp_path) == 0, capsys.readouterr().err
    for split, scenes in SCENES.items():
        built = open_unlabelled(tmp_path / "data", split)
        assert built.ids() == scenes
        for (name, _), image in zip(scenes, built.images(), strict=True):
            original = Image.open(io.BytesIO(files[f"{SAR_FOLDERS[split]}/{name}.png"]))
            np.testing.assert_array_equal(image, np.asarray(original))
    record = open_unlabelled(tmp_path / "data", "train").record(0)
    assert (record["sensor"], record["date"]) == (b"S1", b"2019-01-05")
    assert open_unlabelled(tmp_path / "data", "train").record(2)["date"] == b""
    optical = open_optical(tmp_path / "data")
    images = dict(zip(optical.glaciers(), optical.images(), strict=True))
    assert {glacier: bands.shape for glacier, bands in images.items()} == {g: (*s, 14) for g, s in SHAPES.items()}
    np.testing.assert_array_equal(images["COL"], read_optical(files[COL_OPTICAL], "x").bands)
    record = open_optical(tmp_path / "data").record(0)
    assert rasterio.CRS.from_wkt(record["crs"].decode()).to_epsg() == 32606
    assert record["transform"].tolist() == [10, 0, 500_000, 0, -10, 6_700_000]


def without(files, part):
    return {name: content for name, content in files.items() if part not in name}


def bands(shape, change=None):
    stack = np.random.default_rng(1).random((len(FILE_BANDS), *shape)).astype(np.float32)
    return geotiff(stack if change is None else change(stack))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda f: without(f, "Columbia"),
            f"{FIRST}: no optical image of the glacier COL in data_optical; there are: Hubbard",
        ),
        (lambda f: {**f, COL_OPTICAL: bands((40, 50))}, f"{FIRST}: 52 x 40 pixels, but"),
        (lambda f: {**f, COL_OPTICAL: bands((40, 52), lambda b: b[:13])}, "Columbia_2020.tif: 13 bands"),
        (lambda f: {**f, COL_OPTICAL: bands((40, 52), lambda b: b * 0)}, r"band 1 \(B1\): the band is constant"),
        (lambda f: {**f, f"{FIRST}.png": b"no PNG"}, "S1_COL_20190105_000.png: not a readable image"),
        (lambda f: without(without(f, "png"), "tif"), "nothing of SSL4SAR in it; get the archives"),
    ],
    ids=["no partner", "other size", "few bands", "constant", "no image", "nothing"],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_left(tmp_path, capsys, spoil, message):
    write(tmp_path / "manual", {**spoil(archive_files()), "readme.txt": b"x"})
    assert build(tmp_path) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and re.search(message, error), error
    left = {path.parts[-4] for path in (tmp_path / "data").rglob("dataset_info.json")}
    assert left <= {"ssl4sar"} and not list((tmp_path / "data").rglob("*incomplete*"))


def test_unreadable_scenes_can_be_left_out(tmp_path, capsys):
    write(tmp_path / "manual", {**archive_files(), f"{FIRST}.png": b"no PNG"})
    assert build(tmp_path, "--config=sar", "--allow_bad") == 0
    built = open_unlabelled(tmp_path / "data", "train", "ssl4sar/sar-allow_bad")
    assert [name for name, _ in built.ids()] == [name for name, _ in SCENES["train"][1:]]
    assert "1 skipped" in capsys.readouterr().out


def test_scenes_alone_can_be_built_without_optical_images(tmp_path):
    write(tmp_path / "manual", without(archive_files(), "data_optical"))
    assert build(tmp_path) == 0
    assert len(open_unlabelled(tmp_path / "data", "train")) == 3
    assert not (tmp_path / "data" / "ssl4sar" / "optical").exists()


def test_resampling_brings_the_optical_image_to_the_scenes_grid(tmp_path, capsys):
    files = without(archive_files(), "Hubbard")
    scenes = {name: content for name, content in files.items() if name.endswith(".png")}
    rng = np.random.default_rng(0)
    as_geotiff = {
        n.replace(".png", ".tif"): geotiff(rng.integers(0, 255, (1, 40, 52)).astype(np.uint8)) for n in scenes
    }
    coarse = geotiff(rng.random((20, 20, 26)).astype(np.float32), spacing_m=20)
    write(tmp_path / "manual", {**as_geotiff, COL_OPTICAL: coarse})
    assert build(tmp_path) == 2
    assert "--resample" in capsys.readouterr().err
    assert build(tmp_path, "--resample") == 0, capsys.readouterr().err
    optical = open_optical(tmp_path / "data", "ssl4sar/optical-resample")
    assert (optical.glaciers(), next(optical.images()).shape) == (["COL"], (40, 52, 14))
    assert len(open_unlabelled(tmp_path / "data", "train", "ssl4sar/sar-resample")) == 2
    # Scenes without georeference cannot be a target.
    write(
        tmp_path / "other" / "manual",
        {**scenes, COL_OPTICAL: coarse, f"{FIRST}.png": encode_png(np.zeros((40, 52), np.uint8))},
    )
    assert build(tmp_path / "other", "--resample") == 2
    assert "cannot be resampled" in capsys.readouterr().err
