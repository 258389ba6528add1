"""Where CaFFe's scenes lie on the map: the table beside the archive, and what can be wrong with it."""

import numpy as np
import pytest

from glacierjax.core.boxes import BoundingBox, MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import open_archive
from glacierjax.datasets.caffe.meta_data import META_DATA, find_meta_data, meta_data_of_image, write_meta_data
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.writer import write_scene

COL, CRANE = "COL_2011-11-13_TSX_7_1_092", "Crane_2002-11-09_ERS_20_2_061"
SHAPE = (40, 60)
BOUNDS = {
    COL: MapBounds("EPSG:32606", 480_000.5, 6_780_000.0, 480_000.5 + 60 * 6.9, 6_780_000.0 + 40 * 6.9),
    CRANE: MapBounds("EPSG:3031", -2_390_000.0, 1_280_000.0, -2_390_000.0 + 1200, 1_280_800.0),
}
TITLES = "image_name ; glacier_name;date;sensor;resolution (m); Bounding box coordinates;Coordinate system;Größe"
ROWS = {
    name: f"{name}.tif;{name.split('_')[0]};13.11.2011;TSX;7;BoundingBox(left={b.left}, bottom={b.bottom}, "
    f"right={b.right}, top={b.top});{b.crs};3,5"
    for name, b in BOUNDS.items()
}


@pytest.fixture
def data_raw(tmp_path):
    for name in BOUNDS:
        zones = np.full(SHAPE, Zone.GLACIER, np.uint8)
        scene = LabelledScene(parse_name(name), zones, zones, np.zeros(SHAPE, bool), BoundingBox(0, 0, 60, 40))
        write_scene(tmp_path / "data_raw", "train", scene)
    return tmp_path / "data_raw"


def write(folder, *rows, titles=TITLES):
    (folder / META_DATA).write_bytes("\r\n".join([titles, *rows, ";;;;;;;"]).encode("latin-1"))


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("codes", ["EPSG:", "epsg: ", ""])
def test_bounds_come_with_the_scenes(data_raw, beside, codes):
    write(data_raw.parent if beside else data_raw, *(row.replace("EPSG:", codes) for row in ROWS.values()))
    archive = open_archive(data_raw)
    assert {name: archive.read("train", name).bounds for name in BOUNDS} == BOUNDS
    image = data_raw / "sar_images" / "train" / f"{COL}.png"
    table = meta_data_of_image(image, "sar_images")
    assert table is not None and table.bounds(parse_name(COL), SHAPE) == BOUNDS[COL]
    assert meta_data_of_image(data_raw / f"{COL}.png", "sar_images") is None


def test_without_the_table_nothing_is_known(data_raw):
    assert open_archive(data_raw).read("train", COL).bounds is None
    assert meta_data_of_image(data_raw / "sar_images" / "train" / f"{COL}.png", "sar_images") is None


def test_a_table_that_was_written_is_read_again(data_raw):
    write_meta_data(data_raw, BOUNDS)
    table = find_meta_data(data_raw)
    assert table is not None and table.bounds(parse_name(CRANE), SHAPE) == BOUNDS[CRANE]


def test_rows_and_columns_lie_where_the_bounds_say():
    a, b, c, d, e, f = BOUNDS[CRANE].transform(SHAPE)
    assert (a, b, c, d, e, f) == (20, 0, -2_390_000, 0, -20, 1_280_800)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROWS[CRANE]], f"no row for the scene {COL}, expected one"),
        ([ROWS[COL], ROWS[CRANE], ROWS[COL]], rf"2 rows \(2, 4\) for the scene {COL}, expected one"),
        (
            [ROWS[COL].replace(f"{BOUNDS[COL].right}", "480100.5"), ROWS[CRANE]],
            "contradict its image of 60 x 40 pixels",
        ),
        ([ROWS[COL].replace("480000.5", "490000.5"), ROWS[CRANE]], "hold no area"),
        ([ROWS[COL].replace("EPSG:32606", ""), ROWS[CRANE]], f"row 2: {COL}: no EPSG code and bounds"),
        ([ROWS[COL].replace("left=480000.5", "left=west"), ROWS[CRANE]], f"row 2: {COL}: no EPSG code and bounds"),
        ([], "no row that can be read"),
        ([row.replace(";", ",") for row in ROWS.values()], "no row that can be read"),
    ],
)
def test_a_wrong_table_is_named_in_one_line(data_raw, rows, message):
    write(data_raw, *rows)
    with pytest.raises(InputError, match=message) as caught:
        open_archive(data_raw).read("train", COL)
    assert str(data_raw / META_DATA) in str(caught.value) and "\n" not in str(caught.value)


def test_bounds_of_the_right_shape_but_another_pixel_spacing_contradict_the_name(data_raw):
    other = BOUNDS[COL]._replace(right=480_000.5 + 60 * 20, top=6_780_000.0 + 40 * 20)
    write_meta_data(data_raw, {**BOUNDS, COL: other})
    with pytest.raises(InputError, match="a pixel would be 20 m x 20 m, 7 m by its name"):
        open_archive(data_raw).read("train", COL)
