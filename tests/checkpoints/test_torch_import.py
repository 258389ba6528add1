"""Official names and layouts to parameters and back."""

import jax
import numpy as np
import pytest
from official_like import TINY, tiny_params, tiny_state_dict

from glacierjax.checkpoints import params_from_torch, params_to_torch
from glacierjax.checkpoints.torch_import import detect_model, infer_fields
from glacierjax.checkpoints.torch_names import MODELS, official_entries
from glacierjax.core.errors import InputError
from glacierjax.model import Tyrion

WIDTH = TINY["embed_dim"]


@pytest.mark.parametrize("model", MODELS)
def test_way_there_and_back_is_bit_identical(model):
    params = tiny_params(model)
    state_dict, exported = params_to_torch(params, model, TINY)
    again, report = params_from_torch(state_dict, model, TINY)
    jax.tree.map(np.testing.assert_array_equal, again, params)
    assert report.taken == exported.given and not report.unused and not report.missing


@pytest.mark.parametrize("model", MODELS)
def test_each_parameter_has_a_name_of_its_own(model):
    entries = official_entries(MODELS[model], {})
    assert len({entry.name for entry in entries}) == len({entry.path for entry in entries}) == len(entries)


@pytest.mark.parametrize("model", MODELS)
def test_every_official_tensor_is_accounted_for(model):
    mapping = tiny_state_dict(model)
    _, report = params_from_torch(mapping, model, TINY)
    assert not report.unknown and not report.missing
    assert len(report.taken) + len(report.unused) == len(mapping)
    assert report.recomputed and report.never_used


@pytest.mark.parametrize("model", MODELS)
def test_model_and_sizes_are_told_by_names_and_shapes(model):
    mapping = tiny_state_dict(model)
    assert detect_model(mapping) == model
    told = infer_fields(mapping, model)
    names = ("embed_dim", "depths", "num_heads", "mlp_ratio", "window_size")
    shown_by_shapes = {name: TINY[name] for name in names}
    assert {name: told[name] for name in shown_by_shapes} == shown_by_shapes


def test_layouts_are_those_of_each_library():
    params = tiny_params("tyrion")
    state_dict, _ = params_to_torch(params, "tyrion", TINY)
    block, encoder = "layers.0.blocks.0.", params["encoder"]["stage0_block0"]
    np.testing.assert_array_equal(state_dict[block + "mlp.fc1.weight"].T, encoder["mlp_hidden"]["kernel"])
    np.testing.assert_array_equal(state_dict[block + "attn.logit_scale"][:, 0, 0], encoder["attention"]["logit_scale"])
    conv = params["decoder"]["block1"]["conv1"]["kernel"]
    assert state_dict["pred_target.1.block.conv1.weight"][5, 3, 0, 2] == conv[0, 2, 3, 5]


def test_time_and_gates_are_laid_out_as_in_each_library():
    params = {kind: tiny_params(f"series_{kind}") for kind in ("conv", "gru")}
    named = {kind: params_to_torch(tree, f"series_{kind}", TINY)[0] for kind, tree in params.items()}
    place = "layers.1.blocks.0.temporal_convolution."
    conv, gru = (params[kind]["encoder"]["stage1_block0"]["temporal"] for kind in ("conv", "gru"))
    assert named["conv"][place + "conv1.weight"][5, 3, 2, 0, 0] == conv["conv"]["kernel"][2, 0, 0, 3, 5]
    for official, ours in (("", "forward"), ("_reverse", "backward")):
        gates = named["gru"][f"{place}gru_layer.weight_hh_l0{official}"]
        np.testing.assert_array_equal(gates.T, gru[ours]["state"]["kernel"])
        bias = named["gru"][f"{place}gru_layer.bias_ih_l0{official}"]
        np.testing.assert_array_equal(bias, gru[f"{ours}_input"]["bias"])


