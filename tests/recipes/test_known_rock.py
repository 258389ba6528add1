"""Rock from a file over labelled scenes: where it lies, and what is said when nothing tells where the scenes lie."""

import json

import numpy as np
import pytest
from rasterio.crs import CRS

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.archive import NOT_LABELLED
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.datasets.caffe.writer import write_scene, write_statement
from glacierjax.evaluation.run import raw_scenes
from glacierjax.geo.georeference import Georeference
from glacierjax.geo.rasters import write_raster
from glacierjax.recipes.known_rock import with_rock

NAME = "KAN_2020-07-01_S1_20_1_001"
SHAPE = (40, 50)
PLACE = Georeference(CRS.from_epsg(32633), (20.0, 0.0, 450_000.0, 0.0, -20.0, 8_700_000.0))


@pytest.fixture
def data_raw(tmp_path):
    """One labelled scene, whose GeoTIFF lies beside it."""
    rng = np.random.default_rng(0)
    zones = np.full(SHAPE, Zone.GLACIER, np.uint8)
    scene = LabelledScene(parse_name(NAME), rng.integers(0, 255, SHAPE, np.uint8), zones, zones > 9)
    write_scene(tmp_path / "data_raw", "train", scene)
    write_raster(tmp_path / "scene.tif", scene.image, PLACE, "grey")
    facts = {"scenes": {NAME: {"files": [str(tmp_path / "scene.tif")]}}}
    write_statement(tmp_path / "data_raw", NOT_LABELLED, facts)
    return tmp_path / "data_raw"


@pytest.fixture
def rock(tmp_path):
    """A polygon over the first ten rows, in longitude and latitude."""
    corners = np.array([(450_000, 8_700_000), (451_000, 8_700_000), (451_000, 8_699_800), (450_000, 8_699_800)], float)
    ring = PLACE.to_lonlat((corners[[0, 1, 2, 3, 0]] - (450_000, 8_700_000)) / (20, -20)).tolist()
    geometry = {"type": "Polygon", "coordinates": [ring]}
    features = [{"type": "Feature", "geometry": geometry, "properties": {}}]
    path = tmp_path / "rock.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return str(path)


def test_rock_lies_where_the_file_says(data_raw, rock):
    (scene,) = with_rock(raw_scenes(str(data_raw), "train", "auto"), rock, str(data_raw))
    assert scene.rock[:9].all() and not scene.rock[11:].any()


def test_a_data_set_that_does_not_tell_where_its_scenes_lie_is_named(data_raw, rock):
    (data_raw / "labels.json").unlink()
    with pytest.raises(InputError, match="does not tell where its scenes lie"):
        with_rock(raw_scenes(str(data_raw), "train", "auto"), rock, str(data_raw))


def test_rock_of_another_glacier_is_named(data_raw, tmp_path):
    ring = [[-49.0, 69.0], [-48.9, 69.0], [-48.9, 69.1], [-49.0, 69.0]]
    path = tmp_path / "far.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    with pytest.raises(ArgumentError, match=r"far.geojson.* says nothing of any scene"):
        with_rock(raw_scenes(str(data_raw), "train", "auto"), str(path), str(data_raw))


def test_a_scene_that_was_moved_or_changed_is_named(data_raw, rock, tmp_path):
    write_raster(tmp_path / "scene.tif", np.zeros((20, 20), np.uint8), PLACE, "grey")
    with pytest.raises(InputError, match=r"scene\.tif: is not as large any more"):
        list(with_rock(raw_scenes(str(data_raw), "train", "auto"), rock, str(data_raw)))
    (tmp_path / "scene.tif").unlink()
    with pytest.raises(ArgumentError, match=r"^rock=.*scene\.tif, which is not there any more; label the scenes again"):
        with_rock(raw_scenes(str(data_raw), "train", "auto"), rock, str(data_raw))
