"""Products of a campaign: GeoParquet by region and year, monthly fronts, the STAC collection, the page of all glaciers."""

import csv
import dataclasses
import datetime
import errno
import json
import re
import shutil
import sys
from urllib.parse import unquote

import pyarrow.dataset
import pyarrow.parquet
import pytest
import shapely
from small_campaign import make_plan, polygon, use_stand_in, write_glaciers, write_scene, write_scenes

from glacierjax.campaign import monthly
from glacierjax.campaign.glaciers import Glacier
from glacierjax.campaign.monthly import FEW_DATES, MonthlyFronts, make_monthly
from glacierjax.campaign.run import in_this_process, run_campaign
from glacierjax.campaign.work import _batch, _journal
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.geo.features import read_features
from glacierjax.reports.overview import GlacierFacts, overview_text
from glacierjax.terminus.compose import CompositeOptions

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Two glaciers with two fronts each, read only."""
    folder = tmp_path_factory.mktemp("campaign")
    write_scenes(folder / "scenes")
    with pytest.MonkeyPatch.context() as patched:
        use_stand_in(patched)
        for kept in (_batch, _journal):
            kept.cache_clear()
        table = write_glaciers(folder / "g.geojson", G1={"name": "One", "region": "East/A"}, G2={"name": "Two"})
        run_campaign(make_plan(folder, glaciers=table)[0], folder / "out", in_this_process)
    return folder / "out"


def test_all_fronts_are_one_data_set_by_region_and_year(output):
    files = sorted(path.relative_to(output / "fronts").as_posix() for path in (output / "fronts").rglob("*.parquet"))
    assert files == [
        f"region={region}/year={year}/fronts.parquet" for region in ("East%2FA", "R") for year in (2020, 2021)
    ]
    rows = pyarrow.dataset.dataset(output / "fronts", partitioning="hive").to_table().to_pylist()
    assert [(row["region"], row["year"], row["glacier"], row["GlacierID"], row["scene"]) for row in rows] == [
        ("East/A", 2020, "One", "G1", "S1A_20200101"),
        ("East/A", 2021, "One", "G1", "S1A_20210301"),
        ("R", 2020, "Two", "G2", "S1B_20200101"),
        ("R", 2021, "Two", "G2", "S1B_20210301"),
    ]
    assert {row["quality"] for row in rows} <= {"good", "doubtful", "reject"}
    ((line, properties),) = read_features(output / "fronts" / files[2])
    own = json.loads((output / "glaciers" / "G2" / "lines" / "S1B_20200101.geojson").read_text())["features"][0]
    assert shapely.equals_exact(shapely.get_parts(line)[0], shapely.geometry.shape(own["geometry"]), 1e-9)
    assert properties["date"] == "2020-01-01" and "Year" not in properties


def test_each_glacier_has_the_tables_of_predict(output):
    for glacier in ("G1", "G2"):
        folder = output / "glaciers" / glacier
        assert len((folder / "scenes.csv").read_text().splitlines()) == 3
        assert len(json.loads((folder / "fronts.geojson").read_text())["features"]) == 2


def test_the_stac_collection_leads_to_every_file(output):
    collection = json.loads((output / "collection.json").read_text())
    assert collection["type"] == "Collection" and collection["extent"]["temporal"]["interval"] == [
        ["2020-01-01T00:00:00Z", "2021-03-01T23:59:59Z"]
    ]
    links = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert links == ["./stac/G1.json", "./stac/G2.json"]
    linked = {(output / unquote(asset["href"])).resolve() for asset in collection["assets"].values()}
    assert linked == {path.resolve() for path in (output / "fronts").rglob("*.parquet")} and len(linked) == 4
    item = json.loads((output / "stac" / "G1.json").read_text())
    assert item["properties"]["fronts"] == 2 and item["properties"]["region"] == "East/A"
    assert item["properties"]["datetime"] is None and item["properties"]["end_datetime"] == "2021-03-01T23:59:59Z"
    west, south, east, north = item["bbox"]
    assert shapely.box(west, south, east, north).covers(shapely.geometry.shape(item["geometry"]))
    assert {(output / "stac" / asset["href"]).is_file() for asset in item["assets"].values()} == {True}
    assert item["assets"]["monthly"]["href"] == "../glaciers/G1/composites/monthly.geojson"
    assert collection["extent"]["spatial"]["bbox"][0][0] == west


def test_each_glacier_has_monthly_fronts_under_its_name_in_the_table(output):
    for glacier, name in (("G1", "One"), ("G2", "Two")):
        folder = output / "glaciers" / glacier
        rows = list(csv.DictReader((folder / "composites" / "monthly.csv").read_text().splitlines()))
        assert [row["period"] for row in rows if row["scenes"] == "1"] == ["2020-01", "2021-03"] and len(rows) == 15
        positions_m = [float(row["position_m"]) for row in rows if row["position_m"]]
        assert positions_m[0] - positions_m[1] == pytest.approx(100, abs=10), (
            "the front retreats by five pixels of 20 m"
        )
        assert json.loads((folder / "composites" / "composite.json").read_text())["glacier"] == name
        assert len((folder / "series" / "timeseries.csv").read_text().splitlines()) == 3
        assert not (folder / "composites" / "ice_mask.nc").exists()
    page = (output / "overview.html").read_text()
    linked = re.findall(r'<a href="(glaciers/[^"]*)">', page)
    assert len(linked) == 6 and all((output / path).is_file() for path in linked)
    assert page.count("<td>2</td>\n<td>13</td>") == 2


def test_a_glacier_without_monthly_fronts_is_named_and_stops_no_other(tmp_path, monkeypatch, caplog):
    use_stand_in(monkeypatch)
    for name, left_px in (("S1A_20200101", 0), ("S1A_20210101", 0), ("S1B_20200101", 1000)):
        write_scene(tmp_path / "scenes", name, left_px)
    run_campaign(make_plan(tmp_path)[0], tmp_path / "out", in_this_process)
    assert f"monthly fronts of G2: {FEW_DATES}" in caplog.text
    assert f'<span class="problem">{FEW_DATES}</span>' in (tmp_path / "out" / "overview.html").read_text()
    there = [(tmp_path / "out" / "glaciers" / name / "composites").is_dir() for name in ("G1", "G2")]
    assert there == [True, False]
    item = json.loads((tmp_path / "out" / "stac" / "G2.json").read_text())
    assert sorted(item["assets"]) == ["fronts", "scenes"]


def test_a_glacier_with_damaged_lines_is_named_and_stops_no_other(output, tmp_path, monkeypatch):
    use_stand_in(monkeypatch)
    out, plan = tmp_path / "out", output.parent / "plan"
    shutil.copytree(output, out)
    damaged = out / "glaciers" / "G1" / "lines" / "S1A_20200101.geojson"
    damaged.write_text("".join(damaged.read_text().splitlines(keepends=True)[:-1]))
    shutil.rmtree(out / "fronts")
    with pytest.raises(InputError, match=r"^results of 1 glaciers cannot be put together: glacier G1: .*: damaged"):
        run_campaign(plan, out, in_this_process)
    assert sorted(path.name for path in (out / "fronts").iterdir()) == ["region=R"], "the second glacier"
    assert "S1A_20200101.geojson: damaged" in (out / "overview.html").read_text()
    assert not json.loads((out / "stac" / "G1.json").read_text())["assets"]
    damaged.unlink()
    _batch.cache_clear()
    run_campaign(plan, out, in_this_process)
    assert sorted(path.name for path in (out / "fronts").iterdir()) == ["region=East%2FA", "region=R"]


def test_a_campaign_of_which_no_area_can_be_read_is_told_and_has_no_overview(tmp_path, monkeypatch):
    use_stand_in(monkeypatch)
    write_scenes(tmp_path / "scenes")
    plan, out = make_plan(tmp_path)[0], tmp_path / "out"
    for area in (plan / "areas").iterdir():
        area.write_text("{")
    with pytest.raises(InputError, match=r"^4 tasks have no result.*; results of 2 glaciers cannot be put together"):
        run_campaign(plan, out, in_this_process, attempts=1)
    assert not (out / "overview.html").exists() and json.loads((out / "collection.json").read_text())


@pytest.fixture
def one(output, tmp_path):
    """A glacier, its folder and what was made there."""
    folder = tmp_path / "G1"
    shutil.copytree(output / "glaciers" / "G1", folder)
    glacier = Glacier("G1", "One", "R", shapely.MultiPolygon())
    return glacier, folder, make_monthly(glacier, folder, OPTIONS)


OPTIONS = CompositeOptions()


def test_monthly_fronts_are_made_again_only_where_something_has_changed(one, tmp_path, monkeypatch):
    glacier, folder, first = one
    assert (first.months, first.gaps, first.problem) == (2, 13, "")
    made = []

    def instead(glacier, folder, options):
        made.append(glacier)
        for name in first.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text('{"months": {"seen": 1, "all": 1}}')
        return ""

    monkeypatch.setattr(monthly, "_make", instead)
    assert make_monthly(glacier, folder, OPTIONS) == first and not made

    def again(glacier=glacier, options=OPTIONS):
        before = len(made)
        result = make_monthly(glacier, folder, options)
        assert make_monthly(glacier, folder, options) == result, "what was made is kept"
        return len(made) - before

    (folder / "composites" / "composite.png").unlink()
    assert again() == 1
    with (folder / "fronts.geojson").open("a") as file:
        file.write("\n")
    assert again() == 1
    box = tmp_path / "box.geojson"
    box.write_text(json.dumps(polygon((2, 2, 9, 9))))
    boxed = dataclasses.replace(glacier, box=str(box))
    assert again(boxed) == 1
    box.write_text(json.dumps(polygon((2, 2, 9, 9)), indent=1))
    (tmp_path / "box.txt").write_text("of something else")
    assert again(boxed) == 0
    box.write_text(json.dumps(polygon((2, 2, 9, 10))))
    assert again(boxed) == 1
    assert again(options=CompositeOptions(grid_spacing_m=20.0)) == 1
    (folder / "monthly.json").write_text("[")
    assert again(options=CompositeOptions(grid_spacing_m=20.0)) == 1


def test_a_box_that_cannot_be_read_is_told_and_leaves_nothing_of_before(one, tmp_path):
    glacier, folder, _ = one
    box = tmp_path / "box.geojson"
    box.write_text("{")
    made = make_monthly(dataclasses.replace(glacier, box=str(box)), folder, OPTIONS)
    assert made.files == () and "box.geojson: not a readable GeoJSON file" in made.problem
    assert not (folder / "composites").exists()


def test_a_box_beside_the_fronts_is_told_and_leaves_nothing_of_before(one, tmp_path):
    glacier, folder, _ = one
    box = tmp_path / "box.geojson"
    box.write_text(json.dumps(polygon((2000, 10, 2050, 50))))
    elsewhere = dataclasses.replace(glacier, box=str(box))
    for _ in range(2):
        made = make_monthly(elsewhere, folder, OPTIONS)
        assert made == MonthlyFronts(
            problem=f"{box}: no front lies in it; draw it across the fronts, or leave `box` out"
        )
    assert not (folder / "composites").exists() and not (folder / "series").exists()


def test_the_box_of_the_table_is_the_box_of_the_monthly_fronts(one, tmp_path):
    glacier, folder, _ = one
    box = tmp_path / "box.geojson"
    box.write_text(json.dumps(polygon((12, 20, 58, 40))))
    made = make_monthly(dataclasses.replace(glacier, box=str(box)), folder, OPTIONS)
    found = json.loads((folder / "composites" / "composite.json").read_text())
    assert made.problem == "" and found["box_width_m"] == pytest.approx(400, rel=0.01)


def test_a_mistake_of_the_program_is_told_and_tried_again_and_a_full_disk_is_raised(one, monkeypatch):
    glacier, folder, _ = one
    other = CompositeOptions(grid_spacing_m=20.0)
    errors = [ZeroDivisionError("first"), ZeroDivisionError("second"), OSError(errno.ENOSPC, "No space left on device")]

    def fail(*arguments):
        raise errors.pop(0)

    monkeypatch.setattr(monthly, "follow_terminus", fail)
    told = [make_monthly(glacier, folder, other).problem for _ in range(2)]
    assert told == ["ZeroDivisionError: first", "ZeroDivisionError: second"]
    with pytest.raises(OSError, match="No space"):
        make_monthly(glacier, folder, other)


def test_ice_masks_where_a_spacing_is_given(one):
    pytest.importorskip("netCDF4", reason="the extra [netcdf] is not installed")
    glacier, folder, _ = one
    made = make_monthly(glacier, folder, CompositeOptions(grid_spacing_m=20.0))
    assert "composites/ice_mask.nc" in made.files and made.problem == ""
    coarse = make_monthly(glacier, folder, CompositeOptions(grid_spacing_m=1e5))
    assert coarse.months == 2 and "composites/ice_mask.nc" not in coarse.files
    assert re.match(r"no ice mask: grid_spacing_m=100000.0: the box is only", coarse.problem)


def test_masks_that_cannot_be_made_are_refused_before_anything_is_done(tmp_path, monkeypatch):
    use_stand_in(monkeypatch)
    write_scene(tmp_path / "scenes", "S1A_20200101", 0)
    plan, out = make_plan(tmp_path)[0], tmp_path / "out"
    with pytest.raises(ArgumentError, match="give a number of metres above 0"):
        run_campaign(plan, out, in_this_process, grid_spacing_m=float("nan"))
    with pytest.raises(ArgumentError, match="written by a run without `shard`"):
        run_campaign(plan, out, in_this_process, (1, 2), grid_spacing_m=50.0)
    monkeypatch.setitem(sys.modules, "netCDF4", None)
    with pytest.raises(InputError, match=r"`grid_spacing_m`: needs the extra \[netcdf\]"):
        run_campaign(plan, out, in_this_process, grid_spacing_m=50.0)
    assert not out.exists()


def test_products_follow_what_is_there(tmp_path, monkeypatch):
    use_stand_in(monkeypatch)
    write_scene(tmp_path / "scenes", "S1A_20200101", 0)
    write_scene(tmp_path / "scenes", "S1A_20210101", 0)
    run_campaign(make_plan(tmp_path)[0], tmp_path / "out", in_this_process)
    (tmp_path / "out/fronts/region=R/year=1999").mkdir()
    (tmp_path / "out/fronts/region=R/year=1999/fronts.parquet").write_bytes(b"of an earlier time")
    (tmp_path / "out/stac/G2.json").write_text("{}")
    run_campaign(tmp_path / "plan", tmp_path / "out", in_this_process)
    assert not (tmp_path / "out/fronts/region=R/year=1999/fronts.parquet").exists()
    assert sorted(path.name for path in (tmp_path / "out" / "stac").iterdir()) == ["G1.json"]


def facts(**values):
    return GlacierFacts("id", "name", "R", **{"longitude": 20.0, "latitude": 78.0, **values})


def dots(text):
    return [
        tuple(float(number) for number in match)
        for match in re.findall(r'<circle cx="([-\d.]+)" cy="([-\d.]+)" r="([-\d.]+)"', text)
    ]


def test_the_overview_shows_north_up_east_right_and_more_fronts_larger():
    west = facts(longitude=15.0, fronts=100, rejected=60)
    north = facts(longitude=20.0, latitude=80.0, fronts=25)
    large, small = dots(overview_text([north, west], "T", "1"))
    assert large[0] < small[0] and large[1] > small[1] and large[2] > small[2]
    assert all(0 < x < 1000 and 0 < y < 620 for x, y, _ in (large, small))


def test_labels_stand_where_there_is_room_for_them():
    page = overview_text([facts(longitude=0.0), facts(longitude=40.0)], "T", "1")
    (west, *_), (east, *_) = dots(page)
    anchors = re.findall(r'<text x="([-\d.]+)" y="[-\d.]+"( text-anchor="end")?>name', page)
    assert [(float(x) > dot, bool(at_end)) for dot, (x, at_end) in zip((west, east), anchors, strict=True)] == [
        (True, False),
        (False, True),
    ]


def test_the_overview_holds_glaciers_of_both_poles_one_alone_and_both_sides_of_180_degrees():
    for places in ([(20, 78), (-60, -65)], [(20, 78)], [(179.5, 70), (-179.5, 70)]):
        shown = dots(overview_text([facts(longitude=x, latitude=y) for x, y in places], "T", "1"))
        assert len(shown) == len(places) and all(0 < x < 1000 and 0 < y < 620 for x, y, _ in shown)
    first, second = shown
    assert first[0] < second[0], "179.5 E lies to the west of 179.5 W"


def test_the_overview_links_monthly_fronts_and_tells_what_is_missing():
    known = facts(months=30, gaps=4, links=(("table", "glaciers/A b/monthly.csv"),), problem="no <mask>")
    text = overview_text([known, facts()], "T", "1")
    assert '<a href="glaciers/A%20b/monthly.csv">table</a>' in text and "no &lt;mask&gt;" in text
    assert re.findall(r"<td>(.*?)</td>", text)[12:14] == ["30", "4"]
    assert "30 months have a monthly front, 4 between them have none" in text


def test_the_overview_tells_counts_gaps_and_shares_and_loads_nothing():
    one = facts(
        scenes=10,
        fronts=8,
        doubtful=1,
        rejected=2,
        first=datetime.date(2020, 1, 1),
        last=datetime.date(2021, 1, 1),
        longest_gap_days=120,
        without_result=3,
    )
    text = overview_text([one, facts(longitude=21.0)], "<b>T", "1")
    cells = re.findall(r"<td>(.*?)</td>", text)
    assert cells[3:14] == ["10", "8", "1", "2", "25", "2020-01-01", "2021-01-01", "120", "3", "–", "–"]
    assert "&lt;b&gt;T" in text and cells[21] == "–"
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)|@import|url\(", text)
