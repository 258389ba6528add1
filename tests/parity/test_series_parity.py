"""The network of series against the official implementation, at the paper's width (float32)."""

import golden_rules as rules
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import series_rules
from series_rules import NEEDS_FULL, Golden

from glacierjax.checkpoints import params_from_torch, params_to_torch
from glacierjax.core.choices import TEMPORAL
from glacierjax.model import SeriesTyrion
from glacierjax.model.decoder import Decoder, ResidualBlock
from glacierjax.model.folded import Doubling, doubled
from glacierjax.model.swin_v2 import PatchMerging, SwinEncoder
from glacierjax.model.temporal import AttentionOverTime, ConvolutionOverTime, RecurrenceOverTime, day_positions
from glacierjax.tasks.losses import segmentation_loss

LOGITS = 1e-4  # of the largest
LOSS = 1e-5  # relative
GRADIENT_NORM = 1e-3  # relative
ATTENTION_GRADIENT_NORM = 1e-2  # of the one residual weight whose gradient is tiny
TERMS = {"ce_img": "ce_target", "ce_context": "ce_context", "dice_img": "dice_target", "dice_context": "dice_context"}


@pytest.fixture(scope="module", params=series_rules.SETS)
def golden(request) -> Golden:
    return request.param()


def params_of(kind: str) -> dict:
    params, report = params_from_torch(series_rules.state_dict(kind), f"series_{kind}")
    assert not report.missing and not report.unknown and report.never_used == ("outputt.weight",)
    return params


def frames_first(logits) -> np.ndarray:
    """(1, T, H, W, K) as (T, K, H, W)."""
    return np.asarray(logits)[0].transpose(0, 3, 1, 2)


# What each temporal module, and the decoder's block, is in our network: place -> module.
CONV = {"decoder/temporal1": ConvolutionOverTime(32)}
MODULES = {
    "conv": CONV,
    "conv_maps": CONV,
    "gru": {"encoder/stage1_block0/temporal": RecurrenceOverTime()},
    "ltae": {"encoder/stage1_block0/temporal": AttentionOverTime(0.1)},
    "decoder_block_no_up": {"decoder/block1": ResidualBlock(32, 32, 0.1, padding="REFLECT")},
    "decoder_block": {
        "decoder/block1": ResidualBlock(32, 32, 0.1, padding="REFLECT"),
        "decoder/temporal1": ConvolutionOverTime(32),
        "decoder/up1": Doubling(),
    },
}


@pytest.mark.parametrize("frames", [3, 8])
@pytest.mark.parametrize("name", MODULES)
def test_each_module_alone_agrees(golden, name, frames):
    key, tag = f"{name}/T{frames}", f"mt4.{name}.T{frames}"
    case = golden.numbers["mt4"][key]
    tokens = len(case["input_shape"]) == 3
    days = jnp.asarray(series_rules.days(tag, frames))

    def ours(official):
        """Official layout (T, pixels, C) or (T, C, H, W) as (1, T, H, W, C)."""
        return official.reshape(frames, 4, 4, -1)[None] if tokens else official.transpose(0, 2, 3, 1)[None]

    def theirs(maps):
        maps = np.asarray(maps)[0]
        return maps.reshape(frames, -1, maps.shape[-1]).copy() if tokens else maps.transpose(0, 3, 1, 2)

    def arguments(module, x):
        match module:
            case AttentionOverTime():
                return x, days, False
            case ResidualBlock():
                return x[0], False
            case ConvolutionOverTime() | RecurrenceOverTime():
                return (x,)
            case _:
                return (x[0],)

    def run(params, x):
        for place, module in MODULES[name].items():
            y = module.apply({"params": params[place]}, *arguments(module, x))
            x = y if y.ndim == 5 else y[None]
        return x

    def fresh(x):
        found = {}
        for place, module in MODULES[name].items():
            y, variables = module.init_with_output(jax.random.key(0), *arguments(module, x))
            x, found[place] = y if y.ndim == 5 else y[None], variables["params"]
        return found

    x = jnp.asarray(ours(series_rules.normal(f"{tag}.input", tuple(case["input_shape"]))))
    shapes = jax.eval_shape(fresh, x)
    entries = series_rules.module_entries(shapes)
    prefixes = ("layers.1.blocks.0.temporal_convolution.", "pred_target.1.")
    if name.startswith("conv"):
        prefixes = ("pred_target.1.temporal_block.",)
    params: dict = {}
    named = {}
    for official, entry in entries:
        short = next(official.removeprefix(prefix) for prefix in prefixes if official.startswith(prefix))
        named[short] = entry
        kind = "rezero" if short == "resweight" else "weight" if len(entry.official_shape) > 1 else "bias"
        kind = "norm" if short.endswith(("norm.weight", "norm1.weight", "norm2.weight")) else kind
        value = entry.from_official(rules.weight(f"mt4.{name}.{short}", list(entry.official_shape), kind))
        tree = params
        for part in entry.path[:-1]:
            tree = tree.setdefault(part, {})
        tree[entry.path[-1]] = value
    assert named.keys() == case["gradients"].keys()

    cotangent = ours(series_rules.normal(f"{tag}.cotangent", tuple(case["output_shape"])))

    @jax.jit
    def output_and_gradients(params, x):
        output, pullback = jax.vjp(run, params, x)
        return output, pullback(jnp.asarray(cotangent))

    output, (of_params, of_input) = output_and_gradients(params, x)
    golden.assert_agrees(theirs(output), f"mt4/{key}/output", LOGITS if name == "ltae" else 1e-5)
    of_input = theirs(of_input)
    if (name, frames) == ("ltae", 8) and golden.is_full:
        # The reference's positions are float32. Pixel 3 has a group of nearly equal values, whose norm enlarges that error.
        # There ours is 2e-5 from the same module in float64 with exact positions, and the reference 4e-4.
        expected = golden.arrays[f"mt4/{key}/grad_input"]
        assert np.abs(of_input - expected)[:, 3].max() < 5e-4 * np.abs(expected).max()
        of_input[:, 3] = expected[:, 3]
    golden.assert_agrees(of_input, f"mt4/{key}/grad_input", 7e-5)
    for short, entry in named.items():
        leaf = of_params
        for part in entry.path:
            leaf = leaf[part]
        expected = case["gradients"][short]["norm_float64"]
        np.testing.assert_allclose(np.linalg.norm(leaf), expected, rtol=GRADIENT_NORM, atol=1e-4, err_msg=short)
    if name == "ltae":
        (module,) = MODULES[name].values()
        (tree,) = params.values()
        _, state = module.apply({"params": tree}, x, days, False, mutable=["intermediates"])
        (attention,) = state["intermediates"]["attention"]
        golden.assert_agrees(np.asarray(attention).transpose(1, 0, 2, 3), f"mt4/{key}/attention", 1e-4)


