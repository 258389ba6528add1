"""The pretraining tasks beyond the reference numbers: masks, baselines, and input that must not cause NaN."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model.pretraining import OptSimMIMNetwork, OptTranslatorNetwork
from glacierjax.tasks import OptSimMIM, OptTranslator, SimMIM
from glacierjax.tasks.losses import masked_l1
from glacierjax.tasks.masking import num_masked, random_mask, random_unit_mask
from glacierjax.tasks.optsimmim import patchify, unpatchify

# One stage: everything that could make a NaN is there, and it compiles fast.
FIELDS = {"embed_dim": 8, "depths": (1,), "num_heads": (1,), "window_size": 4, "mlp_ratio": 1, "num_groups": 4}
TASKS = {
    "optsimmim": OptSimMIM(OptSimMIMNetwork(**FIELDS)),
    "simmim": SimMIM(OptSimMIMNetwork(**FIELDS, bands=1)),
    "opttranslator": OptTranslator(OptTranslatorNetwork(**FIELDS)),
}


@pytest.fixture(scope="module", params=TASKS)
def prepared(request):
    """A task, its parameters, and loss with gradient, compiled once."""
    task = TASKS[request.param]
    params = jax.jit(task.init)(jax.random.key(0), batch())
    step = jax.jit(jax.value_and_grad(lambda p, b: task.loss(p, b, jax.random.key(1), True)[0]))
    return task, params, step


def batch(size=16):
    rng = np.random.default_rng(0)
    sar, optical = (rng.random((2, size, size, bands), np.float32) for bands in (1, 14))
    return {"sar": jnp.asarray(sar), "optical": jnp.asarray(optical)}


def all_finite(tree) -> bool:
    return all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(tree))


def test_all_zero_crops_and_nan_bands_give_finite_losses_and_gradients(prepared):
    _, params, step = prepared
    zero = jax.tree.map(jnp.zeros_like, batch())
    for spoiled in (
        zero,
        {**batch(), "optical": batch()["optical"].at[..., 4].set(jnp.nan)},
        {**zero, "optical": zero["optical"] + jnp.nan},
    ):
        assert all_finite(step(params, spoiled))


def test_windows_of_masked_patches_alone_do_not_make_the_gradient_explode(prepared):
    """Their tokens are zero vectors in every block."""
    task, *_ = prepared
    if isinstance(task, OptTranslator):
        pytest.skip("this technique masks nothing")
    mask = jnp.ones((2, 4, 4), bool).at[:, 0, 0].set(False)
    deep = dataclasses.replace(task, model=task.model.clone(depths=(4,), window_size=2, zero_init_norms=False))
    params = jax.jit(deep.init)(jax.random.key(0), batch())
    gradient = jax.jit(jax.grad(lambda p: deep.loss(p, {**batch(), "mask": mask}, jax.random.key(1), True)[0]))(params)
    norm = np.sqrt(sum(float((leaf.astype(jnp.float32) ** 2).sum()) for leaf in jax.tree.leaves(gradient)))
    assert 0 < norm < 100


def test_a_batch_without_any_masked_patch_has_no_loss():
    predicted, target = jnp.ones((1, 2, 2, 3)), jnp.zeros((1, 2, 2, 3))
    assert masked_l1(predicted, target, jnp.zeros((1, 2, 2), bool)) == 0


def test_what_the_target_does_not_know_does_not_count():
    target = jnp.array([[[[1.0, jnp.nan], [5.0, 2.0]]]])
    mask = jnp.array([[[True, False]]])
    assert masked_l1(jnp.zeros_like(target), target, mask) == 1


def test_simmim_looks_at_no_optical_image(prepared):
    task, params, step = prepared
    if not isinstance(task, SimMIM):
        pytest.skip("a task with optical images")
    alone = {"sar": batch()["sar"]}
    assert step(params, alone)[0] == step(params, batch())[0] > 0


def test_reconstruction_is_what_the_loss_is_about(prepared):
    task, params, _ = prepared
    rng = jax.random.key(5)
    shown_loss, predicted, mask = task.reconstruct(params, batch(), rng)
    target = task.target(batch())
    assert predicted.shape == target.shape and mask.shape == target.shape[:3]
    counted = jnp.ones_like(mask) if isinstance(task, OptTranslator) else mask
    assert task.loss(params, batch(), rng, False)[0] == shown_loss
    np.testing.assert_allclose(shown_loss, jnp.abs(predicted - target)[counted].mean(), rtol=1e-5)


def test_patches_put_together_again_are_the_image():
    images = batch()["optical"]
    np.testing.assert_array_equal(unpatchify(patchify(images)), images)


def test_masks_of_single_tokens_are_the_published_ones():
    key = jax.random.key(3)
    np.testing.assert_array_equal(random_unit_mask(key, 2, 16, 16, 0.3, 1), random_mask(key, 2, 16, 16, 0.3))


@pytest.mark.parametrize(("height", "width"), [(16, 16), (12, 20)])
def test_larger_units_are_masked_as_a_whole_in_about_the_same_share(height, width):
    mask = np.asarray(random_unit_mask(jax.random.key(0), 3, height, width, 0.5, 8))
    assert mask.shape == (3, height, width)
    for image in mask:
        corners = image[::8, ::8]
        np.testing.assert_array_equal(image, corners.repeat(8, 0).repeat(8, 1)[:height, :width])
        assert corners.sum() == num_masked(corners.size, 0.5) and not corners[0, 0]


def test_the_unit_of_a_task_is_in_pixels():
    task = dataclasses.replace(TASKS["optsimmim"], mask_unit_px=8)
    drawn = task._mask(batch(), jax.random.key(0))
    assert (np.asarray(drawn)[:, ::2, ::2].repeat(2, 1).repeat(2, 2) == drawn).all()
