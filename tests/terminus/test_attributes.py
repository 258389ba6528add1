"""What the attributes of a line tell: its date, its name and its glacier."""

import datetime

import numpy as np
import pytest

from glacierjax.core.errors import InputError
from glacierjax.geo.vectors import feature, write_geojson
from glacierjax.terminus.attributes import Fields, read_facts
from glacierjax.terminus.fronts import read_fronts

LINE = np.array([[-50.0, 69], [-50, 69.01]])
YEARS = range(2010, 2016)


@pytest.mark.parametrize(
    "row",
    [
        lambda y: {"src": f"{y}0701_30m.tif"},
        lambda y: {"src": f"Helheim_LE07_L1TP_{y}-07-01_014-009_T1_B4_mask.png"},
        lambda y: {"DATE_": f"{y}/07/01"},
        lambda y: {"Acq_Date": int(f"{y}0701")},
        lambda y: {"datetime": f"{y}-07-01T14:00:00Z", "time": "14:00:00"},
        lambda y: {"DecDate": y + (datetime.date(y, 7, 1) - datetime.date(y, 1, 1)).days / (366 if y == 2012 else 365)},
        lambda y: {"GlacierID": 3, "Year": y, "Month": 7, "Day": 1, "Date": None},
        lambda y: {"Year": y, "ImageID": f"LC08_{y}0701"},
        lambda y: {"Date": float(f"{y}0701")},
    ],
    ids=["COBRA", "Landsat mask", "slashes", "a number", "with time", "decimal year", "in parts", "image", "a float"],
)
def test_dates_are_found_in_attributes_of_many_kinds(tmp_path, row):
    write_geojson(tmp_path / "f.geojson", [feature(LINE, row(year)) for year in YEARS])
    fronts = read_fronts([str(tmp_path / "f.geojson")])
    assert [front.date for front in fronts] == [datetime.date(year, 7, 1) for year in YEARS]


@pytest.mark.parametrize("fields", [Fields(), Fields(date="DecDate")])
@pytest.mark.parametrize("value", [2016.0, 2016, "2016", "2016.0", 2015.99999])
def test_a_decimal_year_on_the_first_of_january_is_a_date(tmp_path, value, fields):
    assert read_facts({"DecDate": value}, fields, tmp_path / "f.shp").date == datetime.date(2016, 1, 1)
    assert read_facts({"Dec_Date": 20160101.0}, fields, tmp_path / "f.shp").date == datetime.date(2016, 1, 1)


def test_a_year_alone_is_no_date(tmp_path):
    with pytest.raises(InputError, match="'2016' is not a date"):
        read_facts({"date": 2016}, Fields(), tmp_path / "f.shp")


def test_attributes_that_are_named_come_first_and_must_be_there(tmp_path):
    properties = {
        "date": "2010-07-01",
        "seen": "2011/08/02",
        "scene_id": "a",
        "label": "b.tif",
        "gl": "JAC",
        "glacier": "COL",
    }
    facts = read_facts(properties, Fields("SEEN", "label", "gl"), tmp_path / "f.shp")
    assert (facts.date, facts.name, facts.glacier) == (datetime.date(2011, 8, 2), "b", "JAC")
    guess = read_facts(properties, Fields(), tmp_path / "f.shp")
    assert (guess.date, guess.name, guess.glacier) == (datetime.date(2010, 7, 1), "a", "COL")
    for fields, flag in (
        (Fields(date="day"), "date"),
        (Fields(name="day"), "name"),
        (Fields(glacier="day"), "glacier"),
    ):
        with pytest.raises(
            InputError, match=rf"`{flag}_field`=day: no such attribute in .*f.shp; there are: date, seen"
        ):
            read_facts(properties, fields, tmp_path / "f.shp")
    with pytest.raises(InputError, match=r"'b.tif' is not a date"):
        read_facts(properties, Fields(date="label"), tmp_path / "f.shp")


@pytest.mark.parametrize("glacier", [7, 7.0, "7"])
def test_an_id_that_is_a_number_is_chosen_as_one_writes_it(tmp_path, glacier):
    write_geojson(tmp_path / "f.geojson", [feature(LINE, {"Date": "2010-07-01", "GlacierID": glacier})])
    assert [front.glacier for front in read_fronts([str(tmp_path / "f.geojson")])] == ["7"]
