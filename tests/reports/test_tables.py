"""Reports and CSV from metrics."""

import csv
import io

import numpy as np
import pytest

from glacierjax.core.scene_names import parse_name
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.evaluation.score import aggregate, score_scene
from glacierjax.reports.content import headline, impossible_zones
from glacierjax.reports.tables import csv_text, report_text


def scored(name, predicted_column, true_column=30, front=True):
    zones, predicted = (np.full((50, 60), Zone.GLACIER, np.uint8) for _ in range(2))
    zones[:, true_column:] = Zone.OCEAN_ICE_MELANGE
    predicted[:, predicted_column:] = Zone.OCEAN_ICE_MELANGE
    drawn = np.zeros(zones.shape, bool)
    drawn[:, true_column] = front
    return score_scene(LabelledScene(parse_name(name), zones, zones, drawn), predicted)


@pytest.fixture
def metrics():
    return aggregate(
        [
            scored("COL_2012-11-03_TDX_20_1_092", 33),
            scored("Mapple_2012-11-03_S1_20_1_001", 60),
            scored("XYZ_2012-06-03_S1_20_1_002", 40, front=False),
        ]
    )


def test_headline_names_error_and_counts(metrics):
    line = headline(metrics)
    assert "60.0 m" in line and "3.00 px" in line and "1 of 3 scenes" in line
    assert "1 missing front**, 1 scene without a true front" in line


def test_headline_says_when_there_is_no_error():
    assert "No mean distance error" in headline(aggregate([scored("COL_2012-11-03_TDX_20_1_092", 60)]))


def test_the_mean_iou_leaves_out_zones_where_one_cannot_occur(metrics):
    """The scenes have neither rock nor NA, which would count as 0."""
    line = headline(metrics)
    present, published = metrics["zones_present"]["iou"]["mean"], metrics["zones"]["iou"]["mean"]
    assert published < 0.5 < present
    assert f"**Mean IoU {present:.3f}** over the zones that a scene has, because NA area and rock outcrop occur" in line
    assert f"({published:.3f} if absent zones count as 0)" in line


def test_the_mean_iou_is_the_published_one_where_every_zone_occurs():
    zones = np.repeat(np.array(list(Zone), np.uint8), 15)[None].repeat(50, axis=0)
    name = parse_name("COL_2012-11-03_TDX_20_1_092")
    line = headline(aggregate([score_scene(LabelledScene(name, zones, zones, zones == 9), zones)]))
    assert line.endswith("**Mean IoU 1.000**.")


def test_a_zone_that_is_only_predicted_cannot_occur():
    metrics = aggregate([scored("COL_2012-11-03_TDX_20_1_092", 33)])
    zones = np.full((50, 60), Zone.GLACIER, np.uint8)
    rock = np.full((50, 60), Zone.ROCK, np.uint8)
    scene = LabelledScene(parse_name("COL_2012-11-04_TDX_20_1_092"), zones, zones, zones == 9)
    predicted_only = aggregate([score_scene(scene, rock)])
    assert "rock outcrop" in impossible_zones(metrics) and "rock outcrop" in impossible_zones(predicted_only)
    assert "glacier" not in impossible_zones(predicted_only)


def test_report_shows_missing_values_as_dashes_and_no_empty_subsets(metrics):
    text = report_text(metrics, "Title", "What was scored.", "1.2.3", {"A caption": "figure.png"})
    assert text.startswith("# Title\n\nWhat was scored.\n")
    assert "| Mapple | 1 | 0 | 1 | 0 | – |" in text
    assert "glacier=COL, sensor=S1" not in text and "glacier=COL, sensor=TSX/TDX" in text
    assert text.index("![A caption](figure.png)") < text.index("| Subset |"), "pictures first"
    assert text.endswith("Made by glacierjax 1.2.3.\n")
    assert "None" not in text and "nan" not in text


def test_report_tables_have_as_many_cells_as_headings(metrics):
    lines = report_text(metrics, "Title", "Source.", "1.2.3", {}).splitlines()
    width = None
    for line in lines:
        if not line.startswith("|"):
            width = None
        else:
            width = width or line.count("|")
            assert line.count("|") == width


def test_missing_fronts_come_first_in_the_list_of_scenes(metrics):
    scenes = report_text(metrics, "Title", "Source.", "1.2.3", {}).split("## Scenes")[1]
    assert scenes.index("Mapple_") < scenes.index("COL_") < scenes.index("XYZ_")


def test_csv_is_long_and_leaves_missing_values_empty(metrics):
    rows = list(csv.DictReader(io.StringIO(csv_text({**metrics, "baselines": {"majority": metrics}}))))
    found = {(row["method"], row["subset"], row["metric"]): row for row in rows}
    assert len(found) == len(rows)
    assert float(found["prediction", "all", "mde_m"]["value"]) == metrics["mde_m"]
    assert found["prediction", "all", "mde_m"]["scenes"] == "1"
    assert found["prediction", "glacier=Mapple", "mde_m"]["value"] == ""
    assert found["majority", "all", "iou/ocean"]["scenes"] == "3"
