"""The written-out gradients of the convolution equal those of the definition, in and outside loops."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model.convolution import GRADIENT_BLOCK_PX, conv, convolve


def by_definition(x, kernel):
    """Products of shifted images, summed."""
    height, width = x.shape[1:3]
    half = kernel.shape[0] // 2
    padded = jnp.pad(x, ((0, 0), (half, half), (half, half), (0, 0)))
    return sum(
        padded[:, row : row + height, column : column + width] @ kernel[row, column]
        for row in range(kernel.shape[0])
        for column in range(kernel.shape[1])
    )


def same_size_conv(x, kernel):
    return convolve(x, kernel, (kernel.shape[0] // 2, kernel.shape[1] // 2))


def inputs(size=3):
    rng = np.random.default_rng(size)
    x, kernel = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(size, size, 3, 5))
    return jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)


def weighted(convolve):
    weights = jnp.asarray(np.random.default_rng(9).normal(size=(2, 7, 6, 5)), jnp.float32)
    return lambda x, kernel: (convolve(x, kernel) * weights).sum()


@pytest.mark.parametrize("size", [1, 3, 5])
def test_value_and_gradients_are_those_of_the_definition(size):
    x, kernel = inputs(size)
    np.testing.assert_allclose(same_size_conv(x, kernel), by_definition(x, kernel), rtol=0, atol=1e-4)
    ours, theirs = (jax.grad(weighted(f), (0, 1))(x, kernel) for f in (same_size_conv, by_definition))
    for own, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("shape", "zeros"), [((3, 1), (0, 0)), ((3, 1), (1, 0)), ((3, 3), (0, 1)), ((3, 3), (2, 2))])
def test_any_kernel_and_any_zeros_have_the_gradients_that_jax_derives(shape, zeros):
    rng = np.random.default_rng(0)
    x, kernel = (jnp.asarray(rng.normal(size=size), jnp.float32) for size in ((2, 7, 6, 3), (*shape, 3, 5)))

    def derived(x, kernel):
        padding = [(size, size) for size in zeros]
        return jax.lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    cotangent = jnp.asarray(rng.normal(size=derived(x, kernel).shape), jnp.float32)
    ours, theirs = (jax.vjp(f, x, kernel)[1](cotangent) for f in (lambda x, k: convolve(x, k, zeros), derived))
    for own, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", [(4, 7, 6), (6, 12, 15), (2, 37, 20), (1, 29, 40), (1, 2, 2 * GRADIENT_BLOCK_PX)])
def test_the_kernels_gradient_is_the_same_for_images_below_and_above_a_block(shape):
    rng = np.random.default_rng(0)
    x, kernel = (jnp.asarray(rng.normal(size=size), jnp.float32) for size in ((*shape, 3), (3, 3, 3, 5)))
    weights = jnp.asarray(rng.normal(size=(*shape, 5)), jnp.float32)
    ours, theirs = (
        jax.grad(lambda kernel, f=f: (f(x, kernel) * weights).sum())(kernel) for f in (same_size_conv, by_definition)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_a_reflecting_layer_mirrors_the_image_without_its_edge():
    x, kernel = inputs()
    layer = conv(3, 5, 3, padding="REFLECT", use_bias=False)
    mirrored = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
    expected = by_definition(mirrored, kernel)[:, 1:-1, 1:-1]
    np.testing.assert_allclose(layer.apply({"params": {"kernel": kernel}}, x), expected, rtol=0, atol=1e-4)


def test_gradients_inside_a_compiled_loop_are_the_same():
    x, kernel = inputs()
    gradient = jax.grad(weighted(same_size_conv), 1)
    looped = jax.jit(
        lambda x, kernel: jax.lax.fori_loop(0, 3, lambda i, sum: sum + gradient(x * i, kernel), kernel * 0)
    )
    np.testing.assert_allclose(looped(x, kernel), 3 * gradient(x, kernel), rtol=1e-4, atol=1e-4)


def test_half_precision_gradients_keep_their_types():
    x, kernel = (values.astype(jnp.bfloat16) for values in inputs())
    gradients = jax.grad(lambda x, kernel: same_size_conv(x, kernel).astype(jnp.float32).sum(), (0, 1))(x, kernel)
    assert [gradient.dtype for gradient in gradients] == [jnp.bfloat16] * 2


@pytest.mark.parametrize(
    ("size", "stride", "shape"), [(3, 1, (1, 8, 8, 4)), (1, 1, (1, 8, 8, 4)), (4, 4, (1, 2, 2, 4))]
)
def test_layers_start_within_the_bound_of_their_fan_in(size, stride, shape):
    layer, images = conv(2, 4, size, stride), jnp.ones((1, 8, 8, 2))
    params = layer.init(jax.random.key(0), images)["params"]
    assert layer.apply({"params": params}, images).shape == shape
    bound = 1 / np.sqrt(2 * size * size)
    assert all(0 < abs(values).max() <= bound for values in params.values())


@pytest.mark.parametrize("shape", [(3, 3, 7, 12), (1, 1, 16, 4), (4, 4, 3, 8), (3, 3, 96, 96)])
def test_kernels_start_with_the_numbers_of_flax(shape):
    """They are drawn as one row because that compiles faster; demo and seeds must not change by it."""
    expected = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
    layer = conv(shape[2], shape[3], shape[0])
    for run in (lambda draw: draw, jax.jit):
        key = jax.random.key(7)
        np.testing.assert_array_equal(
            run(lambda key: layer.kernel_init(key, shape))(key), run(lambda key: expected(key, shape))(key)
        )
