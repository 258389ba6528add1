"""Lines of any format and reference system are scored as the fronts of their scenes."""

import json
import logging

import numpy as np
import pytest
import shapely
from made_up_archive import NAMES, SHAPE, command, write_archive, write_fronts
from rasterio.crs import CRS
from vector_files import write_vectors

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.core.scene_names import parse_name
from glacierjax.datasets.caffe.meta_data import META_DATA, write_meta_data
from glacierjax.evaluation.evaluate import ScoreOptions, evaluate
from glacierjax.evaluation.lines import are_lines, from_lines
from glacierjax.evaluation.run import raw_scenes
from glacierjax.geo.georeference import WGS84, Georeference, reproject
from glacierjax.geo.vectors import write_points
from glacierjax.terminus.attributes import Fields

POLAR = CRS.from_epsg(3413)
WEST, SOUTH, PIXEL_M = -180_000.0, -2_280_000.0, 20
BOUNDS = MapBounds("EPSG:3413", WEST, SOUTH, WEST + SHAPE[1] * PIXEL_M, SOUTH + SHAPE[0] * PIXEL_M)
GRID = Georeference(POLAR, BOUNDS.transform(SHAPE))
TEST = NAMES["test"]
OFF_PX = 3  # the true front is at column 40


@pytest.fixture
def data_raw(tmp_path):
    write_meta_data(tmp_path, dict.fromkeys([name for names in NAMES.values() for name in names], BOUNDS))
    return write_archive(tmp_path / "data_raw")


def line(column, rows=(5, 55)):
    """Longitude and latitude of a line down the middle of a column of pixels."""
    y = np.linspace(*rows, 26)
    return GRID.to_lonlat(np.column_stack([np.full(26, column + 0.5), y]))


def write_lines(path, lines, rows, epsg=3413):
    return write_vectors(path, [shapely.LineString(one) for one in lines], rows, epsg)


def scored(fronts, data_raw, output, **options):
    return evaluate(output, ScoreOptions(fronts=str(fronts), data=str(data_raw), **options))


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".parquet", ".geojson"])
@pytest.mark.parametrize("epsg", [4326, 3413, 32622])
def test_lines_have_the_error_of_the_same_fronts_as_pictures(tmp_path, data_raw, suffix, epsg):
    lines, rows = [], []
    for number, name in enumerate(TEST):
        for piece in (line(40 + OFF_PX + number, (4, 30)), line(40 + OFF_PX + number, (30, 56))[::-1]):
            lines.append(piece)
            rows.append({"src": f"{name}.tif"})
    path = write_lines(tmp_path / f"lines{suffix}", lines, rows, epsg)
    predict = from_lines(str(path), TEST)
    pictures = write_fronts(tmp_path / "pictures", 40 + OFF_PX)
    for scene in raw_scenes(str(data_raw), "test"):
        drawn = predict(scene).labels
        given = read_grey_png(pictures / f"{scene.id.name}.png") > 0
        rows_there = np.flatnonzero(given.any(1))
        columns = np.array([np.flatnonzero(drawn[row]).mean() for row in rows_there])
        assert np.abs(columns - given[rows_there].argmax(1)).max() <= 1


def test_the_command_scores_lines(tmp_path, data_raw):
    path = write_lines(tmp_path / "lines.geojson", [line(40 + OFF_PX)] * 2, [{"src": name} for name in TEST[:2]])
    out = tmp_path / "out"
    done = command(f"--fronts={path}", f"--data={data_raw}", f"--output={out}", "--name_field=SRC")
    assert done.returncode == 0, done.stderr
    assert f"no line for 1 of 3 scenes: {TEST[2]}" in done.stderr
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["missing_fronts"] == 1
    assert metrics["mde_m"] == pytest.approx(OFF_PX * PIXEL_M, abs=PIXEL_M)


