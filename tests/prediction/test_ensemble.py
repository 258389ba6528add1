"""Ensembles of networks and rotations, from checkpoints of tiny random networks."""

import dataclasses
import shutil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import shapely

from glacierjax.checkpoints import native
from glacierjax.checkpoints.record import network_of
from glacierjax.core.errors import InputError
from glacierjax.core.settings import PRESETS, FineTuning, ValidationSettings
from glacierjax.core.spacing import average_looks, enlarge_looks
from glacierjax.geo.scenes import ReadOptions
from glacierjax.geo.vectors import polygon_feature, write_geojson
from glacierjax.model import SeriesTyrion, Tyrion, build
from glacierjax.prediction.ensemble import default_mode, make_network, open_predictor
from glacierjax.prediction.folder import Batch
from glacierjax.prediction.model import Model, load
from glacierjax.prediction.series import make_series_network
from glacierjax.prediction.tiles import predict_scene

CONTEXT = 64
SPACING_M = 20
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 56)).astype(np.uint8)
CONFIG = {"data": {"context_px": CONTEXT}, "validation": {"mode": "overlap"}}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Folders: two networks of one preset, one of another, one with another context, one of another task."""
    root = tmp_path_factory.mktemp("checkpoints")
    tiny = PRESETS["tiny"]
    wide = dataclasses.replace(tiny, embed_dim=16)
    params = {}
    for name, network, seed in (("first", tiny, 0), ("second", tiny, 1), ("wide", wide, 2)):
        shapes = jax.eval_shape(build(network, Tyrion).init, jax.random.key(0), np.zeros((1, 32, 32, 1), np.float32))
        rng = np.random.default_rng(seed)
        params[name] = jax.tree.map(lambda x, rng=rng: rng.normal(0, 0.3, x.shape).astype(np.float32), shapes["params"])
        record = {"task": "segmentation", "model": network.to_json(), "config": CONFIG, "metrics": {}}
        native.save_checkpoint(root / name, params[name], record)
    record = {"task": "segmentation", "model": tiny.to_json(), "metrics": {}}
    native.save_checkpoint(root / "converted", params["first"], record)
    native.save_checkpoint(root / "pretrained", params["first"], {**record, "task": "optsimmim"})
    return root


@dataclasses.dataclass(frozen=True)
class Asked:
    """A network that answers with how exact JAX's products are while it is traced: 1 for full float32."""

    dtype: Any

    def apply(self, variables, images, *days):
        exact = jax.config.jax_default_matmul_precision == "highest"
        return jnp.stack([0 * images[..., 0], 0 * images[..., 0] + exact], -1)


@pytest.mark.parametrize(("dtype", "zone"), [("float32", 1), ("bfloat16", 0)])
def test_predictions_of_float32_networks_take_products_of_full_float32(dtype, zone):
    model, days = Asked(jnp.dtype(dtype)), np.zeros(1, np.int32)
    single = make_network(model)({}, IMAGE[None])
    of_series = make_series_network(model)({}, IMAGE[None], days)
    for answer in (single, of_series):
        assert (answer[..., 1] > 0.6).all() == bool(zone)
    assert jax.config.jax_default_matmul_precision is None


def mean_and_deviation(predictor, image, spacing_m):
    means, deviations = zip(*predictor.strips(image, spacing_m), strict=True)
    return np.concatenate(means), np.concatenate(deviations)


def direct(folder, image=IMAGE, mode="overlap"):
    checkpoint = native.load_checkpoint(folder)
    network = make_network(build(network_of(checkpoint), Tyrion))
    return predict_scene(lambda tiles: network(checkpoint.params, tiles), image, mode, CONTEXT, 32)


def test_single_network_predicts_as_it_was_validated(checkpoints):
    predictor = open_predictor([str(checkpoints / "first")])
    assert (predictor.mode, predictor.context_px, predictor.size_multiple) == ("overlap", CONTEXT, 32)
    assert predictor.training == FineTuning.from_json(CONFIG) and predictor.sources == [str(checkpoints / "first")]
    mean, deviation = mean_and_deviation(predictor, IMAGE, SPACING_M)
    np.testing.assert_array_equal(mean, direct(checkpoints / "first"))
    assert mean.dtype == deviation.dtype == np.float32 and mean.shape == (*IMAGE.shape, 4)
    assert not deviation.any()
    np.testing.assert_array_equal(predictor.probabilities(IMAGE, SPACING_M), mean)


