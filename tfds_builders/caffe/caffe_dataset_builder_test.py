"""The CaFFe builder, run on its dummy data (TFDS's own test case needs TensorFlow)."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.files import encode_png
from glacierjax.datasets.caffe.meta_data import write_meta_data
from glacierjax.datasets.caffe.prepared import open_split
from tfds_builders.caffe.caffe_dataset_builder import Builder, CaffeConfig
from tfds_builders.caffe.make_dummy_data import (
    DUMMY_DATA,
    SCENES,
    chip_files,
    data_raw_files,
    labelled_scenes,
    scenes,
    write_zip,
)

NAME = SCENES["train"][0]


def build(tmp_path: Path, manual_dir: Path, config: str | CaffeConfig = "scenes") -> Any:
    builder = Builder(config=config, data_dir=tmp_path / "data")
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=manual_dir))
    return builder


def records(builder: Any, split: str) -> dict[str, dict]:
    raw = builder.as_data_source(
        split=split, decoders={key: tfds.decode.SkipDecoding() for key in ("image", "zones", "front")}
    )
    return {record["name"].decode(): record for record in raw}


def pixels(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded)))


@pytest.mark.parametrize("config", ["scenes", "chips"])
def test_records_hold_the_drawn_scenes(tmp_path, config):
    builder = build(tmp_path, DUMMY_DATA, config)
    assert {split: info.num_examples for split, info in builder.info.splits.items()} == {
        "train": 3,
        "val": 1,
        "test": 2,
    }
    found = {name: r for split in builder.info.splits for name, r in records(builder, split).items()}
    originals = {name: greys for _, name, greys in scenes()}
    assert sorted(found) == sorted(originals)
    for name, greys in originals.items():
        assert (pixels(found[name]["image"]) == greys["sar_images"]).all()
        assert (pixels(found[name]["front"]) == greys["fronts"]).all()
        assert np.array([0, 64, 127, 254])[pixels(found[name]["zones"])].tolist() == greys["zones"].tolist()
        assert np.isnan(found[name]["bounding_box"]).all() == (config == "chips")
    record = found["Crane_2002-11-09_ERS_20_2_061"]
    texts = {key: record[key].decode() for key in ("glacier", "date", "sensor", "orbit", "season")}
    assert texts == {"glacier": "Crane", "date": "2002-11-09", "sensor": "ERS", "orbit": "061", "season": "summer"}
    assert (record["pixel_spacing_m"], record["quality"]) == (20, 2)


def test_records_are_in_the_order_of_their_names(tmp_path):
    names = list(records(build(tmp_path, DUMMY_DATA), "train"))
    assert names == sorted(names)


def test_dummy_data_is_what_its_maker_writes(tmp_path):
    for file, files in (("data_raw.zip", data_raw_files()), ("caffe.zip", chip_files())):
        write_zip(tmp_path / file, files)
        assert digest(tmp_path / file) == digest(DUMMY_DATA / file), "run make_dummy_data again"


def digest(path: Path) -> str:
    """Of names and pixels: the same PNG may be compressed differently elsewhere."""
    import zipfile

    total = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            total.update(name.encode() + (pixels(content).tobytes() if name.endswith(".png") else content))
    return total.hexdigest()


@pytest.mark.parametrize("na", ["class", "auto", "unlabelled"])
def test_na_decides_on_the_valid_mask(tmp_path, na):
    builder = build(tmp_path, DUMMY_DATA, CaffeConfig(name=f"scenes-{na}", na=na))
    record = builder.as_data_source(split="train")[0]
    if na == "unlabelled":
        assert ((record["valid"] == 255) == (record["zones"] != 0)).all()
    else:  # the dummy scenes have rock
        assert record["valid"].shape[:2] == (1, 1), "all pixels count, so no mask is stored"
    assert builder.info.metadata["na_means"] == ("not labelled" if na == "unlabelled" else "a zone")


def without_rock(name: str, content: bytes) -> bytes:
    if "/zones/" not in name:
        return content
    zones = pixels(content).copy()
    zones[zones == 64] = 127
    return encode_png(zones)


def test_auto_marks_na_as_unlabelled_where_no_rock_is_drawn(tmp_path):
    write_zip(tmp_path / "data_raw.zip", {n: without_rock(n, c) for n, c in data_raw_files().items()})
    record = build(tmp_path, tmp_path, CaffeConfig(name="auto", na="auto")).as_data_source(split="train")[0]
    assert 0 < (record["valid"] == 0).mean() < 0.5


def test_data_raw_is_found_zipped_unpacked_or_as_the_folder_itself(tmp_path):
    for name, content in data_raw_files().items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for i, manual_dir in enumerate((DUMMY_DATA, tmp_path / "unpacked", tmp_path / "unpacked" / "data_raw")):
        assert "scenes" in Builder.configs_in(manual_dir)
        assert build(tmp_path / str(i), manual_dir).info.splits["train"].num_examples == 3


def test_nothing_to_build_from_says_what_to_get(tmp_path):
    with pytest.raises(InputError, match=r"neither data_raw nor caffe\.zip in it; get data_raw\.zip .*CC-BY 4\.0"):
        Builder.configs_in(tmp_path)
    with pytest.raises(InputError, match="empty"):
        build(tmp_path, tmp_path / "none")


def bad_archive(tmp_path: Path) -> Path:
    files = data_raw_files()
    files[f"data_raw/zones/train/{NAME}_zones.png"] = b"no PNG"
    write_zip(tmp_path / "data_raw.zip", files)
    return tmp_path


def test_bad_scene_stops_the_build_and_leaves_no_data_set(tmp_path):
    with pytest.raises(InputError, match=rf"{NAME}_zones\.png: not a readable image.*--allow_bad"):
        build(tmp_path, bad_archive(tmp_path))
    assert not list((tmp_path / "data").rglob("dataset_info.json"))
    assert not list((tmp_path / "data").rglob("*array_record*"))


def test_allow_bad_skips_and_lists_bad_scenes(tmp_path):
    builder = build(tmp_path, bad_archive(tmp_path), CaffeConfig(name="lenient", allow_bad=True))
    names = [name for split in builder.info.splits for name in records(builder, split)]
    assert len(names) == 5 and NAME not in names
    metadata: Any = tfds.builder_from_directory(builder.data_path).info.metadata
    (skipped,) = metadata["skipped"]
    assert f"{NAME}_zones.png" in skipped


def test_archive_without_a_readable_scene_is_refused_even_then(tmp_path):
    bad = {name: b"" if "/zones/" in name else content for name, content in data_raw_files().items()}
    write_zip(tmp_path / "data_raw.zip", bad)
    with pytest.raises(InputError, match="none of the labelled scenes can be read"):
        build(tmp_path, tmp_path, CaffeConfig(name="lenient", allow_bad=True))


@pytest.mark.parametrize("field", ["na", "distribution"])
def test_unknown_choice_in_a_config_is_refused(field):
    wrong: Any = {field: "maybe"}
    with pytest.raises(InputError, match=f"{field}='maybe': unknown"):
        CaffeConfig(name="x", **wrong)


def with_table(tmp_path: Path, without: str = "") -> Path:
    """The dummy archive and a table of where its scenes lie, all of them but `without`."""
    write_zip(tmp_path / "data_raw.zip", data_raw_files())
    bounds = {}
    for _, scene in labelled_scenes():
        (height, width), side = scene.image.shape, scene.id.pixel_spacing_m
        bounds[scene.id.name] = MapBounds("EPSG:3031", 1000.0, 2000.0, 1000.0 + width * side, 2000.0 + height * side)
    write_meta_data(tmp_path, {name: one for name, one in bounds.items() if name != without})
    return tmp_path


def test_map_bounds_of_a_table_beside_the_archive_are_kept(tmp_path):
    builder = build(tmp_path, with_table(tmp_path))
    split = open_split(tmp_path / "data", "train")
    scene = split[0]
    assert split.places[0] == (scene.bounds, scene.image.shape)
    assert scene.bounds is not None and scene.bounds.crs == "EPSG:3031"
    assert scene.bounds.transform(scene.image.shape)[0] == scene.id.pixel_spacing_m
    without = build(tmp_path / "other", DUMMY_DATA)
    for built, known in ((builder, True), (without, False)):
        record = built.as_data_source(split="train")[0]
        assert (record["crs"] != b"", not np.isnan(record["map_bounds"]).any()) == (known, known)


def test_a_table_without_a_scene_stops_the_build(tmp_path):
    with pytest.raises(InputError, match=rf"meta_data\.csv: no row for the scene {NAME}"):
        build(tmp_path, with_table(tmp_path, without=NAME))
