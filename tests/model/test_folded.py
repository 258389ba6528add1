"""Upsampling, 3 x 3 and 1 x 1 convolution folded into one equal the three steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glacierjax.model.convolution import same_size_conv
from glacierjax.model.decoder import upsample_nearest
from glacierjax.model.folded import doubled


def one_after_the_other(x, up, head):
    between = same_size_conv(upsample_nearest(x), up[0]) + up[1][None, None, None]
    return same_size_conv(between, head[0]) + head[1][None, None, None]


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


@pytest.mark.parametrize("side", [8, 64])
def test_no_map_of_full_size_has_more_channels_than_the_head(side):
    x, up, head = inputs(side, side, channels=16, between=16)
    lowered = jax.jit(doubled).lower(x, up, head).as_text()
    assert f"{2 * side}x{2 * side}x2xf32" in lowered and f"{2 * side}x{2 * side}x16xf32" not in lowered