def test_positions_agree(golden):
    days = jnp.array(golden.numbers["mt5"]["days"])
    for channels in golden.numbers["mt5"]["channels"]:
        table = day_positions(days, channels // 8)
        np.testing.assert_allclose(table, golden.arrays[f"mt5/table_{channels}"], rtol=0, atol=1e-3)


@pytest.mark.parametrize("kind", ["conv", "gru", "ltae"])
def test_logits_of_short_series_agree(kind):
    """Against float32 alone, so within the reference's own error."""
    sets = [series_rules.read_compact(), *([series_rules.read_full()] if series_rules.FULL.is_dir() else [])]
    run = jax.jit(SeriesTyrion(temporal=kind).apply)
    tag = "mt2.T3"
    logits = frames_first(run({"params": params_of(kind)}, series_rules.images(tag, 3, 256), series_rules.days(tag, 3)))
    for golden in sets:
        golden.assert_agrees(logits[:, :, ::8, ::8], f"mt2/T3/{kind}/logits", LOGITS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["conv", "gru", "ltae"])
def test_logits_of_four_frames_agree(kind):
    run, tag = jax.jit(SeriesTyrion(temporal=kind).apply), "mt2.T4"
    logits = frames_first(run({"params": params_of(kind)}, series_rules.images(tag, 4, 256), series_rules.days(tag, 4)))
    series_rules.read_compact().assert_agrees(logits[:, :, ::8, ::8], f"mt2/T4/{kind}/logits", LOGITS)


@pytest.fixture(scope="module", params=TEMPORAL)
def forward(request):
    """Case mt1: kind, logits and the maps of every part, (T, H, W, C) each."""
    kind = request.param
    params = params_of(kind)
    kinds = (SwinEncoder, PatchMerging, ConvolutionOverTime, RecurrenceOverTime, AttentionOverTime, Decoder)

    def wanted(module, _):
        part = module.name is not None and module.name.startswith(
            ("up", "block0", "block5", "patch_embedding", "block")
        )
        return isinstance(module, kinds) or part

    @jax.jit
    def run(images, days):
        network = SeriesTyrion(temporal=kind)
        return network.apply({"params": params}, images, days, capture_intermediates=wanted, mutable=["intermediates"])

    logits, state = run(series_rules.images("mt1", 8, 512), series_rules.days("mt1", 8))
    encoder, decoder = state["intermediates"]["encoder"], state["intermediates"]["decoder"]
    maps = {f"stage{i}_skip": skip for i, skip in enumerate(encoder["__call__"][0])}
    maps["patch_embed"] = encoder["patch_embedding"]["__call__"][0]
    for stage in range(3):
        maps[f"stage{stage}_after_merge"] = encoder[f"stage{stage}_merging"]["__call__"][0]
    maps["stage3_after_merge"] = maps["stage3_skip"]
    before = decoder["block0"]["__call__"][0]
    maps["decoder0"] = before if kind == "none" else decoder["temporal0"]["__call__"][0][0]
    maps |= {f"decoder{i}": decoder[f"up{i}"]["__call__"][0] for i in range(1, 5)}
    # The last map has the head folded in: with the identity as head it is the map alone.
    up, width = params["decoder"]["up5"], params["head"]["kernel"].shape[2]
    alone = jnp.eye(width)[None, None], jnp.zeros(width)
    maps["decoder5"] = doubled(
        decoder["block5"]["__call__"][0], (jnp.asarray(up["kernel"]), jnp.asarray(up["bias"])), alone
    )
    if kind != "none":
        maps |= {f"decoder{i}_temporal_in": decoder[f"block{i}"]["__call__"][0] for i in range(4)}
        for stage in range(1, 4):
            block = encoder[f"stage{stage}_block0"]
            maps[f"stage{stage}_block0_temporal_out"] = block["temporal"]["__call__"][0][0]
    return kind, frames_first(logits), {name: np.asarray(part) for name, part in maps.items()}


@pytest.mark.slow
def test_logits_agree(golden, forward):
    kind, logits, _ = forward
    golden.assert_agrees(logits[:, :, ::32, ::32], f"mt1/{kind}/logits_f64", LOGITS)


@pytest.mark.slow
@NEEDS_FULL
def test_every_map_of_the_full_set_agrees(forward):
    """Against float32 alone, which is itself up to 2e-4 of the largest logit away from float64."""
    kind, logits, maps = forward
    full, compared = series_rules.read_full(), 0
    for name, part in {"logits": logits[:, :, ::16, ::16], "logits_corner": logits[:, :, :6, :6]}.items():
        full.assert_agrees(part, f"mt1/{kind}/{name}", 2e-4)
    for name, x in maps.items():
        if f"mt1/{kind}/{name}" not in full.arrays:
            assert name.startswith(("stage0", "patch_embed")) and kind != "none"
            continue
        rows = 4 if "temporal" in name else 8
        part = x[:, :: x.shape[1] // rows, :: x.shape[2] // rows, :: max(1, x.shape[3] // 12)]
        full.assert_agrees(part, f"mt1/{kind}/{name}", 2e-4)
        compared += 1
    assert compared == sum(
        key.startswith(f"mt1/{kind}/")
        and "logits" not in key
        and "stats" not in key
        and "block0_temporal_in" not in key
        for key in full.arrays
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEMPORAL)
def test_loss_and_gradient_of_each_parameter_agree(kind):
    params, case = params_of(kind), series_rules.read_compact().numbers["mt3"]["variants"][kind]
    images, days = jnp.asarray(series_rules.images("mt3", 8, 256)), jnp.asarray(series_rules.days("mt3", 8))
    labels = jnp.asarray(rules.blocks(rules.integers("mt3.labels", 4, (8, 16, 16)), 16), jnp.int32)
    network = SeriesTyrion(temporal=kind, remat=True)

    @jax.jit
    def loss_and_gradient(params):
        def loss(params):
            return segmentation_loss(network.apply({"params": params}, images, days)[0], labels)

        return jax.value_and_grad(loss, has_aux=True)(params)

    (loss, terms), gradient = loss_and_gradient(params)
    tolerance = LOSS if kind != "ltae" else 2 * LOSS  # the reference's positions are float32
    np.testing.assert_allclose(loss, case["loss_float64"], rtol=tolerance)
    for official, ours in TERMS.items():
        np.testing.assert_allclose(terms[ours], case["components_float64"][official], rtol=tolerance, err_msg=ours)
    named, _ = params_to_torch(jax.device_get(gradient), f"series_{kind}")
    norms = {name: float(np.linalg.norm(array.astype(np.float64))) for name, array in named.items()}
    assert norms.keys() == case["gradients"].keys()
    total = case["global_grad_norm_float64"]
    np.testing.assert_allclose(np.sqrt(sum(norm**2 for norm in norms.values())), total, rtol=1e-4)
    for name, norm in norms.items():
        if name in case["gradients_that_are_zero"]:
            assert norm < 1e-5 * total, name
            continue
        relative = ATTENTION_GRADIENT_NORM if name.endswith("resweight") else GRADIENT_NORM
        expected = case["gradients"][name]["norm_float64"]
        np.testing.assert_allclose(norm, expected, rtol=relative, atol=1e-6 * total, err_msg=name)
