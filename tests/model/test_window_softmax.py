"""Attention and its gradients, for any number of windows at a time, equal the softmax as it is written in books."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model import window_softmax
from glacierjax.model.window_softmax import MASKED_REGION, PADDING, attended

WINDOWS, HEADS, TOKENS, CHANNELS = 6, 2, 8, 4


def inputs(scale=1.0):
    rng = np.random.default_rng(0)
    q, k, v = (jnp.asarray(scale * rng.normal(size=(WINDOWS, HEADS, TOKENS, CHANNELS)), jnp.float32) for _ in range(3))
    return q, k, v, jnp.asarray(rng.normal(size=(HEADS, TOKENS, TOKENS)), jnp.float32)


def regions():
    table = np.random.default_rng(1).integers(0, 3, (WINDOWS, TOKENS)).astype(np.int32)
    table[-1, 5:] = PADDING
    return jnp.asarray(table)


def by_definition(q, k, v, bias, regions):
    logits = jnp.einsum("nhqc,nhkc->nhqk", q, k) + bias[None]
    if regions is not None:
        logits += MASKED_REGION * (regions[:, None, :, None] != regions[:, None, None, :])
        logits = jnp.where((regions == PADDING)[:, None, None], -jnp.inf, logits)
    return jnp.einsum("nhqk,nhkc->nhqc", jax.nn.softmax(logits), v)


@pytest.mark.parametrize("windows_at_once", [1, 2, 4, 6])
@pytest.mark.parametrize("table", [None, regions()])
def test_value_and_gradients_are_those_of_the_definition(monkeypatch, table, windows_at_once):
    """Four do not divide six: three are taken at a time then."""
    monkeypatch.setattr(window_softmax, "LOGITS_AT_ONCE", windows_at_once * HEADS * TOKENS**2)
    weights = jnp.asarray(np.random.default_rng(2).normal(size=(WINDOWS, HEADS, TOKENS, CHANNELS)), jnp.float32)

    def run(f):
        gradients = jax.grad(lambda *x: (f(*x, table) * weights).sum(), (0, 1, 2, 3))
        return jax.jit(lambda *x: (f(*x, table), *gradients(*x)))(*inputs())

    for own, expected in zip(run(attended), run(by_definition), strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-5)


def test_padding_is_seen_by_nobody():
    q, k, v, bias = inputs()
    table = regions()
    hidden = (table == PADDING)[:, None, :, None]
    other = attended(q, jnp.where(hidden, 9.0, k), jnp.where(hidden, 1e6, v), bias, table)
    np.testing.assert_array_equal(other, attended(q, k, v, bias, table))


def test_large_logits_do_not_overflow():
    q, k, v, bias = inputs(scale=30)
    found = jax.grad(lambda *x: attended(*x, None).sum(), (0, 1, 2, 3))(q, k, v, bias)
    assert all(np.isfinite(leaf).all() for leaf in (attended(q, k, v, bias, None), *found))


def test_half_precision_keeps_its_types():
    q, k, v, bias = inputs()
    halves = [x.astype(jnp.bfloat16) for x in (q, k, v)]
    found = attended(*halves, bias, regions())
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(found.astype(jnp.float32), attended(q, k, v, bias, regions()), rtol=0, atol=0.05)
    gradients = jax.grad(lambda *x: attended(*x, None).astype(jnp.float32).sum(), (0, 1, 2, 3))(*halves, bias)
    assert [leaf.dtype for leaf in gradients] == [jnp.bfloat16] * 3 + [jnp.float32]
