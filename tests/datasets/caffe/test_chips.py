"""Whole scenes put together from padded, overlapping chips."""

from pathlib import Path

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.files import encode_png
from glacierjax.datasets.caffe.chips import open_chips
from tfds_builders.caffe.make_dummy_data import SCENES, chip_files, scenes, write_zip


def open_files(tmp_path: Path, files: dict[str, bytes]):
    write_zip(tmp_path / "caffe.zip", files)
    return open_chips(tmp_path / "caffe.zip")


def test_chips_become_the_scenes_that_they_were_cut_from(tmp_path):
    chips = open_files(tmp_path, chip_files())
    assert chips.splits() == ["test", "train", "val"]
    originals = {name: greys for _, name, greys in scenes()}
    found = [(split, name) for split in chips.splits() for name in chips.names(split)]
    assert sorted(name for _, name in found) == sorted(originals)
    for split, name in found:
        scene, greys = chips.read(split, name), originals[name]
        assert (scene.image == greys["sar_images"]).all()
        assert (scene.front == (greys["fronts"] == 255)).all()
        assert np.array([0, 64, 127, 254])[scene.zones].tolist() == greys["zones"].tolist()
        assert scene.box is None


def test_unpacked_chips_are_read_too(tmp_path):
    for name, content in chip_files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert open_chips(tmp_path / "caffe").names("val") == SCENES["train"][:1]


def damaged(change: str) -> tuple[dict[str, bytes], str, str]:
    """Files with one chip of a test image changed, its scene, its path."""
    files, name = chip_files(), SCENES["test"][0]
    path = next(p for p in files if p.startswith(f"caffe/sar_images/test/{name}__"))
    if change == "gone":
        for label in [p for p in files if "sar_images/test" in p and name in p and "_0_0_0.png" in p]:
            del files[label]
    elif change == "other pixels":
        files[path] = encode_png(np.full((32, 32), 7, np.uint8))
    elif change == "truncated":
        files[path] = files[path][:50]
    elif change == "other padding":
        files[path.replace("__", "__9")] = files.pop(path)
    return files, name, path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("gone", "chips are missing"),
        ("other pixels", "differs from the chip that it overlaps"),
        ("truncated", "not a readable image"),
        ("other padding", "disagree on its padding"),
    ],
)
def test_damaged_chips_are_named(tmp_path, change, message):
    files, name, _ = damaged(change)
    with pytest.raises(InputError, match=rf"caffe\.zip:.*{name}.*{message}"):
        open_files(tmp_path, files).read("test", name)


def test_scene_without_label_chips_is_named(tmp_path):
    name = SCENES["test"][0]
    files = {path: content for path, content in chip_files().items() if f"fronts/test/{name}" not in path}
    with pytest.raises(InputError, match=rf"{name}_front__\*\.png: the scene has no chip"):
        open_files(tmp_path, files).read("test", name)


def test_names_that_are_no_chips_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"x\.png: not a chip's name"):
        open_files(tmp_path, {"caffe/sar_images/train/x.png": b""})


def test_zip_without_chips_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder sar_images"):
        open_files(tmp_path, {"other/x.png": b""})
