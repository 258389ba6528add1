"""Norms, linear layers and GELU: values, gradients and parameters equal Flax's; exact where the mean is large."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from glacierjax.model.layers import GroupNormSwish, LayerNorm, Linear, gelu, largest_divisor, summed

LAYERS = {
    "linear": (Linear(5), nn.Dense(5)),
    "linear without bias": (Linear(5, use_bias=False), nn.Dense(5, use_bias=False)),
    "layer norm": (LayerNorm(1e-5), nn.LayerNorm(1e-5, use_fast_variance=False)),
    "group norm and swish": (
        GroupNormSwish(3, 1e-6),
        nn.GroupNorm(3, epsilon=1e-6, use_fast_variance=False),
    ),
}


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def value_and_gradients(name, module, params, x, weights):
    def value(params, x):
        y = module.apply({"params": params}, x)
        return nn.swish(y) if name == "group norm and swish" and isinstance(module, nn.GroupNorm) else y

    gradients = jax.grad(lambda params, x: (value(params, x).astype(jnp.float32) * weights).sum(), (0, 1))
    return jax.jit(lambda params, x: (value(params, x), *gradients(params, x)))(params, x)


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=6, deadline=None)
@given(shape=st.lists(st.integers(1, 5), min_size=2, max_size=4), seed=st.integers(0, 9))
def test_value_gradients_and_parameters_are_those_of_flax(name, shape, seed):
    ours, theirs = LAYERS[name]
    x = normal(*shape, 6, seed=seed)
    drawn, params = (module.init(jax.random.key(seed), x)["params"] for module in (ours, theirs))
    assert jax.tree.structure(drawn) == jax.tree.structure(params)
    for own, other in zip(jax.tree.leaves(drawn), jax.tree.leaves(params), strict=True):
        np.testing.assert_array_equal(own, other)
    params = jax.tree.map(lambda leaf: leaf + 0.3 * normal(*leaf.shape, seed=seed + 1), params)
    weights = normal(*theirs.apply({"params": params}, x).shape, seed=seed + 2)
    found, expected = (value_and_gradients(name, module, params, x, weights) for module in (ours, theirs))
    for own, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(own, other, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", ["layer norm", "group norm and swish"])
def test_norms_are_exact_where_the_mean_is_a_thousand_times_the_deviation(name):
    """The mean of squares minus the square of the mean would lose all digits."""
    module = LAYERS[name][0]
    x = normal(1, 8, 8, 6) + 1000
    y = module.apply(module.init(jax.random.key(0), x), x)
    exact = np.asarray(x, np.float64)
    groups = exact if name == "layer norm" else exact.reshape(1, 64, 3, 2).transpose(0, 2, 1, 3).reshape(1, 3, 128)
    expected = (groups - groups.mean(-1, keepdims=True)) / groups.std(-1, keepdims=True)
    if name != "layer norm":
        expected = expected.reshape(1, 3, 64, 2).transpose(0, 2, 1, 3).reshape(x.shape)
        expected = expected / (1 + np.exp(-expected))
    np.testing.assert_allclose(y, expected, rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", LAYERS)
def test_half_precision_keeps_its_type_and_the_parameters_gradients_are_float32(name):
    module = LAYERS[name][0]
    x = normal(2, 4, 4, 6).astype(jnp.bfloat16)
    if isinstance(module, Linear):
        module = Linear(5, module.use_bias, jnp.bfloat16)
    params = module.init(jax.random.key(0), x)["params"]
    assert module.apply({"params": params}, x).dtype == jnp.bfloat16

    def value(params, x):
        return module.apply({"params": params}, x).astype(jnp.float32).sum()

    to_params, to_x = jax.grad(value, (0, 1))(params, x)
    assert {leaf.dtype for leaf in jax.tree.leaves(to_params)} == {jnp.dtype("float32")}
    assert to_x.dtype == jnp.bfloat16


def test_gelu_is_exact():
    x = np.linspace(-9, 9, 2001)
    np.testing.assert_allclose(gelu(jnp.asarray(x, jnp.float32)), x * special.ndtr(x), rtol=2e-7, atol=1e-6)
    gradient = jax.grad(lambda x: gelu(x).sum())(jnp.asarray(x, jnp.float32))
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(gradient, special.ndtr(x) + x * density, rtol=0, atol=2e-6)
    assert gelu(jnp.ones(3, jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 4, 5, 3)])
def test_sums_are_those_of_all_axes_but_the_last(shape):
    x = normal(*shape)
    np.testing.assert_allclose(summed(x), x.reshape(-1, shape[-1]).sum(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("number", "most", "expected"), [(6, 4, 3), (6, 9, 6), (7, 6, 1), (1, 1, 1)])
def test_equal_parts_are_as_large_as_allowed(number, most, expected):
    assert largest_divisor(number, most) == expected


def test_layers_inside_a_vectorised_function_are_the_same():
    x = normal(4, 2, 5, 6)
    for module, _ in LAYERS.values():
        apply = functools.partial(module.apply, module.init(jax.random.key(0), x[0]))
        np.testing.assert_allclose(jax.vmap(apply)(x), jnp.stack([apply(part) for part in x]), rtol=1e-5, atol=1e-5)
