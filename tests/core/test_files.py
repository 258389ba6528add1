"""Reading images, and writing files atomically."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glacierjax.core.errors import InputError
from glacierjax.core.files import (
    named_paths,
    read_grey_png,
    require_folder,
    visible_files,
    write_beside,
    write_png,
    write_text,
)

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def encoded(image: Image.Image, fmt: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, fmt)
    return buffer.getvalue()


def test_written_png_reads_back(tmp_path):
    write_png(tmp_path / "new" / "a.png", GREY)
    assert (read_grey_png(tmp_path / "new" / "a.png") == GREY).all()


def test_colour_file_with_equal_channels_counts_as_grey():
    assert (read_grey_png(encoded(Image.fromarray(np.stack([GREY] * 3, axis=-1))), "a.png") == GREY).all()


def test_palette_and_bilevel_files_are_read_by_their_shown_grey():
    black_white = np.where(GREY > 20, 255, 0).astype(np.uint8)
    assert (read_grey_png(encoded(Image.fromarray(black_white).convert("1")), "a.png") == black_white).all()
    assert (read_grey_png(encoded(Image.fromarray(GREY).convert("P")), "a.png") == GREY).all()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no image",
        encoded(Image.fromarray(GREY))[:50],
        encoded(Image.fromarray(GREY.astype(np.uint16) * 9)),
        encoded(Image.fromarray(np.stack([GREY, GREY, GREY + 1], axis=-1))),
    ],
    ids=["empty", "text", "truncated", "16 bit", "colour"],
)
def test_unreadable_image_is_refused_with_its_file(tmp_path, content):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.png: "):
        read_grey_png(path)


def test_missing_image_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_grey_png(tmp_path / "none.png")


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), write_beside(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_unwritable_place_is_an_input_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_missing_and_empty_folders_are_told_apart(tmp_path):
    with pytest.raises(InputError, match="no such folder; expected scenes"):
        require_folder(tmp_path / "none", "scenes")
    with pytest.raises(InputError, match="is empty; expected scenes"):
        require_folder(tmp_path, "scenes")


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_written_files_have_the_permissions_that_the_umask_leaves(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode


def test_a_disk_that_refuses_chmod_can_be_written(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    for module, names in ((os, ("chmod", "fchmod", "lchmod")), (Path, ("chmod", "lchmod"))):
        for name in names:
            monkeypatch.setattr(module, name, refuse, raising=False)
    write_png(tmp_path / "a.png", GREY)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_pattern_names_what_fits_it_and_a_path_itself(tmp_path):
    for name in ("a.png", "in/b.png", "in/deep/c.png", ".d.png", "in/._b.png", "[a].png"):
        write_text(tmp_path / name, "x")

    def named(pattern):
        return [str(path.relative_to(tmp_path)) for path in named_paths(tmp_path / pattern)]

    assert named("*.png") == ["[a].png", "a.png"] and named("[a].png") == ["[a].png"]
    assert named("**/*.png") == ["[a].png", "a.png", "in/b.png", "in/deep/c.png"]
    assert named("i*") == ["in"] and named("x*") == [] and named(".*.png") == []


def test_home_folder_and_hidden_files(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_text("~/out/a.png", "x")
    (tmp_path / "out" / "._a.png").write_text("")
    (tmp_path / "out" / "b.txt").write_text("")
    assert visible_files(require_folder("~/out", "files"), (".png",)) == [tmp_path / "out" / "a.png"]
    (tmp_path / "mac").mkdir()
    (tmp_path / "mac" / ".DS_Store").write_text("")
    with pytest.raises(InputError, match="is empty"):
        require_folder("~/mac", "scenes")
