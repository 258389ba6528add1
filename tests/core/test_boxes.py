"""Bounding box files."""

from pathlib import Path

import pytest

from glacierjax.core.boxes import BoundingBox, match_box_files, read_box
from glacierjax.core.errors import InputError

GOOD = "header\n-3.5,120\n-3.5,13\n210.25,13\n210.25,120\n"


def test_box_may_reach_beyond_the_image():
    assert read_box(GOOD, "b.txt") == BoundingBox(-3.5, 13, 210.25, 120)


@pytest.mark.parametrize("text", [GOOD.replace(",", ", "), GOOD.replace(",", "\t"), GOOD.replace("\n", "\r\n")])
def test_spaces_and_line_ends_do_not_matter(text):
    assert read_box(text, "b.txt") == BoundingBox(-3.5, 13, 210.25, 120)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 corners"),
        ("header\n", "0 corners"),
        ("h\n1,2\n1,0\n3,0\n", "3 corners"),
        ("h\n1,2\n1,0\n3,0\n3,2\n3,2\n", "5 corners"),
        ("h\n1,2\n1,0\n3,0\n3,x\n", "not a corner"),
        ("h\n1,2\n1,0\n3,0\n3\n", "not a corner"),
        ("h\n1,0\n1,2\n3,2\n3,0\n", "upright box"),
        ("h\n1,2\n1,0\n3,1\n3,2\n", "upright box"),
    ],
)
def test_damaged_box_is_refused_with_its_file(text, message):
    with pytest.raises(InputError, match=rf"b\.txt: .*{message}"):
        read_box(text, "b.txt")


def test_box_belongs_to_the_longest_name_that_is_its_prefix():
    names = ["COL_2011-11-13_TSX_7_1_09", "COL_2011-11-13_TSX_7_1_092"]
    files = [Path(f"{name}__bounding_box.txt") for name in names]
    assert match_box_files(names, files) == dict(zip(names, files, strict=True))


def test_two_boxes_for_one_scene_are_refused():
    with pytest.raises(InputError, match="second bounding box"):
        match_box_files(["A"], [Path("A_1.txt"), Path("A_2.txt")])
