"""The grammar of scene names, seasons, sensor groups."""

import datetime

import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.scene import parse_name


def test_name_is_taken_apart():
    scene = parse_name("COL_2011-11-13_TSX_7_1_092")
    assert (scene.glacier, scene.sensor, scene.pixel_spacing_m, scene.quality, scene.orbit) == (
        "COL", "TSX", 7, 1, "092"
    )  # fmt: skip
    assert scene.date == datetime.date(2011, 11, 13)


def test_other_glaciers_sensors_and_spacings_are_fine():
    scene = parse_name("SVE_1985-05-29_LS5_49_1_054")
    assert (scene.glacier, scene.sensor, scene.pixel_spacing_m) == ("SVE", "LS5", 49)


@pytest.mark.parametrize(
    "name",
    ["COL_2011-11-13_TSX_7_1", "COL_2011-11-13_TSX_7_1_092_x", "COL_20111113_TSX_7_1_092", "COL_2011-13-41_TSX_7_1_092",
     "COL_2011-11-13_TSX_7.5_1_092", "COL_2011-11-13_TSX_0_1_092", "", "scene 1"],
)  # fmt: skip
def test_name_outside_the_grammar_is_refused_with_its_file(name):
    with pytest.raises(InputError, match=r"folder/file\.png: "):
        parse_name(name, "folder/file.png")


@pytest.mark.parametrize(
    ("glacier", "month", "season"),
    [("COL", 3, "winter"), ("COL", 4, "summer"), ("JAC", 8, "summer"), ("JAC", 9, "winter"),
     ("Crane", 3, "summer"), ("Mapple", 4, "winter"), ("SI", 8, "winter"), ("DBE", 9, "summer")],
)  # fmt: skip
def test_winter_is_september_to_march_north_and_april_to_august_south(glacier, month, season):
    assert parse_name(f"{glacier}_2010-{month:02}-15_ERS_20_1_001").season() == season


def test_season_of_an_unknown_glacier_needs_its_hemisphere():
    scene = parse_name("KAN_2010-01-15_LS7_49_1_001")
    assert scene.season() is None
    assert scene.season({"KAN": "north"}) == "winter"


def test_twin_satellites_are_one_group():
    groups = {parse_name(f"COL_2011-11-13_{sensor}_7_1_092").sensor_group for sensor in ("TSX", "TDX")}
    assert groups == {"TSX/TDX"}
