"""The grammar of scene names, seasons, sensor groups."""

import datetime

import pytest

from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import NameFacts, facts_of_name, parse_date, parse_name


def test_name_is_taken_apart():
    scene = parse_name("COL_2011-11-13_TSX_7_1_092")
    assert (scene.glacier, scene.sensor, scene.pixel_spacing_m, scene.quality, scene.orbit) == (
        "COL",
        "TSX",
        7,
        1,
        "092",
    )
    assert scene.date == datetime.date(2011, 11, 13)


def test_other_glaciers_sensors_and_spacings_are_fine():
    scene = parse_name("SVE_1985-05-29_LS5_49_1_054")
    assert (scene.glacier, scene.sensor, scene.pixel_spacing_m) == ("SVE", "LS5", 49)


@pytest.mark.parametrize(
    "name",
    [
        "COL_2011-11-13_TSX_7_1",
        "COL_2011-11-13_TSX_7_1_092_x",
        "COL_20111113_TSX_7_1_092",
        "COL_2011-13-41_TSX_7_1_092",
        "COL_2011-11-13_TSX_7.5_1_092",
        "COL_2011-11-13_TSX_0_1_092",
        "",
        "scene 1",
    ],
)
def test_name_outside_the_grammar_is_refused_with_its_file(name):
    with pytest.raises(InputError, match=r"folder/file\.png: "):
        parse_name(name, "folder/file.png")


@pytest.mark.parametrize(
    ("glacier", "month", "season"),
    [
        ("COL", 3, "winter"),
        ("COL", 4, "summer"),
        ("JAC", 8, "summer"),
        ("JAC", 9, "winter"),
        ("Crane", 3, "summer"),
        ("Mapple", 4, "winter"),
        ("SI", 8, "winter"),
        ("DBE", 9, "summer"),
    ],
)
def test_winter_is_september_to_march_north_and_april_to_august_south(glacier, month, season):
    assert parse_name(f"{glacier}_2010-{month:02}-15_ERS_20_1_001").season() == season


def test_season_of_an_unknown_glacier_needs_its_hemisphere():
    scene = parse_name("KAN_2010-01-15_LS7_49_1_001")
    assert scene.season() is None
    assert scene.season({"KAN": "north"}) == "winter"


def test_twin_satellites_are_one_group():
    groups = {parse_name(f"COL_2011-11-13_{sensor}_7_1_092").sensor_group for sensor in ("TSX", "TDX")}
    assert groups == {"TSX/TDX"}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("COL_2011-11-13_TSX_7_1_092", NameFacts("COL", datetime.date(2011, 11, 13), "TSX", 7)),
        (
            "S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db",
            NameFacts(date=datetime.date(2015, 3, 9), sensor="S1", polarisation="VV"),
        ),
        ("TDX1_SAR__SSC______SM_S_SRA_20130417T101512", NameFacts(date=datetime.date(2013, 4, 17), sensor="TDX")),
        ("jakobshavn-2019_07_31", NameFacts(date=datetime.date(2019, 7, 31))),
        ("ERS2_19960101", NameFacts(date=datetime.date(1996, 1, 1), sensor="ERS")),
        ("orbit_20159999_20160102", NameFacts(date=datetime.date(2016, 1, 2))),
        ("120150309_fjord", NameFacts()),
        ("2020-01-05__VV", NameFacts(date=datetime.date(2020, 1, 5), polarisation="VV")),
        ("S1_2020-01-05__VV_20210203", NameFacts(date=datetime.date(2021, 2, 3), sensor="S1", polarisation="VV")),
        ("test__COL_2011-11-13_TSX_7_1_092", NameFacts("COL", datetime.date(2011, 11, 13), "TSX", 7)),
        ("", NameFacts()),
    ],
)
def test_names_of_any_origin_tell_what_they_can(name, facts):
    assert facts_of_name(name) == facts


@pytest.mark.parametrize(
    "text",
    [
        "2016-01-05",
        "2016-1-5",
        "2016/01/05",
        "2016.01.05",
        "20160105",
        "2016-01-05T00:00:00",
        "2016-01-05 12:30",
        "2016-01-05T23:59:59.999Z",
        "2016-01-05T23:00:00-08:00",
        "2016-01-05T23:00:00+0530",
        "20160105T173017Z",
        "2016/01/05 00:00:00.000",
        "2016-01-05Z",
        "2016-01-05 10:00:00 UTC",
        " 2016-01-05 ",
        "2016.0110",
    ],
)
def test_dates_with_times_slashes_and_zones_are_their_day(text):
    assert parse_date(text, "f") == datetime.date(2016, 1, 5)


@pytest.mark.parametrize("day", [(2015, 1, 1), (2015, 12, 31), (2016, 2, 29), (2000, 7, 2)])
def test_decimal_years_are_their_day(day):
    date = datetime.date(*day)
    start, end = datetime.date(day[0], 1, 1), datetime.date(day[0] + 1, 1, 1)
    for shift in (0.0, 0.5):  # TermPicks counts from the day's start, others from its noon
        decimal = day[0] + ((date - start).days + shift) / (end - start).days
        assert parse_date(f"{decimal:.4f}", "f") == parse_date(repr(decimal + 1e-9), "f") == date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2016",
        "05/01/2016",
        "2016-13-01",
        "2016-02-30",
        "2016-01",
        "2016-01-05x",
        "1.5",
        "0001-01-01",
        "9999-12-31 23:59",
    ],
)
def test_what_is_no_date_is_refused_with_its_place(text):
    with pytest.raises(InputError, match=r"f\.geojson: .* is not a date; write YYYY-MM-DD"):
        parse_date(text, "f.geojson")
