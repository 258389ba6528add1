"""Softmax attention inside windows, whose weights are computed again for the gradients instead of being stored."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from glacierjax.model.layers import largest_divisor

MASKED_REGION = -100.0  # added to logits between tokens that only the cyclic shift made neighbours
AXIS_REGIONS = 3  # at most so many along an axis; those of a window are numbered row * AXIS_REGIONS + column
PADDING = -1  # the region of tokens that are no part of the map
LOGITS_AT_ONCE = 2**18  # in the backward pass on CPUs: 1 MiB, which stays in the cache

Tokens = Float[Array, "windows heads tokens channels"]
Bias = Float[Array, "heads tokens tokens"]
Regions = Int[Array, "windows tokens"] | None


@jax.custom_vjp
def attended(q: Tokens, k: Tokens, v: Tokens, bias: Bias, regions: Regions) -> Tokens:
    """softmax(q k^T + bias) v for each window and head: (windows, heads, tokens, C), in the type of v.

    `bias` is float32. Tokens of different `regions` (windows, tokens) hardly see each other, none sees `PADDING`; None: all
    are one region. Logits and their sums are float32. On CPUs the backward pass takes a few windows at a time.
    """
    return _forward(q, k, v, bias, regions)[0]


def _logits(q: jax.Array, k: jax.Array, bias: jax.Array, regions: jax.Array | None) -> jax.Array:
    logits = jnp.einsum("nhqc,nhkc->nhqk", q, k, preferred_element_type=jnp.float32) + bias[None]
    if regions is None:
        return logits
    # 0 inside a region, MASKED_REGION between two. CPUs compute this product faster than they compare each pair of tokens.
    one_hot = jax.nn.one_hot(regions, AXIS_REGIONS**2, dtype=jnp.float32)
    same = jnp.einsum("nqr,nkr->nqk", one_hot, one_hot)
    never = jnp.where(regions == PADDING, jnp.finfo(jnp.float32).min, 0)
    return logits + (MASKED_REGION - MASKED_REGION * same)[:, None] + never[:, None, None]


def _forward(
    q: jax.Array, k: jax.Array, v: jax.Array, bias: jax.Array, regions: jax.Array | None
) -> tuple[jax.Array, tuple]:
    logits = _logits(q, k, bias, regions)
    top = logits.max(-1, keepdims=True)
    weights = jnp.exp(logits - top)
    total = weights.sum(-1, keepdims=True)
    y = jnp.einsum("nhqk,nhkc->nhqc", weights.astype(v.dtype), v, preferred_element_type=jnp.float32) / total
    y = y.astype(v.dtype)
    return y, (q, k, v, bias, regions, y, top + jnp.log(total))


def _backward(inputs: tuple, g: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array, None]:
    q, k, v, bias, regions, y, log_total = inputs
    along = (g.astype(jnp.float32) * y.astype(jnp.float32)).sum(-1, keepdims=True)

    def some(to_bias: jax.Array, windows: tuple) -> tuple[jax.Array, tuple[jax.Array, jax.Array, jax.Array]]:
        q, k, v, regions, log_total, along, g = windows
        product = functools.partial(jnp.einsum, preferred_element_type=jnp.float32)
        weights = jnp.exp(_logits(q, k, bias, regions) - log_total)
        to_v = product("nhqk,nhqc->nhkc", weights.astype(g.dtype), g).astype(v.dtype)
        to_logits = weights * (product("nhqc,nhkc->nhqk", g, v) - along)
        rounded = to_logits.astype(q.dtype)
        to_q = product("nhqk,nhkc->nhqc", rounded, k).astype(q.dtype)
        to_k = product("nhqk,nhqc->nhkc", rounded, q).astype(k.dtype)
        return to_bias + to_logits.sum(0), (to_q, to_k, to_v)

    no_bias = jnp.zeros_like(bias)
    at_once = largest_divisor(len(q), max(1, LOGITS_AT_ONCE // bias.size))

    def in_loop(windows: tuple) -> Any:
        parts = jax.tree.map(lambda x: x.reshape(-1, at_once, *x.shape[1:]), windows)
        to_bias, found = jax.lax.scan(some, no_bias, parts)
        return to_bias, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), found)

    windows = q, k, v, regions, log_total, along, g
    to_bias, to_windows = jax.lax.platform_dependent(windows, cpu=in_loop, default=functools.partial(some, no_bias))
    return *to_windows, to_bias, None


attended.defvjp(_forward, _backward)
