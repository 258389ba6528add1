"""Scoring networks of series on a split, with a stand-in for the network."""

from typing import Any

import numpy as np
import pytest
from made_up_archive import SHAPE, write_archive

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.meta_data import write_meta_data
from glacierjax.evaluation.run import merge, raw_scenes, score_part
from glacierjax.evaluation.series import predictions_of
from glacierjax.evaluation.write import write_evaluation
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor

NAMES = {
    "train": ["DBE_2008-03-30_TSX_20_3_049"],
    "test": [f"COL_2012-{month:02}-03_TDX_20_1_092" for month in range(1, 8)] + ["XYZ_2011-06-05_TSX_20_1_110"],
}


def bright_is_glacier(images, days):
    zones = np.where(images > 100, Zone.GLACIER, Zone.OCEAN_ICE_MELANGE)
    return np.eye(4, dtype=np.float32)[zones]


def predictor(network=bright_is_glacier, members=1):
    return SeriesPredictor([network] * members, (0,), "tiled", 64, 1, None, ["run"], frames=3)


@pytest.fixture
def data_raw(tmp_path, monkeypatch):
    monkeypatch.setattr("made_up_archive.NAMES", NAMES)
    return write_archive(tmp_path / "data_raw")


def score(data_raw, output, shard=(0, 1), members=1, **rest) -> Any:
    scenes = raw_scenes(str(data_raw), "test")
    predict, numbers, said = predictions_of(predictor(members=members), scenes, shard, **rest)
    part = score_part(scenes, predict, output, "Title", f"source{said}", shard=shard, numbers=numbers)
    return part if shard[1] > 1 else write_evaluation(output, part)


@pytest.mark.parametrize("mode", ["groups", "reference"])
def test_every_scene_is_scored_once(data_raw, tmp_path, mode, caplog):
    metrics = score(data_raw, tmp_path / "out", series=mode, members=2)
    assert sorted(metrics["per_scene"]) == NAMES["test"] and metrics["missing_fronts"] == 0
    assert f"see 3 copies of it: {NAMES['test'][-1]}" in caplog.text
    assert len(list((tmp_path / "out" / "deviation").iterdir())) == len(NAMES["test"])


def test_parts_merge_to_what_one_pass_writes_and_no_sample_is_predicted_twice(data_raw, tmp_path):
    calls = []

    def network(images, days):
        calls.append(1)
        return bright_is_glacier(images, days)

    whole = score(data_raw, tmp_path / "whole")
    for part in range(3):
        score(data_raw, tmp_path / f"part{part}", (part, 3))
    assert merge([str(tmp_path / f"part{part}") for part in range(3)], tmp_path / "merged") == whole
    scenes = raw_scenes(str(data_raw), "test")
    predict, _, _ = predictions_of(predictor(network), scenes, (0, 1))
    for scene in scenes:
        assert predict(scene).labels.shape == SHAPE
    assert len(calls) == 4 * (2 * 3)  # samples: three of COL, one of XYZ; tiles of 32 pixels


def test_by_map_needs_bounds_and_equals_by_size_on_one_grid(data_raw, tmp_path):
    with pytest.raises(InputError, match=f"{NAMES['test'][0]}: not georeferenced, which `registration`=georeference"):
        score(data_raw, tmp_path / "out", registration="georeference")
    bounds = MapBounds("EPSG:3413", 1000.0, 2000.0, 1000.0 + SHAPE[1] * 20, 2000.0 + SHAPE[0] * 20)
    write_meta_data(tmp_path, dict.fromkeys(NAMES["train"] + NAMES["test"], bounds))
    by_map = score(data_raw, tmp_path / "map", registration="georeference")
    by_size = score(data_raw, tmp_path / "size", registration="size")
    assert by_map == by_size
    assert "series of 3 (groups), registration by georeference" in (tmp_path / "map" / "report.md").read_text()


def test_single_scene_networks_take_no_series(data_raw):
    scenes = raw_scenes(str(data_raw), "test")
    single = Predictor([], (0,), "tiled", 64, 1, None, ["run"])
    assert predictions_of(single, scenes, (0, 1))[1:] == (None, "")
    with pytest.raises(InputError, match="series='groups': run takes single scenes"):
        predictions_of(single, scenes, (0, 1), series="groups")


def test_a_scene_that_stands_for_missing_ones_is_read_once(data_raw, monkeypatch):
    scenes = raw_scenes(str(data_raw), "test")
    alone = scenes[scenes.names.index(NAMES["test"][-1])]
    predict, _, _ = predictions_of(predictor(), scenes, (0, 1))
    read, read_one = [], type(scenes).__getitem__
    monkeypatch.setattr(type(scenes), "__getitem__", lambda self, n: (read.append(n), read_one(self, n))[1])
    predict(alone)
    assert read == [scenes.names.index(alone.id.name)]
