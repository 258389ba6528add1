"""What TPUs compute in another way than CPUs gives the same numbers; no TPU is needed for that."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.core.settings import PRESETS
from glacierjax.model import Tyrion, build, window_softmax
from glacierjax.model.attention import WindowAttention, heads_apart, heads_together
from glacierjax.model.folded import doubled


@pytest.fixture
def tpu_branches(monkeypatch):
    """Takes the branches for TPUs from here on; returns how many were taken so far."""
    taken = []

    def as_tpus_do(*arguments, default, tpu=None, **_):
        taken.extend([tpu] if tpu else [])
        return (tpu or default)(*arguments)

    def begin():
        monkeypatch.setattr(jax.lax, "platform_dependent", as_tpus_do)
        return taken

    return begin


def noise(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def value_and_gradients(f, *inputs):
    """By new functions, so that nothing compiled for the other branch is taken."""
    weights = noise(*jax.eval_shape(f, *inputs).shape, seed=1)
    return jax.jit(lambda *x: (f(*x), jax.grad(lambda *x: (f(*x) * weights).sum(), tuple(range(len(x))))(*x)))(*inputs)


def same(own, expected, **tolerance):
    for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


@pytest.mark.parametrize("outputs", [1, 4])
def test_doubling(tpu_branches, outputs):
    inputs = noise(2, 5, 7, 3), (noise(3, 3, 3, 4, seed=2), noise(4, seed=3)), (noise(1, 1, 4, outputs), noise(outputs))
    expected = value_and_gradients(lambda *x: doubled(*x), *inputs)
    taken = tpu_branches()
    same(value_and_gradients(lambda *x: doubled(*x), *inputs), expected, rtol=0, atol=1e-3)
    assert len(taken) > 0


def test_heads_are_taken_apart_and_put_together(tpu_branches):
    qkv = noise(4, 6, 3 * 10)
    expected = heads_apart(qkv, 2)
    together = heads_together(expected[0])
    taken = tpu_branches()
    same(heads_apart(qkv, 2), expected, rtol=0, atol=0)
    same(heads_together(expected[0]), together, rtol=0, atol=0)
    assert len(taken) == 2


@pytest.mark.parametrize("windows_at_once", [1, 2, 100])
def test_attention_in_shifted_and_padded_windows(tpu_branches, monkeypatch, windows_at_once):
    x = noise(2, 7, 10, 8)
    attention = WindowAttention(num_heads=2, window_size=4, shifted=True)
    params = attention.init(jax.random.key(0), x)
    expected = value_and_gradients(lambda params, x: attention.apply(params, x), params, x)
    taken = tpu_branches()
    monkeypatch.setattr(window_softmax, "LOGITS_AT_ONCE_ON_TPUS", windows_at_once * 2 * 16**2)
    same(value_and_gradients(lambda params, x: attention.apply(params, x), params, x), expected, rtol=1e-4, atol=1e-4)
    assert len(taken) > 3


@pytest.mark.slow  # its parts are compared above
def test_the_whole_network(tpu_branches):
    images = noise(1, 64, 64, 1)
    network = build(PRESETS["tiny"], Tyrion)
    params = network.init(jax.random.key(0), images)
    expected = jax.jit(lambda params: network.apply(params, images))(params)
    tpu_branches()
    same(jax.jit(lambda params: network.apply(params, images))(params), expected, rtol=0, atol=1e-4)
