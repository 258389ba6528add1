"""Lines that people drew over GeoTIFFs become the labels that they came from, in any reference system and direction."""

import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import shapely
from drawn_lines import NORTH, label_plain, straight
from rasterio import features
from rasterio.crs import CRS
from rasterio.transform import Affine
from scipy import ndimage
from vector_files import write_vectors

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.meta_data import find_meta_data
from glacierjax.datasets.caffe.na_rule import na_is_unlabelled
from glacierjax.datasets.caffe.writer import write_scene
from glacierjax.fronts.lines import trace_front
from glacierjax.fronts.scores import distance_errors
from glacierjax.geo.georeference import WGS84, Georeference, reproject
from glacierjax.geo.rasters import write_raster
from glacierjax.labels import make
from glacierjax.labels.make import LabelOptions, label_scenes
from glacierjax.labels.sides import sides_of_others
from glacierjax.simulate.archive import ArchiveOptions, simulate
from glacierjax.terminus.attributes import Fields
from glacierjax.terminus.fronts import Front

MAP = CRS.from_epsg(3413)
SIZE_PX = 200
SCENES = 3


@dataclasses.dataclass(frozen=True, eq=False)
class Truth:
    scene: object
    place: Georeference
    path: object

    @property
    def lines(self):
        """Longitude and latitude, the glacier on the left."""
        return [self.place.to_lonlat(line) for line in trace_front(self.scene.zones, self.scene.front)]

    def box(self):
        xmin, ymin, xmax, ymax = self.scene.box
        height, width = self.scene.image.shape
        corners = shapely.box(max(xmin, 0), max(ymin, 0), min(xmax, width), min(ymax, height))
        ring = shapely.get_coordinates(shapely.segmentize(corners, 5))
        return shapely.Polygon(self.place.to_lonlat(ring))

    def on_glacier(self):
        """A point (2,) of longitude and latitude, as far from the ocean as there is."""
        distance = ndimage.distance_transform_edt(np.pad(self.scene.zones == Zone.GLACIER, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(distance.argmax(), distance.shape)
        return self.place.to_lonlat(np.array([[column + 0.5, row + 0.5]]))[0]


@pytest.fixture(scope="module")
def truths(tmp_path_factory):
    """Simulated scenes as GeoTIFFs in EPSG:3413, where UTM 33 and degrees lie askew."""
    folder = tmp_path_factory.mktemp("scenes")
    found = []
    for number, (_, scene) in enumerate(simulate(ArchiveOptions(seed=3, scenes=SCENES, size=SIZE_PX))):
        spacing = scene.id.pixel_spacing_m
        place = Georeference(MAP, (spacing, 0, 900_000 + 40_000 * number, 0, -spacing, -900_000))
        path = folder / f"{scene.id.name}.tif"
        write_raster(path, scene.image, place, "grey")
        found.append(Truth(scene, place, path))
    return found


def fronts_file(path, truths, epsg, reverse=False):
    shapes = [shapely.LineString(line[::-1] if reverse else line) for truth in truths for line in truth.lines]
    rows = [
        {"Image": truth.path.name, "Date_": truth.scene.id.date.isoformat()} for truth in truths for _ in truth.lines
    ]
    return write_vectors(path, shapes, rows, epsg)


def boxes_file(path, truths, epsg=4326):
    return write_vectors(path, [truth.box() for truth in truths], [{"what": "box"}] * len(truths), epsg)


def label(truths, output, fronts, **options):
    return label_scenes([str(truth.path) for truth in truths], [str(fronts)], output, LabelOptions(**options))


def check_against(truths, output):
    """Fronts within a pixel of the truth, zones right wherever they are labelled, the image unchanged."""
    archive = open_archive(output)
    assert archive.names("train") == sorted(truth.scene.id.name for truth in truths)
    assert na_is_unlabelled("stated", archive)
    for truth in truths:
        found, true = archive.read("train", truth.scene.id.name), truth.scene
        assert (found.image == true.image).all()
        errors_px = distance_errors(found.front, true.front, 1.0)
        assert errors_px.size and errors_px.max() <= 1.0, truth.path.name
        labelled = found.zones != Zone.NA
        compared = labelled & (true.zones != Zone.NA) & (true.zones != Zone.ROCK)
        assert labelled.mean() > 0.1
        assert (found.zones[compared] == true.zones[compared]).mean() > 0.99


@pytest.fixture(scope="module")
def rock(truths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rock")
    return write_vectors(folder / "rock.geojson", [rock_of(t) for t in truths], [{"what": "rock"}] * len(truths), 3413)


def rock_of(truth):
    mask = truth.scene.zones == Zone.ROCK
    shapes = features.shapes(mask.astype(np.uint8), mask, transform=Affine(*truth.place.transform))
    whole = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in shapes])
    in_degrees = shapely.transform(whole, lambda points: reproject(points, MAP, WGS84))
    return shapely.MultiPolygon(shapely.get_parts(in_degrees).tolist())


@pytest.fixture
def given(truths, rock, tmp_path):
    """Options that fit the simulated scenes."""
    return {"box": str(boxes_file(tmp_path / "box.geojson", truths)), "rock": str(rock)}


def points_on_glaciers(truths):
    return tuple(",".join(map(str, truth.on_glacier().tolist())) for truth in truths)


@pytest.mark.parametrize(("epsg", "suffix"), [(3413, ".gpkg"), (32633, ".shp"), (4326, ".geojson")])
@pytest.mark.parametrize("reverse", [False, True])
def test_simulated_truth_comes_back_from_its_lines(truths, given, tmp_path, epsg, suffix, reverse, caplog):
    fronts = fronts_file(tmp_path / f"fronts{suffix}", truths, epsg, reverse)
    points = points_on_glaciers(truths) if reverse else ()
    with caplog.at_level(logging.INFO):
        label(truths, tmp_path / "data_raw", fronts, **given, glacier_points=points)
    check_against(truths, tmp_path / "data_raw")
    assert ("turned round" in caplog.text) == reverse
    assert ("told by the point" if reverse else "told by the direction") in caplog.text
    names = {f"{truth.scene.id.name}.png" for truth in truths}
    assert {path.name for path in (tmp_path / "data_raw" / "overlays").iterdir()} == names


@pytest.mark.parametrize("kind", ["vector", "raster"])
def test_polygons_or_a_mask_on_the_glacier_tell_its_side(truths, given, tmp_path, kind):
    """The lines are drawn the wrong way round; the ice is told by a file, of the third scene by the other two."""
    fronts = fronts_file(tmp_path / "fronts.geojson", truths, 4326, reverse=True)
    if kind == "vector":
        known = [polygon_of(truth, Zone.GLACIER) for truth in truths]
        ice = write_vectors(tmp_path / "ice.geojson", known, [{"what": "ice"}] * len(truths), 32633)
        label(truths, tmp_path / "data_raw", fronts, **given, glacier=str(ice))
        check_against(truths, tmp_path / "data_raw")
        return
    truth = truths[0]
    sea = tmp_path / "sea.tif"
    write_raster(sea, (truth.scene.zones == Zone.OCEAN_ICE_MELANGE).astype(np.uint8), truth.place, "sea")
    fronts = fronts_file(tmp_path / "one.geojson", truths[:1], 4326, reverse=True)
    label(truths[:1], tmp_path / "data_raw", fronts, **given, ocean=str(sea))
    check_against(truths[:1], tmp_path / "data_raw")


def polygon_of(truth, zone):
    """A smooth polygon inside of a zone."""
    mask = ndimage.binary_erosion(truth.scene.zones == zone, iterations=5)
    shapes = features.shapes(mask.astype(np.uint8), mask, transform=Affine(*truth.place.transform))
    largest = max((shapely.geometry.shape(shape) for shape, _ in shapes), key=lambda shape: shape.area)
    return shapely.transform(largest, lambda points: reproject(points, MAP, WGS84))


def test_lines_are_matched_by_date_and_glacier_and_sensor_are_told(plain, tmp_path, caplog):
    rows = [{"date": f"{year}-07-01", "glacier": "Nameless East"} for year in (2019, 2021)]
    with caplog.at_level(logging.INFO):
        ids = label_plain(plain, tmp_path, [straight(plain[1], *NORTH)] * 2, rows)
    assert [scene.name for scene in ids] == [f"Nameless-East_{year}-07-01_S1_20_1_001" for year in (2019, 2021)]
    assert "told by date and place: S1_2019-07-01_HH, S1_2021-07-01_HH" in caplog.text
    assert "without a front, so left out: S1_2018-07-01_HH, S1_2020-07-01_HH" in caplog.text
    scene = open_archive(tmp_path / "out").read("train", ids[0].name)
    assert scene.zones[40, 45] == Zone.GLACIER and scene.zones[40, 55] == Zone.OCEAN_ICE_MELANGE
    assert scene.zones[2, 2] == scene.zones[78, 97] == Zone.NA
    assert scene.front[40, 50] and scene.front.sum() == pytest.approx(58, abs=3)
    table = find_meta_data(tmp_path / "out")
    assert table is not None
    assert table.bounds(ids[0], (80, 100)) == MapBounds("EPSG:32633", 500_000, 8_700_000 - 1600, 502_000, 8_700_000)
    record = json.loads((tmp_path / "out" / "labels.json").read_text())
    assert record["na_means"] == "not labelled"
    assert record["scenes"][ids[0].name]["matched_by"] == "date"
    assert record["scenes"][ids[0].name]["side_told_by"] == "direction of the line"
    (file,) = record["scenes"][ids[0].name]["files"]
    assert Path(file).is_absolute() and Path(file).is_file(), "adapt --rock finds it from any folder"


def test_lines_that_run_both_ways_ask_for_a_point_on_the_glacier():
    there = np.array([[15.0, 78.3], [15.0, 78.31]])
    fronts = [Front(name, [run], None, "TUN", None) for name, run in (("a", there), ("b", there[::-1]))]
    problems = sides_of_others(fronts, {})
    assert all("give `glacier_point`" in problems[i] and "`box`" not in problems[i] for i in (0, 1))


def test_a_line_against_the_others_is_turned_round(plain, tmp_path):
    shapes = [straight(plain[1], *(NORTH[::-1] if year == 2020 else NORTH)) for year in range(2018, 2022)]
    ids = label_plain(plain, tmp_path, shapes, [{"date": f"{year}-07-01"} for year in range(2018, 2022)])
    archive = open_archive(tmp_path / "out")
    assert len(ids) == 4
    for scene in ids:
        assert archive.read_zones("train", scene.name)[40, 45] == Zone.GLACIER
    sides = json.loads((tmp_path / "out" / "labels.json").read_text())["scenes"]
    assert [name for name, facts in sides.items() if facts["turned_round"]] == [ids[2].name]


@pytest.mark.parametrize("row", [{"name": "S1"}, {"name": "S1", "colour": "red"}], ids=["one", "several"])
def test_of_scenes_that_begin_with_a_lines_name_that_of_its_date_is_taken(plain, tmp_path, row):
    years = (2019,) if len(row) == 1 else (2019, 2020)
    rows = [{**row, "date": f"{year}-07-01"} for year in years]
    for fields in (Fields(), Fields(name="name")):
        ids = label_plain(plain, tmp_path, [straight(plain[1], *NORTH)] * len(rows), rows, fields=fields)
        assert [scene.date.year for scene in ids] == [*years]


def test_a_line_whose_name_only_scenes_of_other_dates_begin_with_goes_by_date(plain, tmp_path):
    row = {"name": "S1_2020", "date": "2019-07-01"}
    (scene,) = label_plain(plain, tmp_path, [straight(plain[1], *NORTH)], [row])
    assert scene.date.year == 2019


def test_a_line_that_names_a_scene_of_another_date_is_taken_for_it_and_named(plain, tmp_path, caplog):
    rows = [{"scene": "S1_2020-07-01_HH", "date": date} for date in ("2020-07-01", "2020-07-02")]
    for row in rows:
        caplog.clear()
        (scene,) = label_plain(plain, tmp_path, [straight(plain[1], *NORTH)], [row])
        assert str(scene.date) == "2020-07-01"
        said = "dated 2020-07-02, but its scene by name is S1_2020-07-01_HH of 2020-07-01" in caplog.text
        assert said == (row["date"] != "2020-07-01")


CROSSING = ((50, 70), (50, 20), (60, 30), (40, 60))
BAD = {
    "crosses itself": (CROSSING, {"date": "2020-07-01"}, {}, r"fronts\.geojson.*crosses itself.*S1_2020-07-01_HH\.tif"),
    "lies outside": (
        ((500, 70), (500, 10)),
        {"date": "2020-07-01"},
        {},
        r"fronts\.geojson.*lies outside of .*S1_2020-07-01_HH\.tif",
    ),
    "outside, by name": (
        ((500, 70), (500, 10)),
        {"scene": "S1_2020-07-01_HH"},
        {},
        r"fronts\.geojson.*lies outside of its scene .*S1_2020-07-01_HH\.tif",
    ),
    "no such date": (NORTH, {"date": "2015-07-01"}, {}, r"fronts\.geojson.*no scene of 2015-07-01; there are: S1_2018"),
    "no such name": (
        NORTH,
        {"picture": "S1_2015"},
        {"fields": Fields(name="picture")},
        r"fronts\.geojson.*no scene of the name 'S1_2015'; there are: S1_2018",
    ),
    "nothing told": (NORTH, {"colour": "red"}, {}, r"fronts\.geojson.*neither name nor date.*`name_field`"),
    "does not divide": (
        ((50, 50), (50, 30)),
        {"date": "2020-07-01"},
        {"box": True},
        r"fronts\.geojson.*does not divide its box in .*S1_2020-07-01_HH\.tif.*draw the box narrower",
    ),
    "beside the box": (
        ((90, 70), (90, 10)),
        {"date": "2020-07-01"},
        {"box": True},
        r"fronts\.geojson.*lies in the box",
    ),
    "point with exchanged coordinates": (
        NORTH,
        {"date": "2020-07-01"},
        {"glacier_points": ("78.37,15.04",)},
        r"fronts\.geojson.*lies [0-9,]+ km from the front; .* longitude before latitude",
    ),
    "point ahead": (NORTH, {"date": "2020-07-01"}, {"glacier_points": ("501010,8730000",)}, r"beyond the front's end"),
}


def test_months_without_a_summer_scene_are_refused(plain, tmp_path):
    with pytest.raises(InputError, match="summer_months='7,8': no summer scene is looked for"):
        label_plain(plain, tmp_path, [straight(plain[1], *NORTH)], [{"date": "2020-07-01"}], summer_months=(7, 8))


@pytest.mark.parametrize(("corners", "row", "options", "message"), BAD.values(), ids=BAD)
def test_a_bad_line_is_one_clear_error_that_stops_no_other(plain, tmp_path, corners, row, options, message):
    if options.get("box"):
        outline = straight(plain[1], (20, 5), (80, 5), (80, 75), (20, 75), (20, 5))
        box = write_vectors(tmp_path / "box.geojson", [shapely.Polygon(outline.coords)], [{"what": "box"}], 4326)
        options = {**options, "box": str(box)}
    shapes, rows = [straight(plain[1], *corners)], [row]
    if not options.get("glacier_points") and "fields" not in options:  # which would be wrong for the good line too
        shapes.append(straight(plain[1], (50, 79), (50, 1)))
        rows.append({"date": "2018-07-01"})
    names = list(dict.fromkeys(name for one in rows for name in one))
    rows = [{name: one.get(name) for name in names} for one in rows]
    with pytest.raises(InputError, match=message) as raised:
        label_plain(plain, tmp_path, shapes, rows, **options)
    assert "\n" not in str(raised.value) and str(raised.value).startswith(
        f"{len(rows) - 1} scenes labelled, 1 problem(s)"
    )
    if len(rows) == 2:
        (name,) = open_archive(tmp_path / "out").names("train")
        assert "_2018-07-01_S1_20_1_001" in name


def test_a_second_run_replaces_what_the_first_wrote_and_nothing_else(plain, tmp_path):
    label_plain(plain, tmp_path, [straight(plain[1], *NORTH)], [{"date": "2018-07-01", "glacier": "A"}])
    label_plain(plain, tmp_path, [straight(plain[1], *NORTH)], [{"date": "2018-07-01", "glacier": "B"}])
    assert open_archive(tmp_path / "out").names("train") == ["B_2018-07-01_S1_20_1_001"]
    corner = straight(plain[1], (0, 0), (9, 0), (9, 9), (0, 0))
    rock = write_vectors(tmp_path / "rock.geojson", [shapely.Polygon(corner.coords)], [{"what": "rock"}], 4326)
    for options in ({"rock": str(rock)}, {}):
        label_plain(plain, tmp_path, [straight(plain[1], *NORTH)], [{"date": "2018-07-01", "glacier": "B"}], **options)
        scene = open_archive(tmp_path / "out").read("train", "B_2018-07-01_S1_20_1_001")
        assert (scene.rock is not None) == bool(options), "no mask is left from an earlier run"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match="holds something else"):
        label_scenes([str(plain[0][0])], [str(tmp_path / "fronts.geojson")], tmp_path / "other", LabelOptions())


