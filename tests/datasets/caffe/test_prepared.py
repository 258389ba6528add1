"""Reading built data sets."""

import dataclasses
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.prepared import SceneSplit, open_split
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.writer import write_scene
from glacierjax.datasets.records import open_builder
from tfds_builders.build import main
from tfds_builders.caffe.make_dummy_data import DUMMY_DATA, SCENES, labelled_scenes


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A data set of the dummy scenes; read only."""
    folder = tmp_path_factory.mktemp("built")
    assert main(["tfds_builders/caffe", f"--data_dir={folder}", f"--manual_dir={DUMMY_DATA}", "--config=scenes"]) == 0
    return folder


@pytest.fixture
def copy(built, tmp_path) -> Path:
    """The same, to be damaged."""
    shutil.copytree(built, tmp_path / "data")
    return tmp_path / "data"


def shard(data_dir: Path, split: str = "train") -> Path:
    return next((data_dir / "caffe" / "scenes" / "1.0.0").glob(f"caffe-{split}.*"))


def test_scenes_come_back_as_they_lie_in_the_archive(built):
    archive = open_archive(DUMMY_DATA / "data_raw.zip")
    for split, source in (("train", "train"), ("val", "train"), ("test", "test")):
        opened = open_split(built, split)
        assert [scene.id.name for scene in opened] == opened.names == sorted(opened.names)
        for scene in opened:
            original = archive.read(source, scene.id.name)
            assert (scene.image == original.image).all() and scene.image.dtype == np.uint8
            assert (scene.zones == original.zones).all() and scene.zones.dtype == np.uint8
            assert (scene.front == original.front).all() and scene.front.dtype == bool
            assert (scene.id, scene.box, scene.valid) == (original.id, original.box, None)


def test_valid_mask_is_given_where_labels_are_missing(tmp_path):
    flags = [f"--data_dir={tmp_path}", f"--manual_dir={DUMMY_DATA}", "--na=unlabelled"]
    assert main(["tfds_builders/caffe", "--config=chips", *flags]) == 0
    scene = open_split(tmp_path, "test")[0]
    assert scene.box is None
    assert (scene.valid == (scene.zones != 0)).all()


def test_priors_come_back_where_there_are_any(tmp_path):
    written = [
        dataclasses.replace(
            scene, rock=scene.zones == Zone.ROCK if i else None, summer=scene.image // 2 if i != 1 else None
        )
        for i, (_, scene) in enumerate(labelled_scenes())
    ]
    for scene in written:
        write_scene(tmp_path / "data_raw", "train", scene)
    flags = [f"--data_dir={tmp_path / 'data'}", f"--manual_dir={tmp_path}"]
    assert main(["tfds_builders/caffe", *flags]) == 0
    originals = {scene.id.name: scene for scene in written}
    splits = [open_split(tmp_path / "data", split) for split in ("train", "val", "test")]
    for found, listed in (
        (scene, priors) for split in splits for scene, priors in zip(split, split.priors, strict=True)
    ):
        original = originals.pop(found.id.name)
        for name, plane in original.priors.items():
            assert (name in listed) == (plane is not None)
            if plane is None:
                assert found.priors[name] is None
            else:
                np.testing.assert_array_equal(found.priors[name], plane)
    assert not originals


def test_the_nearest_scene_without_sea_ice_on_the_same_grid_is_stored_on_demand(tmp_path):
    dates = ("2015-03-09", "2015-08-01", "2013-07-20", "2015-07-05")  # the last one has another size
    for number, date in enumerate(dates):
        image = np.full((20, 30 + number // 3), number + 1, np.uint8)
        name = parse_name(f"JAC_{date}_TSX_7_1_00{number}")
        write_scene(
            tmp_path / "data_raw",
            "train",
            LabelledScene(name, image, np.full_like(image, 2), np.zeros(image.shape, bool)),
        )
    flags = [f"--data_dir={tmp_path / 'data'}", f"--manual_dir={tmp_path}", "--summer"]
    assert main(["tfds_builders/caffe", *flags]) == 0
    name = "caffe/scenes-summer"
    splits = [open_split(tmp_path / "data", split, name) for split in open_builder(tmp_path / "data", name).info.splits]
    found = {scene.image.max() - 1: scene.summer for split in splits for scene in split}
    assert {number: None if summer is None else summer.max() - 1 for number, summer in found.items()} == {
        0: 1,
        1: 2,
        2: 1,
        3: None,
    }


def test_few_scenes_are_spread_over_the_split(built):
    split = open_split(built, "train")
    assert split.spread(2).names == [split.names[0], split.names[1]] and split.spread(1).names == split.names[:1]
    few = split.spread(2)
    assert [scene.id.name for scene in few] == few.names and len(few) == 2
    with pytest.raises(InputError, match="4 records wanted, the split has 3"):
        split.spread(4)


def test_a_digest_tells_scenes_from_others(built):
    train = open_split(built, "train")
    assert train.digest == open_split(built, "train").digest != open_split(built, "val").digest
    assert train.spread(len(train) - 1).digest != train.digest


def test_split_is_a_sequence(built):
    split = open_split(built, "train")
    assert len(split) == len(split.names) == 3
    assert split[-1].id == split[2].id == split.ids[2]
    assert [scene.id for scene in split[1:]] == split.ids[1:]
    for index in (3, -4):
        with pytest.raises(IndexError):
            split[index]


def test_split_can_be_pickled(built):
    split = open_split(built, "train")
    twin = pickle.loads(pickle.dumps(split))
    assert (twin[1].image == split[1].image).all()


def test_data_set_is_found_from_every_folder_above_its_files(built):
    for folder in (built, built / "caffe", built / "caffe" / "scenes", built / "caffe" / "scenes" / "1.0.0"):
        assert open_split(folder, "test").names == sorted(SCENES["test"])
    assert len(open_split(built, "test", name="caffe/scenes")) == 2


def test_newest_version_is_taken_by_number(copy):
    versions = copy / "caffe" / "scenes"
    for version in ("1.9.0", "1.10.0"):
        shutil.copytree(versions / "1.0.0", versions / version)
        info = versions / version / "dataset_info.json"
        info.write_text(info.read_text().replace("1.0.0", version))
    assert str(open_builder(copy, "caffe").version) == "1.10.0"


def test_unfinished_build_is_not_taken_for_a_data_set(copy):
    versions = copy / "caffe" / "scenes"
    (versions / "1.0.0").rename(versions / "incomplete.ABC_1.0.0")
    with pytest.raises(InputError, match=r"no data set caffe in it; build it: python -m tfds_builders.build"):
        open_split(copy, "train")


def test_several_configs_must_be_told_apart(copy):
    shutil.copytree(copy / "caffe" / "scenes", copy / "caffe" / "other")
    with pytest.raises(InputError, match=r"several configs; .*: caffe/other, caffe/scenes"):
        open_split(copy, "train")
    assert len(open_split(copy, "train", name="caffe/scenes")) == 3


def test_missing_folder_data_set_and_split_are_named(built, tmp_path):
    with pytest.raises(InputError, match=r"none: no such folder; build it: .* tfds_builders/caffe --data_dir=.*none"):
        open_split(tmp_path / "none", "train")
    with pytest.raises(InputError, match="no data set caffe in it"):
        open_split(tmp_path, "train")
    with pytest.raises(InputError, match="no split 'dev'; there are: test, train, val"):
        open_split(built, "dev")
    with pytest.raises(InputError, match="no data set caffe/chips in it"):
        open_split(built, "train", name="caffe/chips")


def test_empty_split_is_refused(copy):
    info = copy / "caffe" / "scenes" / "1.0.0" / "dataset_info.json"
    text = info.read_text()
    assert text.count('"shardLengths": [\n        "2"') == 1  # test
    info.write_text(text.replace('"shardLengths": [\n        "2"', '"shardLengths": [\n        "0"'))
    with pytest.raises(InputError, match="the split 'test' is empty; build it"):
        open_split(copy, "test")


def test_damaged_record_names_its_shard_and_place(copy):
    path = shard(copy)
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{path.name}, record 0: damaged record"):
        open_split(copy, "train")[0]


@pytest.mark.parametrize("change", ["cut", "gone"])
def test_missing_or_cut_off_shard_is_named(copy, change):
    path = shard(copy)
    if change == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.unlink()
    with pytest.raises(InputError, match=path.name):
        open_split(copy, "train")[0]


@pytest.mark.parametrize("file", ["dataset_info.json", "features.json"])
@pytest.mark.parametrize("content", ["{", ""])
def test_damaged_description_is_named(copy, file, content):
    (copy / "caffe" / "scenes" / "1.0.0" / file).write_text(content)
    with pytest.raises(InputError, match=r"1\.0\.0: not a readable data set"):
        open_split(copy, "train")


def test_a_data_set_of_another_version_is_named(built, monkeypatch):
    monkeypatch.setattr(SceneSplit, "NEEDED", (*SceneSplit.NEEDED, "tides"))
    with pytest.raises(InputError, match=r"1\.0\.0: records without tides, built by another version"):
        open_split(built, "train")


def test_a_smaller_view_has_its_own_places(built):
    whole = open_split(built, "train")
    assert len(whole.places) == len(whole.ids) == len(whole)
    assert len(whole.spread(1).places) == len(whole.spread(1).ids) == 1
