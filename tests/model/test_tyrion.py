"""What the network promises beyond the reference numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model import Tyrion, preset
from glacierjax.model.swin_v2 import SwinBlock
from glacierjax.tasks import Segmentation

TINY = preset("tiny")


def start(network, height=32, width=32, seed=0):
    """Parameters, and images in [0, 1]."""
    images = jax.random.uniform(jax.random.key(seed), (1, height, width, 1))
    return jax.jit(network.init)(jax.random.key(1), images)["params"], images


@pytest.fixture(scope="module")
def official_start():
    """A tiny network whose blocks act from the start, jitted."""
    network = Tyrion(**TINY, zero_init_norms=False)
    params, _ = start(network)
    return params, jax.jit(lambda params, images: network.apply({"params": params}, images))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (96, 64), (160, 224)])
def test_any_multiple_of_32_is_accepted(official_start, height, width):
    params, apply = official_start
    logits = apply(params, jnp.full((2, height, width, 1), 0.5))
    assert logits.shape == (2, height, width, 4) and logits.dtype == jnp.float32
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("shape", [(1, 48, 64, 1), (1, 64, 100, 1), (1, 64, 64, 2), (64, 64, 1)])
def test_other_sizes_are_refused_with_the_multiple_named(shape):
    with pytest.raises(ValueError, match="multiples of 32"):
        Tyrion(**TINY).init(jax.random.key(0), jnp.zeros(shape))


def test_one_channel_means_three_equal_ones(official_start):
    params, apply = official_start
    images = jax.random.uniform(jax.random.key(0), (1, 32, 64, 1))
    np.testing.assert_array_equal(apply(params, images), apply(params, images.repeat(3, axis=-1)))


def test_images_of_a_batch_do_not_influence_each_other(official_start):
    params, apply = official_start
    images = jax.random.uniform(jax.random.key(0), (2, 96, 96, 1))
    together, alone = apply(params, images), apply(params, images[1:])
    np.testing.assert_allclose(together[1:], alone, atol=1e-5)


def test_dropout_acts_in_training_only():
    network = Tyrion(**TINY)
    params, images = start(network)

    @jax.jit
    def train(key):
        return network.apply({"params": params}, images, True, rngs={"dropout": key})

    once, again, other = train(jax.random.key(0)), train(jax.random.key(0)), train(jax.random.key(1))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
    # Without `train` no generator is asked for, so there is nothing random.
    assert (jax.jit(network.apply)({"params": params}, images) != once).any()


def test_half_precision_keeps_float32_parameters_and_logits():
    network = Tyrion(**TINY, dtype=jnp.bfloat16, zero_init_norms=False)
    params, images = start(network)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {jnp.dtype("float32")}
    coarse = jax.jit(network.apply)({"params": params}, images)
    fine = jax.jit(Tyrion(**TINY).apply)({"params": params}, images)
    assert coarse.dtype == jnp.float32
    np.testing.assert_allclose(coarse, fine, atol=0.05 * np.abs(fine).max())
    assert (coarse != fine).any()


def test_recomputation_changes_neither_names_nor_gradients():
    def gradient(remat):
        task = Segmentation(Tyrion(**TINY, remat=remat, zero_init_norms=False))
        batch = {"image": start(task.model)[1], "zones": jnp.ones((1, 32, 32), jnp.int32)}
        params = start(task.model)[0]
        return jax.jit(jax.grad(lambda p: task.loss(p, batch, jax.random.key(3), True)[0]))(params)

    plain, recomputed = gradient(False), gradient(True)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), plain, recomputed)


def test_recomputation_keeps_less_for_the_backward_pass():
    def kept_bytes(remat):
        network = Tyrion(**TINY, remat=remat)
        images = jnp.zeros((1, 64, 64, 1))
        params = jax.eval_shape(network.init, jax.random.key(0), images)["params"]
        residuals = jax.eval_shape(lambda p: jax.vjp(lambda q: network.apply({"params": q}, images), p)[1], params)
        return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(residuals))

    assert kept_bytes(True) < kept_bytes(False) / 2


@pytest.mark.parametrize("shifted", [False, True])
def test_block_starts_as_the_identity(shifted):
    block = SwinBlock(2, 4, shifted, mlp_ratio=2, zero_init_norms=True)
    x = jax.random.normal(jax.random.key(0), (1, 8, 12, 16))
    np.testing.assert_array_equal(block.init_with_output(jax.random.key(1), x)[0], x)
    official = SwinBlock(2, 4, shifted, mlp_ratio=2, zero_init_norms=False)
    assert (official.init_with_output(jax.random.key(1), x)[0] != x).any()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_gradient_is_finite_for_a_constant_image(value):
    task = Segmentation(Tyrion(**TINY, zero_init_norms=False))
    params, _ = start(task.model)
    batch = {"image": jnp.full((1, 32, 32, 1), value), "zones": jnp.zeros((1, 32, 32), jnp.int32)}
    gradient = jax.jit(jax.grad(lambda p: task.loss(p, batch, jax.random.key(0), False)[0]))(params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
