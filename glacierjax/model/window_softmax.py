"""Softmax attention inside windows, whose weights are computed again for the gradients instead of being stored."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from glacierjax.model.layers import largest_divisor

MASKED_REGION = -100.0  # added to logits between tokens that only the cyclic shift made neighbours
AXIS_REGIONS = 3  # at most so many along an axis; those of a window are numbered row * AXIS_REGIONS + column
PADDING = -1  # the region of tokens that are no part of the map
LOGITS_AT_ONCE = 2**18  # in the backward pass on CPUs: 1 MiB, which stays in the cache
LOGITS_AT_ONCE_ON_TPUS = 2**23  # 32 MiB, which the compiler keeps in a v5e chip's fast memory

Tokens = Float[Array, "windows heads tokens channels"]
Bias = Float[Array, "heads tokens tokens"]
Regions = Int[Array, "windows tokens"] | None


@jax.custom_vjp
def attended(q: Tokens, k: Tokens, v: Tokens, bias: Bias, regions: Regions) -> Tokens:
    """softmax(q k^T + bias) v for each window and head: (windows, heads, tokens, C), in the type of v.

    `bias` is float32. Tokens of different `regions` (windows, tokens) hardly see each other, none sees `PADDING`; None: all
    are one region. Logits and their sums are float32. TPUs, and CPUs in the backward pass, take some windows at a time.
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
    def some(_: None, windows: tuple) -> tuple[None, tuple[jax.Array, jax.Array]]:
        q, k, v, regions = windows
        logits = _logits(q, k, bias, regions)
        top = logits.max(-1, keepdims=True)
        weights = jnp.exp(logits - top)
        total = weights.sum(-1, keepdims=True)
        y = jnp.einsum("nhqk,nhkc->nhqc", weights.astype(v.dtype), v, preferred_element_type=jnp.float32) / total
        return None, (y.astype(v.dtype), top + jnp.log(total))

    at_once = functools.partial(some, None)
    windows = q, k, v, regions
    if jax.export.is_symbolic_dim(q.shape[0]):  # a program for any number of images
        _, (y, log_total) = at_once(windows)
    else:
        in_loop = functools.partial(_in_loop_on_tpus, some, None, LOGITS_AT_ONCE_ON_TPUS // bias.size)
        _, (y, log_total) = jax.lax.platform_dependent(windows, tpu=in_loop, default=at_once)
    return y, (q, k, v, bias, regions, y, log_total)


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
    on_cpus = functools.partial(_in_loop, some, no_bias, LOGITS_AT_ONCE // bias.size)
    on_tpus = functools.partial(_in_loop_on_tpus, some, no_bias, LOGITS_AT_ONCE_ON_TPUS // bias.size)
    windows = q, k, v, regions, log_total, along, g
    to_bias, to_windows = jax.lax.platform_dependent(
        windows, cpu=on_cpus, tpu=on_tpus, default=functools.partial(some, no_bias)
    )
    return *to_windows, to_bias, None


def _in_loop(some: Callable[[Any, Any], tuple[Any, Any]], total: Any, most: int, windows: tuple) -> tuple[Any, Any]:
    """`some(total, windows)` for equal parts of the windows, at most so many at once, each with the total of the last one."""
    at_once = largest_divisor(len(windows[0]), max(1, most))
    parts = jax.tree.map(lambda x: x.reshape(-1, at_once, *x.shape[1:]), windows)
    total, found = jax.lax.scan(some, total, parts)
    return total, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), found)


def _in_loop_on_tpus(
    some: Callable[[Any, Any], tuple[Any, Any]], total: Any, most: int, windows: tuple
) -> tuple[Any, Any]:
    """`_in_loop` with the tokens as last axis between the loop's rounds: they fill the chip's 128 lanes, a head does not."""

    def turned(arrays: Any) -> Any:
        return jax.tree.map(lambda x: x.swapaxes(-1, -2) if x.ndim == 4 else x, arrays)

    def some_turned(total: Any, windows: tuple) -> tuple[Any, Any]:
        total, found = some(total, turned(windows))
        return total, turned(found)

    total, found = _in_loop(some_turned, total, most, turned(windows))
    return total, turned(found)


attended.defvjp(_forward, _backward)
