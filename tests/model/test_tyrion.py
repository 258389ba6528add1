"""Properties of the network beyond the reference numbers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model import Tyrion, preset
from glacierjax.model.swin_v2 import SwinBlock
from glacierjax.tasks import Segmentation

# Two stages compile quickly and have all parts: shifted blocks, merging, blocks with and without skip.
SIZES = {
    "embed_dim": 8,
    "depths": (2, 1),
    "num_heads": (1, 2),
    "window_size": 4,
    "mlp_ratio": 2,
    "num_groups": 4,
    "zero_init_norms": False,  # so that the blocks act from the start
}
IMAGES = jnp.asarray(np.random.default_rng(0).random((1, 48, 40, 1), np.float32))
BATCH = {"image": IMAGES, "zones": jnp.ones(IMAGES.shape[:3], jnp.int32)}


@pytest.fixture(scope="module")
def params():
    return jax.jit(Tyrion(**SIZES).init)(jax.random.key(1), IMAGES)["params"]


@pytest.fixture(scope="module")
def apply(params):
    return jax.jit(lambda images: Tyrion(**SIZES).apply({"params": params}, images))


@functools.cache
def gradient(**fields):
    """The gradient of the loss by parameters and image, in training; compiled once."""
    task = Segmentation(Tyrion(**SIZES, **fields))
    return jax.jit(jax.grad(lambda p, image: task.loss(p, {**BATCH, "image": image}, jax.random.key(3), True)[0]))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (96, 64), (160, 224), (512, 512)])
def test_any_multiple_of_32_is_accepted(height, width):
    images = jax.ShapeDtypeStruct((2, height, width, 1), jnp.float32)
    logits, _ = jax.eval_shape(Tyrion(**preset("tiny")).init_with_output, jax.random.key(0), images)
    assert logits.shape == (2, height, width, 4) and logits.dtype == jnp.float32


@pytest.mark.parametrize("shape", [(1, 48, 64, 1), (1, 64, 100, 1), (1, 64, 64, 2)])
def test_other_sizes_are_refused_with_the_multiple_named(shape):
    with pytest.raises(ValueError, match="multiples of 32"):
        Tyrion(**preset("tiny")).init(jax.random.key(0), jnp.zeros(shape))


def test_one_channel_means_three_equal_ones(apply):
    np.testing.assert_array_equal(apply(IMAGES), apply(IMAGES.repeat(3, axis=-1)))


def test_images_of_a_batch_do_not_influence_each_other(apply):
    alone = apply(IMAGES)
    together = apply(jnp.concatenate([1 - IMAGES, IMAGES]))
    np.testing.assert_allclose(together[1:], alone, atol=1e-5)


def test_dropout_acts_in_training_only(params, apply):
    @jax.jit
    def train(key):
        return Tyrion(**SIZES).apply({"params": params}, IMAGES, True, rngs={"dropout": key})

    once, again, other = train(jax.random.key(0)), train(jax.random.key(0)), train(jax.random.key(1))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
    # Without `train` no generator is asked for, so there is nothing random.
    assert (apply(IMAGES) != once).any()


def test_half_precision_keeps_float32_parameters_and_logits(params, apply):
    network = Tyrion(**SIZES, dtype=jnp.bfloat16)
    shapes = jax.eval_shape(network.init, jax.random.key(0), IMAGES)["params"]
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    coarse, fine = jax.jit(network.apply)({"params": params}, IMAGES), apply(IMAGES)
    assert coarse.dtype == jnp.float32
    np.testing.assert_allclose(coarse, fine, atol=0.05 * np.abs(fine).max())
    assert (coarse != fine).any()


@pytest.mark.slow  # compiles two gradients
def test_recomputation_changes_neither_names_nor_gradients(params):
    plain, recomputed = gradient()(params, IMAGES), gradient(remat=True)(params, IMAGES)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), plain, recomputed)


def test_recomputation_keeps_less_for_the_backward_pass(params):
    def kept_bytes(remat):
        network = Tyrion(**SIZES, remat=remat)
        residuals = jax.eval_shape(lambda p: jax.vjp(lambda q: network.apply({"params": q}, IMAGES), p)[1], params)
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
def test_gradient_is_finite_for_a_constant_image(params, value):
    constant = gradient()(params, jnp.full_like(IMAGES, value))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(constant))
