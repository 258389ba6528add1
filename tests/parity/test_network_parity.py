"""The network and its losses against the official implementation, at the paper's size (512 x 512, float32)."""

import golden_rules as rules
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from glacierjax.checkpoints import params_from_torch, params_to_torch
from glacierjax.model import Tyrion
from glacierjax.model.decoder import Decoder
from glacierjax.model.folded import doubled
from glacierjax.model.swin_v2 import PatchEmbedding, PatchMerging, SwinBlock, SwinEncoder
from glacierjax.tasks import Segmentation
from glacierjax.tasks.losses import segmentation_loss

LOGITS = 1e-4  # of the largest logit: ten times what float32 loses against float64, summed in another order
LOSS = 1e-5  # relative
OFFICIAL_TERMS = {
    "ce_img": "ce_target",
    "ce_context": "ce_context",
    "dice_img": "dice_target",
    "dice_context": "dice_context",
}

golden = rules.compact()
arrays = rules.compact_arrays()


@pytest.fixture(scope="module")
def params():
    tree, report = params_from_torch(rules.state_dict("tyrion"), "tyrion")
    assert not report.missing and not report.unknown
    return tree


@pytest.fixture(scope="module")
def forward(params):
    """Logits and the intermediate maps of case 1, (B, H, W, C) each."""
    kinds = (PatchEmbedding, PatchMerging, SwinBlock, SwinEncoder, Decoder)

    def wanted(module, _):
        decoder_part = module.name is not None and module.name.startswith(("up", "block0", "block5"))
        return isinstance(module, kinds) or decoder_part

    @jax.jit
    def run(images):
        return Tyrion().apply({"params": params}, images, capture_intermediates=wanted, mutable=["intermediates"])

    logits, state = run(rules.images("case1.input", (2, 1, 512, 512)))
    encoder, decoder = state["intermediates"]["encoder"], state["intermediates"]["decoder"]
    maps = {f"stage{i}": skip for i, skip in enumerate(encoder["__call__"][0])}
    maps["patch_embed"] = encoder["patch_embedding"]["__call__"][0]
    maps["decoder0"] = decoder["block0"]["__call__"][0]
    maps |= {f"decoder{i}": decoder[f"up{i}"]["__call__"][0] for i in range(1, 5)}
    # The last map has the head folded in: with the identity as head it is the map alone.
    up, width = params["decoder"]["up5"], params["head"]["kernel"].shape[2]
    alone = jnp.eye(width)[None, None], jnp.zeros(width)
    maps["decoder5"] = doubled(
        decoder["block5"]["__call__"][0], (jnp.asarray(up["kernel"]), jnp.asarray(up["bias"])), alone
    )
    for name, part in encoder.items():
        if name.endswith("_merging"):
            maps[f"{name.removesuffix('_merging')}_after_merge"] = part["__call__"][0]
        elif "_block" in name:
            maps[name.replace("stage", "block").replace("_block", "_", 1)] = part["__call__"][0]
    return np.asarray(logits), {name: np.asarray(part) for name, part in maps.items()}


def channel_stats(x):
    """Mean, deviation and largest absolute value of each channel of (B, H, W, C)."""
    axes = tuple(range(x.ndim - 1))
    return np.stack([x.mean(axes, dtype=np.float64), x.std(axes, dtype=np.float64), np.abs(x).max(axes)])


def test_parameter_count_is_the_official_one_without_its_unused_tensors(params):
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    assert count == golden["case1"]["parameter_count_without_never_used"] == 50_033_614