@pytest.mark.parametrize(("spacing_m", "looks"), [(20, 2), (7, 6), (40, 1), (100, 1)])
def test_scenes_are_averaged_to_the_networks_spacing_and_the_answer_comes_back(checkpoints, spacing_m, looks):
    at_own = open_predictor([str(checkpoints / "first")], mode="whole", rotations=True)
    predictor = dataclasses.replace(at_own, pixel_spacing_m=40)
    mean, deviation = mean_and_deviation(predictor, IMAGE, spacing_m)
    coarse = mean_and_deviation(at_own, average_looks(IMAGE, looks), spacing_m)
    for found, expected in zip((mean, deviation), coarse, strict=True):
        np.testing.assert_array_equal(found, np.concatenate(list(enlarge_looks(expected, looks, *IMAGE.shape, 1000))))
        assert found.dtype == np.float32
    np.testing.assert_allclose(mean.sum(-1), 1, atol=1e-5)


def test_the_spacing_is_that_of_the_training_and_an_ensemble_has_one(checkpoints, tmp_path):
    first = native.load_checkpoint(checkpoints / "first")
    config = {**CONFIG, "data": {"context_px": CONTEXT, "pixel_spacing_m": 40.0}}
    native.save_checkpoint(tmp_path / "coarse", first.params, {**first.record, "config": config})
    assert open_predictor([str(tmp_path / "coarse")]).pixel_spacing_m == 40
    with pytest.raises(InputError, match=r"first: takes scenes differently .*pixel spacing.*40.0"):
        open_predictor([str(tmp_path / "coarse"), str(checkpoints / "first")])


@pytest.mark.parametrize(
    "change",
    [
        {"config": {**CONFIG, "data": {"context_px": CONTEXT, "pixel_spacing_m": 40.0}}},
        {"model": dataclasses.replace(PRESETS["tiny"], window_size=8).to_json()},
        {"grey": {"low_percentile": 2.0}},
    ],
    ids=["pixel spacing", "window", "grey"],
)
def test_results_of_the_same_weights_with_another_record_are_told_apart(checkpoints, tmp_path, change):
    first = native.load_checkpoint(checkpoints / "first")
    batches = []
    for record in (first.record, {**first.record, "metrics": {"iou": 0.9}}, first.record | change):
        native.save_checkpoint(tmp_path / "run", first.params, record)
        batches.append(Batch(open_predictor([str(tmp_path / "run")]), tmp_path / "out", ReadOptions()))
        shutil.rmtree(tmp_path / "run")
    assert batches[0].digest == batches[1].digest != batches[2].digest
    batches[0].claim_output()
    batches[1].claim_output()
    with pytest.raises(InputError, match=r"out: holds results of other settings \(records\)"):
        batches[2].claim_output()


def test_a_network_of_another_version_is_named_with_what_is_unknown(checkpoints, tmp_path):
    first = native.load_checkpoint(checkpoints / "first")
    record = {**first.record, "model": {**first.record["model"], "multilook": 2}}
    native.save_checkpoint(tmp_path / "former", first.params, record)
    with pytest.raises(InputError, match=r"former: its network has multilook, which this version does not know"):
        open_predictor([str(tmp_path / "former")])


@pytest.mark.parametrize(("validated", "used"), [("tiled", "overlap"), ("overlap", "overlap"), ("whole", "whole")])
def test_scenes_are_covered_as_in_validation_but_never_by_tiles_alone(validated, used):
    assert default_mode(FineTuning(validation=ValidationSettings(mode=validated))) == used


def test_mode_can_be_chosen(checkpoints):
    tiled = open_predictor([str(checkpoints / "first")], mode="tiled")
    assert tiled.mode == "tiled"
    np.testing.assert_array_equal(tiled.probabilities(IMAGE, SPACING_M), direct(checkpoints / "first", mode="tiled"))


def test_weights_without_configuration_are_used_as_published(checkpoints):
    predictor = open_predictor([str(checkpoints / "converted")])
    assert (predictor.mode, predictor.context_px, predictor.training) == ("overlap", 512, None)


