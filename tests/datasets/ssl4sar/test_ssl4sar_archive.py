"""SSL4SAR's layout, in folders and in archives; names; tar archives are walked once."""

import datetime
import io
import tarfile
import zipfile

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.datasets.members import TarMembers
from glacierjax.datasets.ssl4sar.archive import Ssl4SarArchive, parse_sar_name
from tfds_builders.ssl4sar.made_archive import archive_files


def write_folder(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def write_zip(root, files):
    with zipfile.ZipFile(root / "data.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_tar(path, files, mode):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_one_tar_for_each_folder(root, files):
    folders = {name.split("/")[0] for name in files}
    for folder in folders:
        inside = {"./" + name.removeprefix(f"{folder}/"): c for name, c in files.items() if name.startswith(folder)}
        write_tar(root / f"{folder}.tar.gz", inside, "w:gz")


WAYS = {
    "folder": write_folder,
    "zip": write_zip,
    "tar": lambda root, files: write_tar(root / "x.tar", files, "w"),
    "tar.gz, one a folder": write_one_tar_for_each_folder,
}


def seen(root):
    archive = Ssl4SarArchive(root)
    scenes = {split: {s.id.name: s.image for s in archive.scenes(split)} for split in archive.splits()}
    return scenes, {glacier: image.bands for _, glacier, image in archive.optical_images()}


@pytest.mark.parametrize("way", WAYS)
def test_scenes_and_images_are_the_same_however_they_are_packed(tmp_path, way):
    files = archive_files()
    (tmp_path / "plain").mkdir()
    (tmp_path / "packed").mkdir()
    write_folder(tmp_path / "plain", files)
    WAYS[way](tmp_path / "packed", files)
    (scenes, optical), (found_scenes, found_optical) = seen(tmp_path / "plain"), seen(tmp_path / "packed")
    assert found_scenes.keys() == scenes.keys() == {"train", "val"}
    for split in scenes:
        assert found_scenes[split].keys() == scenes[split].keys()
        for name, image in scenes[split].items():
            np.testing.assert_array_equal(found_scenes[split][name], image)
    assert found_optical.keys() == optical.keys() == {"COL", "Hubbard"}
    for glacier in optical:
        np.testing.assert_array_equal(found_optical[glacier], optical[glacier])


def test_compressed_archive_is_started_once_when_read_in_its_order(tmp_path, monkeypatch):
    files = archive_files()
    write_tar(tmp_path / "all.tar.gz", files, "w:gz")
    members = TarMembers(tmp_path / "all.tar.gz")
    starts = []
    start = tarfile.open
    monkeypatch.setattr(tarfile, "open", lambda *a, **k: starts.append(a) or start(*a, **k))
    assert {name: members.read(name) for name in members.names} == files
    assert len(starts) == 1
    assert members.read(members.names[0]) == files[members.names[0]]
    assert len(starts) == 2, "a step back starts it anew"
    members.close()


def test_a_grid_is_that_of_the_first_scene_that_can_be_read(tmp_path):
    files = archive_files()
    scenes = [name for name in files if name.startswith("unlabeled_data_raw")]
    write_folder(tmp_path, files)
    whole = Ssl4SarArchive(tmp_path).sar_grids()
    (tmp_path / sorted(scenes)[0]).write_bytes(b"damaged")
    (tmp_path / "unlabeled_data_raw_train" / "x.png").write_bytes(files[scenes[0]])  # no name of a scene
    assert Ssl4SarArchive(tmp_path).sar_grids() == whole
    problems = [scene for scene in Ssl4SarArchive(tmp_path).scenes("train") if isinstance(scene, InputError)]
    assert len(problems) == 2


def test_links_and_hidden_files_of_a_tar_are_left_out(tmp_path):
    link = tarfile.TarInfo("data_optical/COL_x.tif")
    link.type, link.linkname = tarfile.SYMTYPE, "../../somewhere"
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("._hidden.png"))
    assert TarMembers(tmp_path / "x.tar").names == []


@pytest.mark.parametrize("content", [b"", b"no archive at all"])
def test_damaged_tar_is_named(tmp_path, content):
    (tmp_path / "unlabeled_data_raw_train.tar.gz").write_bytes(content)
    with pytest.raises(InputError, match=r"unlabeled_data_raw_train.tar.gz: not a whole tar file"):
        Ssl4SarArchive(tmp_path)


def test_tar_cut_short_is_named(tmp_path):
    write_tar(tmp_path / "unlabeled_data_raw_train.tar.gz", archive_files(), "w:gz")
    whole = (tmp_path / "unlabeled_data_raw_train.tar.gz").read_bytes()
    (tmp_path / "unlabeled_data_raw_train.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"unlabeled_data_raw_train.tar.gz: not a whole tar file"):
        Ssl4SarArchive(tmp_path)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("data_optical/COL_2019.tif", "a second optical image of the glacier"),
        ("unlabeled_data_raw_val/S1_COL_20190105_000.png", "two files of the scene S1_COL_20190105_000"),
    ],
)
def test_ambiguous_archives_are_refused(tmp_path, extra, message):
    files = archive_files()
    write_folder(tmp_path, {**files, extra: next(iter(files.values()))})
    with pytest.raises(InputError, match=message):
        Ssl4SarArchive(tmp_path)


@pytest.mark.parametrize(
    ("name", "glacier", "date"),
    [
        ("S1_COL_20190105_000", "COL", datetime.date(2019, 1, 5)),
        ("S1A_Columbia_20190105T121314_IW", "COL", datetime.date(2019, 1, 5)),
        ("S1_Hubbard_2019-01-05", "Hubbard", datetime.date(2019, 1, 5)),
        ("S1_Hubbard_99999999_7", "Hubbard", None),
        ("S1_Hubbard", "Hubbard", None),
    ],
)
def test_names_tell_sensor_glacier_and_perhaps_a_date(name, glacier, date):
    parsed = parse_sar_name(name, "here")
    assert (parsed.name, parsed.glacier, parsed.date) == (name, glacier, date)
    assert parsed.sensor == name.split("_")[0]


def test_name_without_a_glacier_is_named_with_its_file():
    with pytest.raises(InputError, match=r"folder/S1.png: the scene name 'S1' does not follow SENSOR_GLACIER"):
        parse_sar_name("S1", "folder/S1.png")