def test_lines_are_found_by_date_and_place(tmp_path, data_raw, caplog):
    dates = [str(parse_name(name).date) for name in TEST]
    elsewhere = line(2000)
    rows = [{"Date": date} for date in (*dates, dates[0], "1999-01-01")]
    path = write_lines(tmp_path / "lines.gpkg", [*(line(43) for _ in TEST), elsewhere, line(43)], rows)
    with caplog.at_level(logging.INFO, logger="glacierjax"):
        metrics = scored(path, data_raw, tmp_path / "out")
    assert metrics is not None and metrics["missing_fronts"] == 0
    assert metrics["mde_m"] == pytest.approx(60, abs=PIXEL_M)
    assert "lines of 3 scene(s) are told by their date" in caplog.text
    assert "1 line(s) of no scene of the split, left out" in caplog.text


def test_lines_of_a_date_that_lie_elsewhere_are_no_second_front(tmp_path, data_raw):
    date = str(parse_name(TEST[0]).date)
    rows = [{"scene_id": scene, "Date": date, "glacier": "Helheim"} for scene in "abc"]
    path = write_lines(tmp_path / "lines.gpkg", [line(43), line(2000), line(-900)], rows)
    predict = from_lines(str(path), TEST)
    (scene,) = (one for one in raw_scenes(str(data_raw), "test") if one.id.name == TEST[0])
    assert set(np.flatnonzero(predict(scene).labels.any(0)).tolist()) <= {42, 43, 44}
    assert predict(scene).labels.any()


def test_a_line_whose_points_all_lie_beside_the_scene_runs_through_it(tmp_path, data_raw):
    long = GRID.to_lonlat(np.array([[43.5, -20.0], [43.5, SHAPE[0] + 20.0]]))
    predict = from_lines(str(write_lines(tmp_path / "lines.gpkg", [long], [{"scene": TEST[0]}])), TEST)
    (scene,) = (one for one in raw_scenes(str(data_raw), "test") if one.id.name == TEST[0])
    assert predict(scene).labels[:, 43].all()


def test_lines_in_pixels_need_no_map(tmp_path, data_raw):
    (tmp_path / META_DATA).unlink()
    folder = tmp_path / "predicted" / "lines"
    for name in TEST:
        write_points(folder / f"{name}.csv", [np.array([[43.5, 5], [43.5, 55]])], name, PIXEL_M)
    assert are_lines(str(tmp_path / "predicted")) and not are_lines(str(data_raw))
    metrics = scored(tmp_path / "predicted", data_raw, tmp_path / "out")
    assert metrics is not None and metrics["mde_m"] == pytest.approx(60, abs=PIXEL_M)


def test_lines_of_no_scene_are_one_line_of_advice(tmp_path, data_raw):
    moved = reproject(line(43), WGS84, POLAR) + 1e6
    wrong = write_lines(tmp_path / "moved.gpkg", [reproject(moved, POLAR, WGS84)], [{"scene": TEST[0]}])
    with pytest.raises(InputError, match=f"{TEST[0]}: its lines lie outside of the scene"):
        scored(wrong, data_raw, tmp_path / "out")
    none = write_lines(tmp_path / "none.gpkg", [line(43)], [{"what": "a line"}])
    with pytest.raises(InputError, match=r"none.gpkg: no line of a scene of the split: there are none.*`name_field`"):
        scored(none, data_raw, tmp_path / "out")
    with pytest.raises(InputError, match=r"`name_field`=image: no such attribute in .*none.gpkg; there are: what"):
        scored(none, data_raw, tmp_path / "out", fields=Fields(name="image"))
    date = str(parse_name(TEST[0]).date)
    rows = [{"scene_id": "a", "Date": date, "glacier": "COL"}, {"scene_id": "b", "Date": date, "glacier": "COL"}]
    twice = write_lines(tmp_path / "twice.gpkg", [line(43), line(44)], rows)
    with pytest.raises(InputError, match=rf"twice.gpkg: 2 fronts of {date} lie in the scene {TEST[0]} \(a, b\); name"):
        scored(twice, data_raw, tmp_path / "out")
    (tmp_path / META_DATA).unlink()
    with pytest.raises(
        InputError, match=r"not georeferenced, so lines on Earth cannot be laid over it; put meta_data.csv"
    ):
        scored(twice, data_raw, tmp_path / "out", fields=Fields(name="Date"))
    with pytest.raises(InputError, match=r"of lines, and none are given as `fronts`"):
        ScoreOptions(fronts=str(data_raw), data=str(data_raw), fields=Fields(name="src"))