def test_ensemble_is_mean_and_deviation_over_networks_of_any_preset(checkpoints):
    paths = [str(checkpoints / name) for name in ("first", "second", "wide")]
    members = np.stack([direct(path) for path in paths]).astype(np.float64)
    mean, deviation = mean_and_deviation(open_predictor(paths), IMAGE, SPACING_M)
    assert members.std(axis=0).max() > 0.01, "the networks differ"
    np.testing.assert_allclose(mean, members.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(deviation, members.std(axis=0), atol=1e-6)


def test_rotations_are_members_of_the_ensemble(checkpoints):
    folder = checkpoints / "first"
    members = np.stack(
        [np.rot90(direct(folder, np.ascontiguousarray(np.rot90(IMAGE, k))), -k) for k in range(4)]
    ).astype(np.float64)
    predictor = open_predictor([str(folder)], rotations=True)
    mean, deviation = mean_and_deviation(predictor, IMAGE, SPACING_M)
    np.testing.assert_allclose(mean, members.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(deviation, members.std(axis=0), atol=1e-6)


def test_with_rotations_a_turned_scene_gives_the_turned_answer(checkpoints):
    predictor = open_predictor([str(checkpoints / "first")], rotations=True)
    turned = predictor.probabilities(np.ascontiguousarray(np.rot90(IMAGE)), SPACING_M)
    np.testing.assert_allclose(turned, np.rot90(predictor.probabilities(IMAGE, SPACING_M)), atol=1e-6)
    alone = open_predictor([str(checkpoints / "first")])
    difference = alone.probabilities(np.rot90(IMAGE), SPACING_M) - np.rot90(alone.probabilities(IMAGE, SPACING_M))
    assert np.abs(difference).max() > 1e-3, "one network alone is not so"


def test_checkpoint_of_another_task_is_refused(checkpoints):
    with pytest.raises(InputError, match=r"pretrained: .*'optsimmim'.*fine-tune it first"):
        open_predictor([str(checkpoints / "first"), str(checkpoints / "pretrained")])


def test_networks_with_different_contexts_are_no_ensemble(checkpoints):
    with pytest.raises(InputError, match=r"converted: .*512, 32.*first.*64, 32.*must agree"):
        open_predictor([str(checkpoints / "first"), str(checkpoints / "converted")])


def test_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing: no checkpoint there"):
        open_predictor([str(tmp_path / "nothing")])


@pytest.mark.parametrize(
    ("up_down", "mirrors", "words"),
    [(0.5, ((), (2,), (1,), (1, 2)), "4 mirror images"), (0.0, ((), (2,)), "2 mirror images")],
)
def test_rotations_never_trained_are_replaced_by_mirror_images(checkpoints, tmp_path, caplog, up_down, mirrors, words):
    first = native.load_checkpoint(checkpoints / "first")
    config = {**CONFIG, "augment": {"rotation_probability": 0.0, "up_down_probability": up_down}}
    native.save_checkpoint(tmp_path / "upright", first.params, {**first.record, "config": config})
    upright, other = str(tmp_path / "upright"), str(checkpoints / "first")
    assert open_predictor([other], rotations=True).averaged == "4 rotations"
    assert not caplog.records
    for paths in ([upright], [other, upright]):
        predictor = open_predictor(paths, rotations=True)
        assert tuple(predictor.quarter_turns) == (0,) and tuple(predictor.mirrors) == mirrors
        assert predictor.averaged == words and predictor.members == len(paths) * len(mirrors)
    assert "upright: never trained on rotated crops" in caplog.text and "`untrained_rotations`" in caplog.text
    assert open_predictor([upright], untrained_rotations=True).averaged == "4 rotations"
    assert open_predictor([upright]).averaged == "no rotations"


def test_mirror_images_are_members_of_the_ensemble(checkpoints, tmp_path):
    first = native.load_checkpoint(checkpoints / "first")
    config = {**CONFIG, "augment": {"rotation_probability": 0.0}}
    native.save_checkpoint(tmp_path / "upright", first.params, {**first.record, "config": config})
    predictor = open_predictor([str(tmp_path / "upright")], mode="whole", rotations=True)
    image = IMAGE[:32, :32]
    flips = [(), (1,), (0,), (0, 1)]
    one = open_predictor([str(tmp_path / "upright")], mode="whole")
    members = [np.flip(one.probabilities(np.flip(image, axes), SPACING_M), axes) for axes in flips]
    np.testing.assert_allclose(predictor.probabilities(image, SPACING_M), np.mean(members, axis=0), atol=1e-6)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Folders: networks of series, of three frames, of two, of the published eight, and the control that sees one."""
    root = tmp_path_factory.mktemp("series")
    for name, temporal, frames in (
        ("conv", "conv", 3),
        ("short", "conv", 2),
        ("converted", "conv", 0),
        ("control", "none", 3),
    ):
        network = dataclasses.replace(PRESETS["tiny"], temporal=temporal, narrow_decoder=True)
        example = np.zeros((1, 2, 32, 32, 1), np.float32)
        shapes = jax.eval_shape(build(network, SeriesTyrion).init, jax.random.key(0), example)
        rng = np.random.default_rng(0)
        params = jax.tree.map(lambda x, rng=rng: rng.normal(0, 0.3, x.shape).astype(np.float32), shapes["params"])
        config = {"task": "segmentation_series", "data": {"context_px": CONTEXT, "frames": frames}}
        config["model"] = {"preset": "tiny", "temporal": temporal, "narrow_decoder": True}
        record = {"task": "segmentation_series", "model": network.to_json(), "metrics": {}}
        native.save_checkpoint(root / name, params, {**record, "config": config} if frames else record)
    return root


def test_networks_of_series_say_how_many_scenes_they_see(series):
    opened: dict[str, Any] = {
        name: open_predictor([str(series / name)]) for name in ("conv", "short", "converted", "control")
    }
    assert {name: one.frames for name, one in opened.items()} == {"conv": 3, "short": 2, "converted": 8, "control": 1}
    assert opened["conv"].mode == "overlap" and not opened["conv"].needs_dates
    with pytest.raises(InputError, match="takes no single images"):
        opened["conv"].strips(IMAGE, SPACING_M)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "../up", "a/b", "a\\b", ".hidden", "a\0b"])
def test_a_name_that_cannot_name_the_files_of_a_result_is_refused(checkpoints, name):
    with pytest.raises(InputError, match=r"name=.*names files"):
        load(checkpoints / "first").predict(IMAGE, SPACING_M, name=name)


@pytest.mark.parametrize("given", [{"aoi": "area.geojson"}, {"band": 1}, {"polarisation": "HH"}], ids=str)
def test_what_is_of_files_is_refused_with_an_array(checkpoints, tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    write_geojson("area.geojson", [polygon_feature(shapely.box(-50, 69, -49, 70), {})])
    with pytest.raises(InputError, match=f"`{next(iter(given))}` is of files, but the scene is an array"):
        load(checkpoints / "first").predict(IMAGE, SPACING_M, **given)


def test_a_wrong_mode_is_told_at_once_and_a_spacing_in_words_with_its_name(checkpoints):
    with pytest.raises(InputError, match="mode='foo': choose one of tiled"):
        load(checkpoints / "missing", mode="foo")
    with pytest.raises(InputError, match="pixel_spacing_m='12': give a number of metres"):
        ReadOptions("12")  # type: ignore[arg-type]


def test_networks_of_an_ensemble_see_equally_many_scenes(series, checkpoints):
    for other in (series / "short", checkpoints / "first"):
        with pytest.raises(InputError, match=r"takes scenes differently .*frames of a series"):
            open_predictor([str(series / "conv"), str(other)])


def test_a_checkpoint_of_series_predicts_series_and_single_scenes(series):
    model = Model(open_predictor([str(series / "conv")]))
    names = [f"a_2020-0{month}-01" for month in range(1, 5)]
    images = [np.roll(IMAGE, 3 * number, 1) for number in range(4)]
    found: Any = model.predict_series(images, SPACING_M, names=names)
    assert [one.zones.shape for one in found] == [IMAGE.shape] * 4
    alone: Any
    same: Any
    alone, same = model.predict(IMAGE, SPACING_M), model.predict_series([IMAGE] * 3, SPACING_M, names=names[:3])
    for one in same:
        np.testing.assert_array_equal(one.zones, alone.zones)
    assert alone.series.scenes == ("array",) and same[0].series.scenes == tuple(names[:3])
    np.testing.assert_array_equal(
        model.predict_series(images[::-1], SPACING_M, names=names[::-1])[3].zones, found[0].zones
    )
