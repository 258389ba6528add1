"""Window attention on maps of any size, compared with a slow reference that computes pair by pair."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model.attention import (
    PositionBias,
    WindowAttention,
    log_spaced_offsets,
    plan_axis,
    relative_index,
    unit,
    window_tables,
)

HEADS, WINDOW, CHANNELS = 2, 4, 8


def slow_attention(params, x, shifted):
    """The output (H, W, C) by definition: each query attends to the real tokens of its window, without padding.

    A window is where the shifted grid puts it; tokens that only the cyclic shift brought together get -100.
    """
    params = jax.tree.map(np.asarray, params)
    height, width, channels = x.shape
    plans = [plan_axis(size, WINDOW, shifted) for size in (height, width)]
    kernel = np.asarray(params["qkv"]["kernel"], np.float64)
    zero = np.zeros(channels)
    q, k, v = np.split(x @ kernel + np.concatenate([params["q_bias"], zero, params["v_bias"]]), 3, axis=-1)
    bias_params = jax.tree.map(jnp.asarray, params["position_bias"])
    offsets = PositionBias(HEADS).apply({"params": bias_params}, tuple(p.window for p in plans))
    bias = np.asarray(offsets, np.float64)

    def place(position, plan):
        """(window, position in it, lap); the lap distinguishes tokens that the cyclic shift moved to the other side."""
        moved = (position - plan.shift) % plan.padded
        return moved // plan.window, moved % plan.window, position < plan.shift

    def normalised(y):
        return y / max(math.sqrt(float((y * y).sum())), 1e-12)

    out = np.zeros_like(x)
    tokens = [(r, c) for r in range(height) for c in range(width)]
    depth = channels // HEADS
    for row, column in tokens:
        places = [(*place(row, plans[0]), *place(column, plans[1]))]
        (window_row, inner_row, lap_row, window_column, inner_column, lap_column) = places[0]
        for head in range(HEADS):
            part = slice(head * depth, (head + 1) * depth)
            scale = math.exp(min(float(params["logit_scale"][head]), math.log(100)))
            logits, values = [], []
            for r, c in tokens:
                wr, ir, lr = place(r, plans[0])
                wc, ic, lc = place(c, plans[1])
                if (wr, wc) != (window_row, window_column):
                    continue
                query = inner_row * plans[1].window + inner_column
                key = ir * plans[1].window + ic
                logit = scale * float(normalised(q[row, column, part]) @ normalised(k[r, c, part]))
                logit += bias[head, query, key] - (0 if (lr, lc) == (lap_row, lap_column) else 100)
                logits.append(logit)
                values.append(v[r, c, part])
            weights = np.exp(np.array(logits) - max(logits))
            out[row, column, part] = weights @ np.array(values) / weights.sum()
    return out @ np.asarray(params["projection"]["kernel"], np.float64) + params["projection"]["bias"]


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (8, 4), (5, 9), (6, 3), (7, 1), (1, 1), (2, 10)])
def test_attention_equals_the_slow_reference(height, width, shifted):
    module = WindowAttention(HEADS, WINDOW, shifted)
    x = np.random.default_rng(0).standard_normal((2, height, width, CHANNELS))
    params = jax.tree.map(
        lambda leaf: leaf + 0.3 * np.random.default_rng(leaf.size).standard_normal(leaf.shape).astype(np.float32),
        module.init(jax.random.key(0), jnp.asarray(x, jnp.float32))["params"],
    )
    ours = jax.jit(module.apply)({"params": params}, jnp.asarray(x, jnp.float32))
    expected = np.stack([slow_attention(params, image, shifted) for image in x])
    np.testing.assert_allclose(ours, expected, atol=2e-5)


@pytest.mark.parametrize("tokens", [128, 64, 32, 16])
def test_published_size_has_no_padding(tokens):
    plan = plan_axis(tokens, 16, shifted=True)
    assert plan.padded == tokens
    regions, padding = window_tables(plan, plan)
    assert not padding.any()
    assert regions.any() == (tokens > 16)  # the last stage is one window without shift


def test_window_of_one_token_has_offset_zero():
    np.testing.assert_array_equal(log_spaced_offsets((1, 1)), [[0, 0]])
    offsets = log_spaced_offsets((1, 3))
    np.testing.assert_array_equal(offsets[:, 0], 0)
    assert list(offsets[:, 1]) == sorted(offsets[:, 1])


def test_offsets_end_at_log2_of_9_over_3():
    offsets = log_spaced_offsets((16, 16))
    np.testing.assert_allclose(offsets[-1], math.log2(9) / 3, rtol=1e-6)
    np.testing.assert_allclose(offsets, -offsets[::-1])


def test_index_means_query_minus_key():
    table = np.stack(np.meshgrid(np.arange(-1, 2), np.arange(-2, 3), indexing="ij"), -1).reshape(-1, 2)
    tokens = np.stack(np.meshgrid(np.arange(2), np.arange(3), indexing="ij"), -1).reshape(-1, 2)
    np.testing.assert_array_equal(table[relative_index((2, 3))], tokens[:, None] - tokens[None, :])


@pytest.mark.parametrize("length", [0.0, 1e-13])
def test_a_vector_without_direction_and_its_gradient_become_zero(length):
    value, gradient = jax.value_and_grad(lambda x: unit(x).sum())(jnp.array([length, 0, 0]))
    assert value == 0 and (gradient == 0).all()
    assert unit(jnp.array([1e-10, 0, 0]))[0] == 1
