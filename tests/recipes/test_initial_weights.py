"""Weights carried over from a checkpoint, and weights that do not fit."""

import dataclasses

import jax
import numpy as np
import pytest

from glacierjax.checkpoints.native import save_checkpoint
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.settings import InitSettings, ModelSettings, SeriesDataSettings, SeriesFineTuning
from glacierjax.model import SeriesTyrion, Tyrion, build
from glacierjax.model.pretraining import OptSimMIMNetwork, OptTranslatorNetwork
from glacierjax.recipes.initial_weights import check_initial_weights, initial_params, with_channels

IMAGES = np.zeros((1, 64, 64, 1), np.float32)


def starting_from(settings, checkpoint):
    """The settings with this checkpoint to start from."""
    return dataclasses.replace(settings, init=InitSettings(checkpoint=str(checkpoint)))


def numbers(settings, seed: int, model=None, *inputs) -> dict:
    """Parameters of the configured network, filled with random numbers (shapes only: nothing is compiled)."""
    model = model or build(settings.model.network(), Tyrion)
    shapes = jax.eval_shape(model.init, jax.random.key(0), IMAGES, *inputs)["params"]
    generator = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: generator.normal(size=leaf.shape).astype(np.float32), shapes)


def same(a, b) -> bool:
    return jax.tree.structure(a) == jax.tree.structure(b) and all(
        np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


@pytest.fixture
def fresh(settings) -> dict:
    return numbers(settings, 0)


@pytest.fixture
def carried(settings, tmp_path):
    """A checkpoint with other numbers: these, and settings that start from it."""
    params = numbers(settings, 1)
    save_checkpoint(tmp_path / "carried", params, {"task": "segmentation", "model": {}})
    return params, starting_from(settings, tmp_path / "carried")


def test_without_a_checkpoint_the_fresh_weights_stay(settings, fresh, tmp_path):
    assert initial_params(settings.init, fresh, tmp_path) is fresh


def test_encoder_and_decoder_are_taken_bit_by_bit_and_the_head_stays_fresh(fresh, carried, tmp_path):
    given, settings = carried
    params = initial_params(settings.init, fresh, tmp_path)
    assert set(params) == set(fresh) == {"encoder", "decoder", "head"}
    assert same(params["encoder"], given["encoder"]) and same(params["decoder"], given["decoder"])
    assert same(params["head"], fresh["head"]) and not same(params["head"], given["head"])


def test_the_head_is_taken_too_when_it_is_wanted_and_fits(fresh, carried, tmp_path):
    given, settings = carried
    wanted = dataclasses.replace(settings.init, head=True)
    assert same(initial_params(wanted, fresh, tmp_path), given)
    other = {**fresh, "head": jax.tree.map(lambda leaf: np.concatenate([leaf, leaf], -1), fresh["head"])}
    params = initial_params(wanted, other, tmp_path)
    assert same(params["encoder"], given["encoder"]) and same(params["head"], other["head"])


def test_a_head_that_is_not_taken_starts_at_zero_when_that_is_wanted(fresh, carried, tmp_path):
    given, settings = carried
    params = initial_params(dataclasses.replace(settings.init, zero_head=True), fresh, tmp_path)
    assert same(params["decoder"], given["decoder"])
    assert same(params["head"], jax.tree.map(np.zeros_like, fresh["head"]))
    both = dataclasses.replace(settings.init, zero_head=True, head=True)
    assert same(initial_params(both, fresh, tmp_path), given)


def test_a_zero_head_without_a_checkpoint_is_refused():
    with pytest.raises(ArgumentError, match=r"config\.init\.zero_head"):
        InitSettings(zero_head=True)


def test_a_checkpoint_with_an_encoder_alone_gives_the_encoder(settings, fresh, tmp_path):
    carried = {"encoder": numbers(settings, 1)["encoder"]}
    save_checkpoint(tmp_path / "swin", carried, {"task": "encoder", "model": {}})
    params = initial_params(starting_from(settings, tmp_path / "swin").init, fresh, tmp_path)
    assert same(params["encoder"], carried["encoder"])
    assert same(params["decoder"], fresh["decoder"]) and same(params["head"], fresh["head"])


@pytest.mark.parametrize("kind", [OptSimMIMNetwork, OptTranslatorNetwork])
def test_a_pretraining_checkpoint_gives_all_but_its_own_head_in_one_line_and_a_list_by_name(
    settings, fresh, tmp_path, caplog, kind
):
    mask = (np.zeros((1, 16, 16), bool),) if kind is OptSimMIMNetwork else ()
    carried = numbers(settings, 1, build(settings.model.network(), kind), *mask)
    save_checkpoint(tmp_path / "pretrained", carried, {"task": "x", "model": {}})
    with caplog.at_level("INFO", logger="glacierjax"):
        params = initial_params(starting_from(settings, tmp_path / "pretrained").init, fresh, tmp_path)
    assert same(params["encoder"], carried["encoder"]) and same(params["decoder"], carried["decoder"])
    assert same(params["head"], fresh["head"])
    taken = len(jax.tree.leaves([params["encoder"], params["decoder"]]))
    own = sum(len(jax.tree.leaves(part)) for name, part in carried.items() if name not in ("encoder", "decoder"))
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"{taken} arrays taken (decoder, encoder), 2 fresh (head), {own} left over" in line
    lines = (tmp_path / "initial_weights.txt").read_text().splitlines()
    assert [sum(x.startswith(f"{what}: ") for x in lines) for what in ("taken", "fresh", "left over")] == [
        taken,
        2,
        own,
    ]
    assert "fresh: head/bias" in lines and own > 0


@pytest.mark.parametrize("preset", ["small", "tyrion"])
def test_a_checkpoint_of_another_preset_is_refused(carried, preset):
    _, settings = carried
    other = dataclasses.replace(settings, model=ModelSettings(preset=preset))
    with pytest.raises(InputError, match=rf"{settings.init.checkpoint}: encoder/.*`config.model.preset`"):
        check_initial_weights(other)


def test_weights_that_fit_pass_the_check_and_missing_ones_do_not(settings, carried):
    check_initial_weights(carried[1])
    with pytest.raises(InputError, match="nowhere: no checkpoint there"):
        check_initial_weights(starting_from(settings, "nowhere"))


def test_another_shape_is_named(settings, fresh, tmp_path):
    params = numbers(settings, 1)
    params["encoder"] = jax.tree.map(lambda x: np.concatenate([x, x], -1), params["encoder"])
    save_checkpoint(tmp_path / "cut", params, {"task": "segmentation", "model": {}})
    with pytest.raises(InputError, match=r"encoder/.* has shape .* needs"):
        initial_params(starting_from(settings, tmp_path / "cut").init, fresh, tmp_path)


def test_a_checkpoint_without_encoder_and_decoder_is_refused(settings, fresh, tmp_path):
    save_checkpoint(tmp_path / "head", {"head": fresh["head"]}, {"task": "segmentation", "model": {}})
    with pytest.raises(InputError, match="neither an encoder nor a decoder"):
        initial_params(starting_from(settings, tmp_path / "head").init, fresh, tmp_path)


def series_of(temporal: str) -> SeriesFineTuning:
    return SeriesFineTuning(
        data=SeriesDataSettings(context_px=64),
        model=ModelSettings(preset="tiny", narrow_decoder=True, temporal=temporal),
    )


@pytest.fixture
def converted(settings, tmp_path):
    """A checkpoint of a network of series, as a conversion of official weights writes it, and its numbers."""
    model = build(series_of("gru").model.network(), SeriesTyrion)
    shapes = jax.eval_shape(model.init, jax.random.key(0), np.zeros((1, 2, 64, 64, 1), np.float32))["params"]
    params = jax.tree.map(lambda leaf: np.ones(leaf.shape, np.float32), shapes)
    save_checkpoint(tmp_path / "converted", params, {"task": "segmentation_series", "model": {}})
    return tmp_path / "converted"


def test_series_start_from_official_weights_of_series_but_of_their_own_kind(converted):
    check_initial_weights(starting_from(series_of("gru"), converted))
    for other in ("conv", "none"):
        with pytest.raises(InputError, match=r"temporal.*; is `config.model.temporal` that of the checkpoint\?"):
            check_initial_weights(starting_from(series_of(other), converted))


def test_single_images_do_not_start_from_weights_of_series(settings, converted):
    with pytest.raises(InputError, match=r"is `config.model.temporal` that of the checkpoint\?"):
        check_initial_weights(starting_from(settings, converted))


@pytest.mark.parametrize("narrow", [False, True])
def test_a_network_for_series_takes_the_encoder_and_a_decoder_of_its_own_kind(settings, tmp_path, narrow):
    """Its temporal modules are in no checkpoint of single images."""
    pretraining = dataclasses.replace(settings.model.network(), narrow_decoder=narrow)
    carried = numbers(settings, 1, build(pretraining, OptTranslatorNetwork))
    save_checkpoint(tmp_path / "pretrained", carried, {"task": "opttranslator", "model": {}})
    network = dataclasses.replace(settings.model.network(), narrow_decoder=True, temporal="conv")
    series = build(network, SeriesTyrion)
    shapes = jax.eval_shape(series.init, jax.random.key(0), np.zeros((1, 2, 64, 64, 1), np.float32))["params"]
    fresh = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), shapes)
    params = initial_params(starting_from(settings, tmp_path / "pretrained").init, fresh, tmp_path)
    assert jax.tree.structure(params) == jax.tree.structure(fresh)
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        place = jax.tree_util.keystr(path)
        taken = "temporal" not in place and ("encoder" in place or (narrow and "decoder" in place))
        assert leaf.any() == taken, place


def test_a_channel_that_shows_something_new_changes_no_answer_at_the_start(settings, fresh, carried, tmp_path):
    given, settings = carried
    channels = ("grey", "rock", "summer")
    params = initial_params(settings.init, fresh, tmp_path, channels)
    generator = np.random.default_rng(2)
    grey = generator.random((4, 4, 1), np.float32)
    shown = np.concatenate([grey, generator.random((4, 4, 2), np.float32)], -1)

    def token(tree, patch):
        return np.einsum("hwc,hwcd->d", patch, tree["encoder"]["patch_embedding"]["projection"]["kernel"])

    np.testing.assert_allclose(token(params, shown), token(given, np.repeat(grey, 3, -1)), rtol=1e-4, atol=1e-5)
    back = with_channels(params["encoder"], channels, ("grey", "grey", "grey"))
    np.testing.assert_allclose(
        token({"encoder": back}, np.repeat(grey, 3, -1)), token(params, shown), rtol=1e-5, atol=1e-5
    )
    untouched = given["encoder"]["patch_embedding"]["projection"]["bias"]
    assert np.array_equal(params["encoder"]["patch_embedding"]["projection"]["bias"], untouched)