def test_logits_agree(forward):
    logits = forward[0].transpose(0, 3, 1, 2)[:, :, ::16, ::16]
    expected = arrays["case1_logits"]
    np.testing.assert_allclose(logits, expected, rtol=0, atol=LOGITS * np.abs(expected).max())
    np.testing.assert_allclose(channel_stats(forward[0]), arrays["case1_logits_stats"], rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", [*(f"stage{i}" for i in range(4)), *(f"decoder{i}" for i in range(6))])
def test_intermediate_map_agrees(forward, name):
    expected = arrays[f"case1_{name}_stats"]
    np.testing.assert_allclose(channel_stats(forward[1][name]), expected, rtol=0, atol=LOGITS * np.abs(expected).max())


@pytest.mark.skipif(not rules.FULL.is_dir(), reason="the full set of reference numbers is not beside this clone")
def test_every_map_of_the_full_set_agrees(forward):
    with np.load(rules.FULL / "case1_forward.npz") as file:
        full = dict(file)
    logits = forward[0].transpose(0, 3, 1, 2)
    corner, end = logits[:, :, :12, :12], logits[:, :, -12:, -12:]
    for name, ours in {"logits": logits[:, :, ::8, ::8], "logits_corner": corner, "logits_end": end}.items():
        np.testing.assert_allclose(ours, full[name], rtol=0, atol=LOGITS * np.abs(full["logits"]).max(), err_msg=name)
    for name, x in forward[1].items():
        step, channel_step = x.shape[1] // 16, max(1, x.shape[3] // 24)
        ours = x[:, ::step, ::step, ::channel_step]
        if name.startswith("block"):
            ours = ours[:1, ::4, ::4]
        expected = full[name + "_skip" if name.startswith("stage") and "merge" not in name else name]
        np.testing.assert_allclose(ours, expected, rtol=0, atol=LOGITS * np.abs(expected).max(), err_msg=name)


@pytest.fixture(scope="module", params="abc")
def loss_case(request):
    """Logits and labels of case 2, with the official numbers."""
    case = request.param
    logits = rules.gen(f"case2{case}.logits").standard_normal((2, 4, 512, 512)).astype(np.float32) * np.float32(2)
    if case == "c":
        labels = rules.blocks(rules.integers("case2c.labels", 4, (2, 32, 32)), 16)
        labels[:, 128:384, 128:384] = golden["case2"]["centre_class_in_c"]
    else:
        labels = rules.integers(f"case2{case}.labels", 4, (2, 512, 512))
    if case == "b":
        absent, other = golden["case2"]["absent_class_replaced_in_b"]
        labels[labels == absent] = other
    value_and_grad = jax.value_and_grad(segmentation_loss, has_aux=True)
    (loss, terms), gradient = value_and_grad(jnp.asarray(logits.transpose(0, 2, 3, 1)), jnp.asarray(labels, jnp.int32))
    return loss, terms, np.asarray(gradient), golden["case2"][case], arrays[f"case2_grad_{case}"]


def test_loss_and_its_terms_agree(loss_case):
    loss, terms, _, expected, _ = loss_case
    np.testing.assert_allclose(loss, expected["loss"], rtol=LOSS)
    for official, ours in OFFICIAL_TERMS.items():
        np.testing.assert_allclose(terms[ours], expected["components"][official], rtol=LOSS, err_msg=ours)


def test_loss_gradient_agrees(loss_case):
    *_, gradient, expected, expected_gradient = loss_case
    np.testing.assert_allclose(np.linalg.norm(gradient), expected["grad_norm"], rtol=1e-4)
    ours = gradient.transpose(0, 3, 1, 2)[:, :, ::32, ::32]
    np.testing.assert_allclose(ours, expected_gradient, rtol=0, atol=1e-4 * np.abs(expected_gradient).max())


@pytest.fixture(scope="module")
def two_steps(params):
    """Case 3: losses before step 1, before step 2 and after both, the first gradient, and the parameters at the end."""
    task, batch = Segmentation(), jax.tree.map(jnp.asarray, rules.finetuning_batch())
    optimizer = optax.chain(optax.add_decayed_weights(1e-4), optax.sgd(1e-4, momentum=0.9))

    @jax.jit
    def loss_and_gradient(params):
        return jax.value_and_grad(lambda p: task.loss(p, batch, jax.random.key(0), train=False)[0])(params)

    state, trained, losses, first = optimizer.init(params), params, [], None
    for _ in range(2):
        loss, gradient = loss_and_gradient(trained)
        losses.append(float(loss))
        first = first or jax.device_get(gradient)
        updates, state = optimizer.update(gradient, state, trained)
        trained = optax.apply_updates(trained, updates)
    losses.append(float(loss_and_gradient(trained)[0]))
    return losses, first, jax.device_get(trained)


def test_gradient_of_each_parameter_agrees(two_steps):
    rules.assert_gradient_norms_agree(two_steps[1], golden["case3"], "tyrion")


def test_two_optimiser_steps_agree(two_steps, params):
    losses, _, trained = two_steps
    expected = golden["case3"]
    np.testing.assert_allclose(losses, [*expected["loss_before_step"], expected["loss_after_2_steps"]], rtol=LOSS)
    before, after = (params_to_torch(tree, "tyrion")[0] for tree in (params, trained))
    for name, array in after.items():
        norm, change = expected["after_2_steps"][name]
        ours = array.astype(np.float64)
        np.testing.assert_allclose(np.linalg.norm(ours), norm, rtol=1e-6, err_msg=name)
        rounding = 1e-7 * norm  # of the float32 numbers that the change is the difference of
        np.testing.assert_allclose(np.linalg.norm(ours - before[name]), change, rtol=1e-3, atol=rounding, err_msg=name)


@pytest.mark.parametrize("unit", golden["case3"]["sgd_units"], ids=lambda unit: f"decay={unit['weight_decay']}")
def test_optimiser_alone_agrees(unit):
    decay, momentum = optax.add_decayed_weights(unit["weight_decay"]), optax.sgd(unit["lr"], momentum=unit["momentum"])
    optimizer = optax.chain(decay, momentum)
    weights = jnp.asarray(unit["initial"], jnp.float32)
    state = optimizer.init(weights)
    for gradient, expected in zip(unit["gradients"], unit["after_each_step"], strict=True):
        updates, state = optimizer.update(jnp.asarray(gradient, jnp.float32), state, weights)
        weights = optax.apply_updates(weights, updates)
        np.testing.assert_allclose(weights, expected, rtol=1e-6, atol=1e-7)
