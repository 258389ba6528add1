"""Typed settings: published defaults, conversion from and to JSON, and invalid values."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glacierjax.core import choices
from glacierjax.core.errors import InputError
from glacierjax.core.settings import (
    PRESETS,
    FineTuning,
    InitSettings,
    ModelSettings,
    OptimizerSettings,
    Pretraining,
    SeriesFineTuning,
    flat_fields,
    paths_for_workdir,
    paths_from_workdir,
    preset_network,
    settings_from_json,
)
from glacierjax.recipes.validation import SeriesValidation


def nested(field: str, value: object) -> dict:
    """{"a": {"b": value}} for a.b."""
    for name in reversed(field.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def test_the_defaults_are_the_published_recipe():
    tuned, pretrained = FineTuning(), Pretraining()
    assert (tuned.batch_size, tuned.micro_batch_size, tuned.num_epochs, tuned.data.samples_per_epoch) == (
        128,
        16,
        150,
        40_000,
    )
    assert (tuned.optimizer.name, tuned.optimizer.learning_rate, tuned.optimizer.weight_decay) == ("sgd", 0.01, 1e-4)
    assert (tuned.augment.zoom_range, tuned.augment.mix_range) == ((0.33, 2.83), (0.15, 0.30))
    assert tuned.data.padding == "official" and tuned.data.context_px == 512
    assert (pretrained.batch_size, pretrained.num_epochs, pretrained.data.samples_per_epoch) == (32, 1000, 76_496)
    assert (pretrained.optimizer.learning_rate, pretrained.mask.ratio, pretrained.schedule.patience) == (0.001, 0.3, 5)
    assert tuned.model.network() == PRESETS["tyrion"] and PRESETS["tyrion"].depths == (2, 2, 6, 2)


def test_the_defaults_of_series_are_the_published_recipe():
    series = SeriesFineTuning()
    assert (series.batch_size, series.micro_batch_size, series.num_epochs) == (128, 1, 80)
    assert (series.data.samples_per_epoch, series.data.frames, series.data.context_px) == (5_000, 8, 512)
    assert (series.optimizer.name, series.optimizer.learning_rate, series.optimizer.weight_decay) == ("sgd", 0.01, 1e-4)
    assert (series.schedule.name, series.schedule.factor, series.schedule.patience) == ("plateau", 0.66, 10)
    assert SeriesValidation.watched == "mde_m" and series.validation.mode == "tiled"
    assert series.model.network() == dataclasses.replace(PRESETS["tyrion"], temporal="gru", narrow_decoder=True)
    augment = series.augment
    assert (augment.zoom_probability, augment.mix_probability, augment.cut_mix_probability) == (0.3, 0.1, 0.1)
    assert (augment.erasure_probability, augment.contrast_probability) == (0.1, 0.2)


@pytest.mark.parametrize("settings", [FineTuning(), SeriesFineTuning(), Pretraining(task="simmim"), *PRESETS.values()])
def test_settings_come_back_from_json_as_they_were(settings):
    assert type(settings).from_json(json.loads(json.dumps(settings.to_json()))) == settings


@given(st.floats(0, 1e3), st.integers(0, 2**40))
def test_any_value_comes_back(rate, seed):
    settings = FineTuning(seed=seed, optimizer=OptimizerSettings(learning_rate=rate))
    assert settings_from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_the_task_tells_the_kind_and_a_missing_field_has_its_default():
    assert settings_from_json({"task": "simmim"}) == Pretraining(task="simmim")
    assert settings_from_json({"task": "segmentation_series", "seed": 2}) == SeriesFineTuning(seed=2)
    assert settings_from_json({"seed": 3}) == FineTuning(seed=3)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("micro_batch_size", -1),
        ("num_epochs", 0),
        ("log_every", 0),
        ("seed", -1),
        ("seed", 1.5),
        ("seed", True),
        ("task", "detection"),
        ("keep", ["best_loss"]),
        ("keep", "best_iou"),
        ("parallel", "pjit"),
        ("data.samples_per_epoch", -5),
        ("data.samples_per_epoch", 127),
        ("data.workers", -1),
        ("data.context_px", 65),
        ("data.pixel_spacing_m", -40.0),
        ("data.padding", "none"),
        ("data.dir", 3),
        ("augment.label_resize", "cubic"),
        ("augment.zoom_range", [1.0]),
        ("augment.zoom_range", [2.0, 1.0]),
        ("augment.mix_probability", 1.5),
        ("augment.gamma_range", [0.5, float("nan")]),
        ("model.dtype", "float8"),
        ("model.preset", "huge"),
        ("model.remat", 1),
        ("optimizer.name", "lion"),
        ("optimizer.learning_rate", -1.0),
        ("optimizer.learning_rate", "fast"),
        ("schedule.name", "step"),
        ("model.temporal", "gru"),
        ("validation.mode", "sliding"),
        ("schedule.warmup_epochs", 0.5),
        ("init.which", "best"),
        ("init.which", "last"),
        ("init.head", True),
        ("init.zero_head", True),
        ("optimizer", 3),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_flag(field, value):
    with pytest.raises(InputError, match=rf"^`?config\.{field}\b") as caught:
        FineTuning.from_json(nested(field, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mask.ratio", 1.5),
        ("mask.ratio", 0.0),
        ("mask.unit_px", 6),
        ("mask.unit_px", 260),
        ("data.average_px", 0),
        ("augment.scale_range", [0.7, 1.2]),
        ("task", "segmentation"),
        ("keep", ["best_iou"]),
        ("optimizer.trained", "head"),
        ("optimizer.trained", "decoder"),
    ],
)
def test_so_is_one_of_the_pretraining(field, value):
    with pytest.raises(InputError, match=rf"^`?config\.{field}`?="):
        Pretraining.from_json(nested(field, value))


@pytest.mark.parametrize("field", ["head", "zero_head"])
def test_a_pretraining_starts_from_no_head(field):
    with pytest.raises(InputError, match=rf"^config\.init\.{field}=True: a pretraining has no such head"):
        Pretraining.from_json({"init": {"checkpoint": "run", field: True}})


def test_a_mask_is_refused_where_nothing_is_hidden():
    with pytest.raises(InputError, match=r"^`config\.mask`: opttranslator hides no patches; "):
        Pretraining.from_json({"task": "opttranslator", "mask": {"ratio": 0.5}})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data.frames", 0),
        ("data.frames", 1),  # for a network whose frames exchange something
        ("data.frame_scaling", "size"),
        ("model.temporal", "mean"),
        ("augment.erasure_probability", 2.0),
        ("validation.mode", "whole"),
        ("task", "segmentation"),
    ],
)
def test_so_is_one_of_the_series(field, value):
    with pytest.raises(InputError, match=rf"^`?config\.{field}`?=") as caught:
        SeriesFineTuning.from_json(nested(field, value))
    assert "\n" not in str(caught.value)


def test_frames_that_exchange_nothing_may_come_alone():
    settings = SeriesFineTuning.from_json({"data": {"frames": 1}, "model": {"temporal": "none"}})
    assert settings.images_per_sample == 1


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("speed", "`config.speed`: no such field; .*seed"),
        ("optimizer.rate", "`config.optimizer.rate`: .*learning_rate"),
    ],
)
def test_an_unknown_field_is_named_with_those_that_there_are(field, told):
    with pytest.raises(InputError, match=told):
        FineTuning.from_json(nested(field, 1))


def test_a_preset_is_a_whole_network_and_what_is_set_beside_it_goes_before():
    model = ModelSettings(preset="mini", dropout=0.25, dtype="bfloat16")
    assert model.network() == dataclasses.replace(PRESETS["mini"], dropout=0.25, dtype="bfloat16")
    assert {network.size_multiple for network in PRESETS.values()} == {32}
    with pytest.raises(InputError, match=r"config.model.preset='huge': unknown preset; choose one of .*tiny"):
        preset_network("huge")


def test_relative_paths_are_kept_relative_to_the_workdir_and_absolute_ones_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = FineTuning(init=InitSettings(checkpoint="runs/pretrained"))
    stored = paths_for_workdir(settings, Path("runs/tuned"))
    assert stored.init.checkpoint == "../pretrained"
    assert paths_from_workdir(stored, Path("runs/tuned")) == settings
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path / "runs")
    assert paths_from_workdir(stored, Path("tuned")).init.checkpoint == "pretrained"
    absolute = FineTuning(init=InitSettings(checkpoint=str(tmp_path / "x")))
    assert paths_for_workdir(absolute, Path("tuned")) == absolute == paths_from_workdir(absolute, Path("tuned"))
    of_the_hub = FineTuning(init=InitSettings(checkpoint="hf://me/fronts@v1"))
    assert paths_for_workdir(of_the_hub, Path("tuned")) == of_the_hub == paths_from_workdir(of_the_hub, Path("tuned"))


def test_what_may_change_when_a_run_goes_on_does_not_change_its_numbers():
    free = {name for name, (_, metadata) in flat_fields(FineTuning()).items() if metadata.get("may_change")}
    assert free == {
        "num_epochs",
        "log_every",
        "checkpoint_every",
        "keep",
        "skip_nonfinite",
        "parallel",
        "profile_steps",
        "data.workers",
        "data.dir",
        "data.cache",
    }


def test_checkpoints_to_keep_are_ranked_by_a_metric():
    for kind in (FineTuning, Pretraining):
        assert set(kind().keep) <= choices.BEST.keys()