def test_swin_gives_the_encoder_only():
    params, report = params_from_torch(tiny_state_dict("swin"), "swin", TINY)
    assert list(params) == ["encoder"]
    assert set(report.never_used) == {"norm.weight", "head.bias"}


def test_parameters_fit_the_network():
    params, _ = params_from_torch(tiny_state_dict("tyrion"), "tyrion", TINY)
    logits = jax.eval_shape(Tyrion(**TINY).apply, {"params": params}, np.zeros((1, 32, 64, 1)))
    assert logits.shape == (1, 32, 64, 4)


@pytest.mark.parametrize(
    ("model", "prefix"),
    [("tyrion", "swin_unet."), ("tyrion", "a.model."), ("optsimmim", "model."), ("series_gru", "swin_unet.")],
)
def test_common_prefix_is_cut_off(model, prefix):
    mapping = {prefix + name: array for name, array in tiny_state_dict(model).items()}
    assert detect_model(mapping) == model
    params, report = params_from_torch(mapping, model, TINY)
    assert report.prefix == prefix and not report.unknown and not report.missing
    jax.tree.map(np.testing.assert_array_equal, params, tiny_params(model))


def test_two_networks_in_one_state_dict_are_refused():
    mapping = tiny_state_dict("tyrion")
    both = {f"{p}.{name}": array for p in ("student", "teacher") for name, array in mapping.items()}
    with pytest.raises(InputError, match=r"several networks.*student.*teacher"):
        params_from_torch(both, "tyrion", TINY)


def test_unknown_and_missing_names_are_reported():
    mapping = tiny_state_dict("tyrion")
    del mapping["layers.2.blocks.1.norm2.bias"]
    mapping["extra.weight"] = np.zeros(3, np.float32)
    mapping["pred_target.0.block.conv9.weight"] = np.zeros(3, np.float32)
    params, report = params_from_torch(mapping, "tyrion", TINY)
    assert report.missing == ("layers.2.blocks.1.norm2.bias",)
    assert report.unknown == ("extra.weight", "pred_target.0.block.conv9.weight")
    assert "bias" not in params["encoder"]["stage2_block1"]["norm2"]


@pytest.mark.parametrize(
    ("name", "array", "problem"),
    [
        (
            "pred_target.6.weight",
            np.zeros((4, WIDTH, 3, 3), np.float32),
            rf"has shape \(4, {WIDTH}, 3, 3\), expected \(4, {WIDTH}, 1, 1\)",
        ),
        ("layers.0.blocks.0.attn.logit_scale", np.zeros((1,), np.float32), r"shape \(1,\), expected \(1, 1, 1\)"),
        ("patch_embed.norm.bias", np.zeros(WIDTH, np.int64), "holds int64"),
    ],
)
def test_wrong_tensor_is_named(name, array, problem):
    with pytest.raises(InputError, match=f"{name}.*{problem}"):
        params_from_torch(tiny_state_dict("tyrion") | {name: array}, "tyrion", TINY)


def test_paper_sizes_are_expected_without_fields():
    with pytest.raises(InputError, match="expected"):
        params_from_torch(tiny_state_dict("tyrion"), "tyrion")


def test_other_names_are_refused():
    with pytest.raises(InputError, match="no tensor patch_embed"):
        params_from_torch({"conv1.weight": np.zeros(3)}, "tyrion")
    with pytest.raises(InputError, match=r"no tensor swin_unet\.patch_embed"):
        params_from_torch(tiny_state_dict("tyrion"), "optsimmim", TINY)
    with pytest.raises(InputError, match="model='unet'"):
        params_from_torch({}, "unet")


def test_tree_of_another_model_is_not_written():
    with pytest.raises(InputError, match="lack decoder"):
        params_to_torch(tiny_params("swin"), "tyrion", TINY)
    with pytest.raises(InputError, match="does not belong to swin"):
        params_to_torch(tiny_params("tyrion"), "swin", TINY)