def test_a_name_that_says_another_pixel_spacing_is_not_kept(tmp_path):
    place = Georeference(CRS.from_epsg(32633), (20, 0, 500_000, 0, -20, 8_700_000))
    path = tmp_path / "JAC_2018-07-01_TSX_7_1_001.tif"
    write_raster(path, np.full((80, 100), 90, np.uint8), place, "grey")
    (scene,) = label_plain(([path], place), tmp_path, [straight(place, *NORTH)], [{"date": "2018-07-01"}])
    assert scene.name == "JAC_2018-07-01_TSX_20_1_001"


def test_an_interrupted_run_leaves_no_archive_whose_unlabelled_ground_is_a_class(plain, tmp_path, monkeypatch):
    def write_one(output, split, scene):
        if scene.id.date.year == 2019:
            raise KeyboardInterrupt
        write_scene(output, split, scene)

    shapes = [straight(plain[1], *NORTH)] * 2
    rows = [{"date": f"{year}-07-01", "glacier": "A"} for year in (2018, 2019)]
    with monkeypatch.context() as patch:
        patch.setattr(make, "write_scene", write_one)
        with pytest.raises(KeyboardInterrupt):
            label_plain(plain, tmp_path, shapes, rows)
    assert na_is_unlabelled("stated", open_archive(tmp_path / "out"))
    assert len(label_plain(plain, tmp_path, shapes, rows)) == 2
