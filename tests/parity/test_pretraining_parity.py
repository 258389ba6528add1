"""Both pretraining tasks against the official implementation, at the paper's size."""

import golden_rules as rules
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from glacierjax.checkpoints import params_from_torch
from glacierjax.tasks import OptSimMIM, OptTranslator
from glacierjax.tasks.masking import num_masked
from glacierjax.tasks.optsimmim import patchify

LOSS = 1e-5  # relative
golden = rules.compact()
arrays = rules.compact_arrays()


def first_step(task, case, model):
    """(loss, gradient, loss after one SGD step) on the golden batch and weights."""
    params, report = params_from_torch(rules.state_dict(model), model)
    assert not report.missing and not report.unknown
    batch = jax.tree.map(jnp.asarray, rules.pretraining_batch(case))

    @jax.jit
    def loss_and_gradient(params):
        return jax.value_and_grad(lambda p: task.loss(p, batch, jax.random.key(0), train=False)[0])(params)

    loss, gradient = loss_and_gradient(params)
    settings = golden[f"case{case}"]["sgd"]
    optimizer = optax.chain(
        optax.add_decayed_weights(settings["weight_decay"]), optax.sgd(settings["lr"], momentum=settings["momentum"])
    )
    # A parameter without gradient is no parameter of the official optimiser: nothing decays there either.
    updates, _ = optimizer.update(gradient, optimizer.init(params), params)
    updates = {key: jnp.zeros_like(u) if key == "mask_token" else u for key, u in updates.items()}
    after, _ = loss_and_gradient(optax.apply_updates(params, updates))
    return float(loss), jax.device_get(gradient), float(after)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "task", "model"), [(4, OptSimMIM(), "optsimmim"), (5, OptTranslator(), "opttranslator")]
)
def test_loss_gradient_and_a_step_agree(case, task, model):
    loss, gradient, after = first_step(task, case, model)
    expected = golden[f"case{case}"]
    np.testing.assert_allclose(loss, expected["loss"], rtol=LOSS)
    rules.assert_gradient_norms_agree(gradient, expected, model)
    np.testing.assert_allclose(after, expected["loss_after_1_sgd_step"], rtol=LOSS)
    if "mask_token" in gradient:
        assert not gradient["mask_token"].any()


@pytest.mark.slow
def test_translated_bands_agree():
    params, _ = params_from_torch(rules.state_dict("opttranslator"), "opttranslator")
    batch = jax.tree.map(jnp.asarray, rules.pretraining_batch(5))
    bands = jax.jit(OptTranslator().model.apply)({"params": params}, batch["sar"])
    ours, expected = np.asarray(bands).transpose(0, 3, 1, 2)[:, :, ::32, ::32], arrays["case5_output"]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_patches_are_cut_in_the_official_order():
    probe = np.arange(2 * 3 * 8 * 8, dtype=np.float32).reshape(2, 3, 8, 8).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(patchify(jnp.asarray(probe)).reshape(2, 4, 48), arrays["case4_patchify_probe"])


def test_as_many_tokens_are_masked_as_officially():
    masks = np.unpackbits(arrays["case4_mask"]).reshape(2, 128 * 128)
    assert list(masks.sum(1)) == [num_masked(128 * 128, 0.3)] * 2
    assert not masks[:, 0].any()
