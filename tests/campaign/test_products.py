"""Products of a campaign: GeoParquet by region and year, the STAC collection, and the page of all glaciers."""

import datetime
import json
import re

import pyarrow.dataset
import pyarrow.parquet
import pytest
import shapely
from small_campaign import make_plan, use_stand_in, write_glaciers, write_scene, write_scenes

from glacierjax.campaign.run import in_this_process, run_campaign
from glacierjax.campaign.work import _batch, _journal
from glacierjax.geo.features import read_features
from glacierjax.reports.overview import GlacierFacts, overview_text

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
    assert shapely.equals_exact(line.geoms[0], shapely.geometry.shape(own["geometry"]), 1e-9)
    assert properties["date"] == "2020-01-01" and "Year" not in properties


def test_each_glacier_has_the_tables_of_predict(output):
    for glacier in ("G1", "G2"):
        folder = output / "glaciers" / glacier
        assert len((folder / "scenes.csv").read_text().splitlines()) == 3
        assert len(json.loads((folder / "fronts.geojson").read_text())["features"]) == 2


def test_the_stac_collection_leads_to_every_file(output):
    collection = json.loads((output / "stac" / "collection.json").read_text())
    assert collection["type"] == "Collection" and collection["extent"]["temporal"]["interval"] == [
        ["2020-01-01T00:00:00Z", "2021-03-01T00:00:00Z"]
    ]
    links = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    assert links == ["./G1.json", "./G2.json"]
    assert (output / "stac" / collection["assets"]["fronts"]["href"]).is_dir()
    item = json.loads((output / "stac" / "G1.json").read_text())
    assert item["properties"]["fronts"] == 2 and item["properties"]["region"] == "East/A"
    west, south, east, north = item["bbox"]
    assert shapely.box(west, south, east, north).covers(shapely.geometry.shape(item["geometry"]))
    assert {(output / "stac" / asset["href"]).is_file() for asset in item["assets"].values()} == {True}
    assert collection["extent"]["spatial"]["bbox"][0][0] == west


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
    assert sorted(path.name for path in (tmp_path / "out" / "stac").iterdir()) == ["G1.json", "collection.json"]


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


def test_the_overview_holds_glaciers_of_both_poles_one_alone_and_both_sides_of_180_degrees():
    for places in ([(20, 78), (-60, -65)], [(20, 78)], [(179.5, 70), (-179.5, 70)]):
        shown = dots(overview_text([facts(longitude=x, latitude=y) for x, y in places], "T", "1"))
        assert len(shown) == len(places) and all(0 < x < 1000 and 0 < y < 620 for x, y, _ in shown)
    first, second = shown
    assert first[0] < second[0], "179.5 E lies to the west of 179.5 W"


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
    assert cells[3:12] == ["10", "8", "1", "2", "25", "2020-01-01", "2021-01-01", "120", "3"]
    assert "&lt;b&gt;T" in text and cells[19] == "–"
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)|@import|url\(", text)
