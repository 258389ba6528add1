"""Upsampling, 3 x 3 and 1 x 1 convolution folded into one equal the two or three steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glacierjax.model.folded import Doubling, doubled


def one_after_the_other(x, up, head=None):
    for kernel, bias in (up,) if head is None else (up, head):
        x = x.repeat(2, 1).repeat(2, 2) if kernel is up[0] else x
        x = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = x + bias[None, None, None]
    return x


def inputs(height=5, width=7, channels=3, between=4, outputs=2):
    rng = np.random.default_rng([height, width, channels, between, outputs])

    def normal(*shape):
        return jnp.asarray(rng.normal(size=shape), jnp.float32)

    up = normal(3, 3, channels, between), normal(between)
    return normal(2, height, width, channels), up, (normal(1, 1, between, outputs), normal(outputs))


@settings(max_examples=12, deadline=None)
@given(*[st.integers(1, 6)] * 5)
def test_one_convolution_gives_what_three_steps_give_up_to_the_border(height, width, channels, between, outputs):
    case = inputs(height, width, channels, between, outputs)
    expected = one_after_the_other(*case)
    assert expected.shape == (2, 2 * height, 2 * width, outputs)
    np.testing.assert_allclose(doubled(*case), expected, rtol=0, atol=1e-4)


@settings(max_examples=8, deadline=None)
@given(*[st.integers(1, 6)] * 4)
def test_without_a_head_one_convolution_gives_what_two_steps_give(height, width, channels, between):
    x, up, _ = inputs(height, width, channels, between)
    np.testing.assert_allclose(doubled(x, up), one_after_the_other(x, up), rtol=0, atol=1e-4)


def test_gradients_of_image_and_all_parameters_are_the_same():
    weights = jnp.asarray(np.random.default_rng(9).normal(size=(2, 10, 14, 2)), jnp.float32)
    ours, expected = (
        jax.jit(jax.grad(lambda case, f=f: (f(*case) * weights).sum()))(inputs())
        for f in (doubled, one_after_the_other)
    )
    for own, other in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-3)


def test_half_precision_maps_give_single_precision_outputs():
    x, up, head = inputs()
    assert doubled(x.astype(jnp.bfloat16), up, head).dtype == jnp.float32


def test_a_layer_of_half_precision_gives_half_precision():
    x, up, _ = inputs(between=3)
    found = Doubling(jnp.bfloat16).apply({"params": {"kernel": up[0], "bias": up[1]}}, x)
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(found.astype(jnp.float32), one_after_the_other(x, up), rtol=0.02, atol=0.2)


@pytest.mark.parametrize("side", [8, 64])
def test_no_map_of_full_size_has_more_channels_than_the_head(side):
    x, up, head = inputs(side, side, channels=16, between=16)
    lowered = jax.jit(doubled).lower(x, up, head).as_text()
    assert f"{2 * side}x{2 * side}x2xf32" in lowered and f"{2 * side}x{2 * side}x16xf32" not in lowered
