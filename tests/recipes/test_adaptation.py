"""Which labels, which folds, and what cross-validation says of a network that is adapted to a new glacier."""

from pathlib import Path

import numpy as np
import pytest

from glacierjax.checkpoints.native import Checkpoint
from glacierjax.core.boxes import BoundingBox
from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import parse_name
from glacierjax.core.settings import FineTuning, ModelSettings, Pretraining, SeriesFineTuning
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.recipes.adapt import adapted_settings
from glacierjax.recipes.adapt_report import DOES_NOT_HELP, HELPS, NOT_COMPARED, OldSites, report_of, text_of
from glacierjax.recipes.adaptation import (
    AdaptOptions,
    cross_validation,
    folds_of,
    largest_error_m,
    of_glacier,
    spread_over_time,
)

IDS = [parse_name(f"KAN_20{year:02}-07-01_S1_10_1_001") for year in (19, 11, 15, 13, 17, 12, 18, 14, 16, 20)]
FACTS = {"checkpoint": "RUN", "labels": ["a", "b"], "epochs": 1}
LARGEST_M = {"a": 1000.0, "b": 1000.0, "c": 1000.0}


def years(indices):
    return [IDS[i].date.year for i in indices]


def test_labels_are_spread_over_time_whatever_their_order():
    assert years(spread_over_time(IDS, 0)) == list(range(2011, 2021))
    assert years(spread_over_time(IDS, 5)) == [2012, 2014, 2016, 2018, 2020]
    assert years(spread_over_time(IDS, 1)) == [2016]
    assert len(set(spread_over_time(IDS, 7))) == 7
    with pytest.raises(InputError, match="scenes=11: there are 10 labelled scenes"):
        spread_over_time(IDS, 11)


def test_only_the_scenes_of_a_glacier_are_taken_and_an_unknown_one_is_named():
    ids = [*IDS, parse_name("JAC_2011-07-01_S1_10_1_001")]
    assert of_glacier(ids, "JAC") == [10] and len(of_glacier(ids, "")) == 11
    with pytest.raises(InputError, match="glacier='SVE': no labelled scene of it; there are: JAC, KAN"):
        of_glacier(ids, "SVE")


@pytest.mark.parametrize(("count", "folds", "sizes"), [(5, 5, [1] * 5), (7, 5, [2, 2, 1, 1, 1]), (2, 5, [1, 1])])
def test_each_label_is_in_one_fold(count, folds, sizes):
    parts = folds_of(count, folds)
    assert sorted(i for part in parts for i in part) == list(range(count))
    assert [len(part) for part in parts] == sizes


@pytest.mark.parametrize(("count", "folds"), [(1, 5), (0, 5), (9, 0)])
def test_with_nothing_to_compare_there_are_no_folds(count, folds):
    assert folds_of(count, folds) == []


def test_a_missing_front_costs_the_diagonal_of_its_box_else_of_the_scene():
    empty = np.zeros((30, 40), np.uint8)
    scene = LabelledScene(IDS[0], empty, empty, empty > 0)
    assert largest_error_m(scene) == 500
    boxed = LabelledScene(IDS[0], empty, empty, empty > 0, BoundingBox(2, 3, 8, 11))
    assert largest_error_m(boxed) == 100


def test_rock_takes_the_second_channel_and_leaves_a_summer_scene():
    with_rock = AdaptOptions("RUN", "DATA", rock="rock.gpkg")
    assert with_rock.input_channels(("grey", "grey", "summer")) == ("grey", "rock", "summer")
    assert AdaptOptions("RUN", "DATA").input_channels(("grey", "grey", "summer")) == ("grey", "grey", "summer")
    chosen = AdaptOptions("RUN", "DATA", rock="rock.gpkg", channels=("grey", "grey", "grey"))
    assert chosen.input_channels(("grey", "rock", "grey")) == ("grey", "grey", "grey")


