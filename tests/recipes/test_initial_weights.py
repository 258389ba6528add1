"""Weights carried over from a checkpoint, and weights that do not fit."""

import jax
import numpy as np
import pytest

from glacierjax.checkpoints.native import save_checkpoint
from glacierjax.core.errors import InputError
from glacierjax.model import Tyrion
from glacierjax.model.pretraining import OptSimMIMNetwork, OptTranslatorNetwork
from glacierjax.recipes.checks import check_initial_weights
from glacierjax.recipes.initial_weights import initial_params, model_fields

IMAGES = np.zeros((1, 64, 64, 1), np.float32)


def numbers(config, seed: int, model=None, *inputs) -> dict:
    """Parameters of the configured network, filled with random numbers (shapes only: nothing is compiled)."""
    model = model or Tyrion(**model_fields(config))
    shapes = jax.eval_shape(model.init, jax.random.key(0), IMAGES, *inputs)["params"]
    generator = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: generator.normal(size=leaf.shape).astype(np.float32), shapes)


def same(a, b) -> bool:
    return jax.tree.structure(a) == jax.tree.structure(b) and all(
        np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


@pytest.fixture
def fresh(config) -> dict:
    return numbers(config, 0)


@pytest.fixture
def carried(config, tmp_path):
    """A checkpoint with other numbers; gives them, and points the configuration there."""
    params = numbers(config, 1)
    save_checkpoint(tmp_path / "carried", params, {"task": "segmentation", "model": {}})
    config.init.checkpoint = str(tmp_path / "carried")
    return params


def test_without_a_checkpoint_the_fresh_weights_stay(config, fresh):
    assert initial_params(config, fresh) is fresh


def test_encoder_and_decoder_are_taken_bit_by_bit_and_the_head_stays_fresh(config, fresh, carried):
    params = initial_params(config, fresh)
    assert set(params) == set(fresh) == {"encoder", "decoder", "head"}
    assert same(params["encoder"], carried["encoder"]) and same(params["decoder"], carried["decoder"])
    assert same(params["head"], fresh["head"]) and not same(params["head"], carried["head"])


def test_a_checkpoint_with_an_encoder_alone_gives_the_encoder(config, fresh, tmp_path):
    carried = {"encoder": numbers(config, 1)["encoder"]}
    save_checkpoint(tmp_path / "swin", carried, {"task": "encoder", "model": {}})
    config.init.checkpoint = str(tmp_path / "swin")
    params = initial_params(config, fresh)
    assert same(params["encoder"], carried["encoder"])
    assert same(params["decoder"], fresh["decoder"]) and same(params["head"], fresh["head"])


@pytest.mark.parametrize("network", [OptSimMIMNetwork, OptTranslatorNetwork])
def test_a_pretraining_checkpoint_gives_all_but_its_own_head_and_each_name_is_logged(
    config, fresh, tmp_path, caplog, network
):  # fmt: skip
    shapes = network(**model_fields(config))
    mask = (np.zeros((1, 16, 16), bool),) if network is OptSimMIMNetwork else ()
    carried = numbers(config, 1, shapes, *mask)
    save_checkpoint(tmp_path / "pretrained", carried, {"task": "x", "model": {}})
    config.init.checkpoint = str(tmp_path / "pretrained")
    with caplog.at_level("INFO", logger="glacierjax"):
        params = initial_params(config, fresh)
    assert same(params["encoder"], carried["encoder"]) and same(params["decoder"], carried["decoder"])
    assert same(params["head"], fresh["head"])
    lines = [record.getMessage() for record in caplog.records]
    taken = [line for line in lines if line.startswith("taken: ")]
    assert len(taken) == len(jax.tree.leaves([params["encoder"], params["decoder"]]))
    assert [line for line in lines if line.startswith("fresh: ")] == ["fresh: head/bias", "fresh: head/kernel"]
    own = sum(len(jax.tree.leaves(part)) for name, part in carried.items() if name not in ("encoder", "decoder"))
    assert len([line for line in lines if line.startswith("left over: ")]) == own > 0


@pytest.mark.parametrize("preset", ["small", "tyrion"])
def test_a_checkpoint_of_another_preset_is_refused(config, carried, preset):
    config.model.preset = preset
    with pytest.raises(InputError, match=rf"{config.init.checkpoint}: encoder/.*--config.model.preset"):
        check_initial_weights(config)


def test_weights_that_fit_pass_the_check_and_missing_ones_do_not(config, carried):
    check_initial_weights(config)
    config.init.checkpoint = "nowhere"
    with pytest.raises(InputError, match="nowhere: no checkpoint there"):
        check_initial_weights(config)


def test_another_shape_is_named(config, fresh, tmp_path):
    params = numbers(config, 1)
    params["encoder"] = jax.tree.map(lambda x: np.concatenate([x, x], -1), params["encoder"])
    save_checkpoint(tmp_path / "cut", params, {"task": "segmentation", "model": {}})
    config.init.checkpoint = str(tmp_path / "cut")
    with pytest.raises(InputError, match=r"encoder/.* has shape .* needs"):
        initial_params(config, fresh)


def test_a_checkpoint_without_encoder_and_decoder_is_refused(config, fresh, tmp_path):
    save_checkpoint(tmp_path / "head", {"head": fresh["head"]}, {"task": "segmentation", "model": {}})
    config.init.checkpoint = str(tmp_path / "head")
    with pytest.raises(InputError, match="neither an encoder nor a decoder"):
        initial_params(config, fresh)


def test_fields_set_beside_the_preset_override_it(config):
    config.model.window_size = 2
    config.model.dropout = 0.25
    fields = model_fields(config)
    assert (fields["window_size"], fields["dropout"], fields["embed_dim"]) == (2, 0.25, 8)
    assert fields["dtype"] == np.float32
