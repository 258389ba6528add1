"""CaFFe's data_raw, whole and damaged, in a folder and in a zip file."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.core.files import encode_png
from glacierjax.datasets.caffe.archive import open_archive
from tfds_builders.caffe.make_dummy_data import SCENES, data_raw_files, scenes, write_zip

NAME = SCENES["train"][0]
IMAGE, ZONES, FRONT = (
    f"{folder}/train/{NAME}{suffix}.png"
    for folder, suffix in (("sar_images", ""), ("zones", "_zones"), ("fronts", "_front"))
)
BOX = f"bounding_boxes/{NAME}__bounding_box.txt"


@pytest.fixture
def data_raw(tmp_path) -> Path:
    for name, content in data_raw_files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "data_raw"


@pytest.fixture
def data_raw_zip(tmp_path) -> Path:
    write_zip(tmp_path / "data_raw.zip", data_raw_files())
    return tmp_path / "data_raw.zip"


def read(path: Path, name: str = NAME):
    return open_archive(path).read("train", name)


def test_scene_has_the_drawn_labels(data_raw):
    greys = {name: greys for _, name, greys in scenes()}[NAME]
    scene = read(data_raw)
    assert scene.id.name == NAME
    assert (scene.image == greys["sar_images"]).all()
    assert np.unique(scene.zones).tolist() == [0, 1, 2, 3]
    assert (scene.front == (greys["fronts"] == 255)).all()
    height, width = scene.image.shape
    assert scene.box == BoundingBox(4, 3, width, height + 0.5)
    assert scene.valid is None


def test_zip_is_read_like_the_folder_without_unpacking(data_raw, data_raw_zip):
    before = sorted(data_raw_zip.parent.iterdir())
    folder, archive = open_archive(data_raw), open_archive(data_raw_zip)
    assert archive.splits() == folder.splits() == ["test", "train"]
    for split in folder.splits():
        assert archive.names(split) == folder.names(split) == sorted(SCENES[split])
        for name in folder.names(split):
            a, b = archive.read(split, name), folder.read(split, name)
            assert (a.image == b.image).all() and (a.zones == b.zones).all() and (a.front == b.front).all()
            assert a.box == b.box
    assert sorted(data_raw_zip.parent.iterdir()) == before


def test_folder_around_data_raw_will_do(data_raw):
    assert open_archive(data_raw.parent).names("train") == open_archive(data_raw).names("train")


def test_linked_folders_are_read_and_links_that_lead_back_are_not_followed(data_raw, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    for folder in data_raw.iterdir():
        (linked / folder.name).symlink_to(folder)
    (data_raw / "sar_images" / "back").symlink_to(data_raw)
    (linked / "up").symlink_to(tmp_path)
    for split in SCENES:
        assert open_archive(linked).names(split) == open_archive(data_raw).names(split)


def test_files_beside_the_data_do_not_matter(data_raw):
    (data_raw / "README.md").write_text("x")
    (data_raw / "index.csv").write_text("x")
    (data_raw / "sar_images" / "train" / ".DS_Store").write_text("x")
    assert open_archive(data_raw).names("train") == sorted(SCENES["train"])


def test_rock_drawn_as_63_is_rock(data_raw):
    zones = np.asarray(Image.open(data_raw / ZONES)).copy()
    zones[zones == 64] = 63
    (data_raw / ZONES).write_bytes(encode_png(zones))
    assert (read(data_raw).zones == 1).any()


def test_missing_split_is_just_not_there(data_raw):
    shutil.rmtree(data_raw / "sar_images" / "test")
    assert open_archive(data_raw).splits() == ["train"]
    with pytest.raises(InputError, match="no split 'test'; there are: train"):
        open_archive(data_raw).names("test")


def test_wholly_unlabelled_split_gives_images_only(data_raw):
    shutil.rmtree(data_raw / "zones" / "test")
    shutil.rmtree(data_raw / "fronts" / "test")
    archive = open_archive(data_raw)
    assert not archive.labelled("test") and archive.labelled("train")
    name = archive.names("test")[0]
    assert archive.read_image("test", name)[1].ndim == 2
    with pytest.raises(InputError, match="'test' has no labels"):
        archive.read("test", name)


def test_missing_box_means_anywhere(data_raw):
    (data_raw / BOX).unlink()
    assert read(data_raw).box is None


@pytest.mark.parametrize("file", [ZONES, FRONT, IMAGE])
def test_missing_file_of_a_labelled_scene_is_named(data_raw, file):
    (data_raw / file).unlink()
    with pytest.raises(InputError, match=rf"{file}: missing"):
        read(data_raw)


@pytest.mark.parametrize("file", [ZONES, FRONT])
def test_label_of_another_size_is_named(data_raw, file):
    (data_raw / file).write_bytes(encode_png(np.zeros((7, 9), np.uint8)))
    with pytest.raises(InputError, match=rf"{file}: 9 x 7 pixels, but its image has"):
        read(data_raw)


@pytest.mark.parametrize(("file", "value"), [(ZONES, 200), (FRONT, 128)])
def test_unknown_grey_value_in_a_label_is_named(data_raw, file, value):
    label = np.asarray(Image.open(data_raw / file)).copy()
    label[0, 0] = value
    (data_raw / file).write_bytes(encode_png(label))
    with pytest.raises(InputError, match=rf"{file}: unknown grey value {value}"):
        read(data_raw)


@pytest.mark.parametrize("file", [IMAGE, ZONES, FRONT])
@pytest.mark.parametrize("keep", [0, 50])
def test_truncated_png_is_named(data_raw, file, keep):
    (data_raw / file).write_bytes((data_raw / file).read_bytes()[:keep])
    with pytest.raises(InputError, match=rf"{file}: not a readable image"):
        read(data_raw)


def test_name_outside_the_grammar_is_named(data_raw):
    shutil.copy(data_raw / IMAGE, data_raw / "sar_images" / "train" / "my scene.png")
    with pytest.raises(InputError, match=r"my scene\.png: the scene name 'my scene' does not follow"):
        read(data_raw, "my scene")


def test_box_without_four_corners_is_named(data_raw):
    (data_raw / BOX).write_text("header\n1,2\n")
    with pytest.raises(InputError, match=rf"{BOX}: 1 corners"):
        read(data_raw)


def test_box_that_is_not_text_is_named(data_raw):
    (data_raw / BOX).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=rf"{BOX}: not a text file"):
        read(data_raw)


def test_scene_in_two_splits_is_refused(data_raw):
    shutil.copy(data_raw / IMAGE, data_raw / "sar_images" / "test" / f"{NAME}.png")
    with pytest.raises(InputError, match=f"{NAME} lies in more than one split"):
        open_archive(data_raw)


def test_missing_empty_and_wrong_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        open_archive(tmp_path / "none")
    with pytest.raises(InputError, match="is empty"):
        open_archive(tmp_path)
    (tmp_path / "sar_images").mkdir()
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(InputError, match="no folder sar_images"):
        open_archive(tmp_path)
    (tmp_path / "sar_images" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="no PNG"):
        open_archive(tmp_path)


def test_two_data_sets_side_by_side_are_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder / "sar_images" / "train").mkdir(parents=True)
        (tmp_path / folder / "sar_images" / "train" / "x.png").write_bytes(b"")
    with pytest.raises(InputError, match="several data sets side by side"):
        open_archive(tmp_path)


def test_damaged_zip_is_refused(data_raw_zip):
    content = data_raw_zip.read_bytes()
    data_raw_zip.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"data_raw\.zip: not a whole zip file"):
        open_archive(data_raw_zip)


def test_damaged_zip_member_is_named(data_raw_zip):
    content = bytearray(data_raw_zip.read_bytes())
    start = content.index(f"data_raw/{IMAGE}".encode()) + len(f"data_raw/{IMAGE}")
    content[start + 60] ^= 0xFF
    data_raw_zip.write_bytes(content)
    with pytest.raises(InputError, match=rf"data_raw\.zip:data_raw/{IMAGE}: cannot be read"):
        read(data_raw_zip)