def test_a_label_has_no_part_in_choosing_the_epoch_after_which_it_is_scored():
    # All but `c` are best after epoch 1; `c` alone after epoch 2, by so much that it decides for all together.
    curves = [[{"a": 10.0}, {"a": 40.0}], [{"b": 20.0}, {"b": 50.0}], [{"c": 500.0}, {"c": 30.0}]]
    before = dict.fromkeys("abc", 100.0)
    found = cross_validation(before, curves, LARGEST_M)
    ended_early = [curves[0], [*curves[1], {"b": 60.0}], [*curves[2], {"c": 90.0}]]
    assert cross_validation(before, ended_early, LARGEST_M) == found
    assert found.epochs == 2
    assert found.epochs_of == {"a": 2, "b": 2, "c": 1}
    assert found.after == {"a": 40.0, "b": 50.0, "c": 500.0}
    assert found.cost_after_m == pytest.approx(590 / 3) and not found.helps


def test_a_front_that_is_found_after_all_counts_as_better():
    found = cross_validation({"a": None, "b": 50.0}, [[{"a": 80.0}], [{"b": 60.0}]], LARGEST_M)
    assert found.cost_before_m == 525 and found.cost_after_m == 70 and found.helps


def test_the_report_says_whether_it_helps_and_what_happens_at_the_old_sites():
    better = cross_validation({"a": None, "b": 50.0}, [[{"a": 80.0}], [{"b": 40.0}]], LARGEST_M)
    old = OldSites(13, {"mde_m": 186.0, "missing_fronts": 1}, {"mde_m": 240.0, "missing_fronts": 2})
    report = report_of(FACTS, better, old)
    assert report["helps"] and report["advice"] == HELPS
    assert report["cross_validation"]["before"] == {"mde_scene_mean_m": 50.0, "missing_fronts": 1, "cost_m": 525.0}
    assert report["cross_validation"]["labels"]["a"] == {"fold": 1, "epochs": 1, "before_m": None, "after_m": 80.0}
    assert report["old_sites"]["after"] == {"mde_m": 240.0, "missing_fronts": 2}
    text = text_of(report)
    assert "| a | no front | 80 m |" in text and "| 186 m | 240 m |" in text and HELPS in text


def test_equal_errors_and_a_single_label_are_no_reason_to_use_the_adapted_network():
    same = cross_validation({"a": 10.0, "b": 20.0}, [[{"a": 10.0}], [{"b": 20.0}]], LARGEST_M)
    assert report_of(FACTS, same, None)["advice"] == DOES_NOT_HELP
    alone = report_of(FACTS, None, None)
    assert alone["helps"] is None and alone["advice"] == NOT_COMPARED and NOT_COMPARED in text_of(alone)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scenes", -1),
        ("epochs", 0),
        ("folds", 1),
        ("learning_rate", 0.0),
        ("replay_share", 1.0),
        ("trained", "encoder"),
        ("seed", -1),
    ],
)
def test_option_out_of_range_is_named(field, value):
    with pytest.raises(InputError, match=f"{field}={value!r}: choose"):
        AdaptOptions("RUN", "data_raw", **{field: value})


def checkpoint_of(task, settings, **model):
    record = {"task": task, "model": settings.model.network().to_json() | model, "config": settings.to_json()}
    return Checkpoint({}, record, Path("run/checkpoints/1"))


def test_the_settings_of_the_training_that_would_end_an_adaptation_early_are_left_out():
    trained = FineTuning(micro_batch_size=6, early_stop_epochs=2)
    settings = adapted_settings(checkpoint_of("segmentation", trained), AdaptOptions("run", "data"))
    assert settings.early_stop_epochs == 0 and settings.batch_size % settings.micro_batch_size == 0


def test_other_networks_are_refused_by_what_they_are():
    with pytest.raises(InputError, match="for series of scenes"):
        adapted_settings(checkpoint_of("segmentation_series", SeriesFineTuning()), AdaptOptions("run", "data"))
    with pytest.raises(InputError, match=r"optsimmim.*finds no fronts"):
        adapted_settings(checkpoint_of("optsimmim", Pretraining()), AdaptOptions("run", "data"))


def test_the_network_is_that_of_the_parameters_whatever_the_settings_of_the_training_say():
    small = ModelSettings("small").network()
    converted = Checkpoint(
        {}, {"task": "segmentation", "model": small.to_json(), "config": {"data": {"context_px": 96}}}, Path("x")
    )
    settings = adapted_settings(converted, AdaptOptions("run", "data"))
    assert settings.model.network() == small and settings.data.context_px == 96
    with pytest.raises(InputError, match="its network has none of the sizes tyrion, "):
        adapted_settings(checkpoint_of("segmentation", FineTuning(), window_size=8), AdaptOptions("run", "data"))
