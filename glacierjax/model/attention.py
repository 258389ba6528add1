"""Window attention of Swin Transformer V2 (Liu et al. 2022, arXiv 2111.09883, section 3) for maps of any size.

Window and shift are chosen for each axis separately. Incomplete windows are padded and padded keys are masked, so maps of
any size work; at the published 512 x 512 nothing is padded.
"""

import math
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int

from glacierjax.model.layers import Linear, with_bias
from glacierjax.model.window_softmax import AXIS_REGIONS, PADDING, attended

LOGIT_SCALE_INIT = math.log(10.0)
LOGIT_SCALE_MAX = math.log(100.0)
BIAS_RANGE = 16.0  # position bias = 16 * sigmoid(table)
UNIT_EPSILON = 1e-12
# The published initialisation of linear layers; it suits the published network, with 96 channels and more.
published_linear_init = nn.initializers.truncated_normal(0.02)


class WindowPlan(NamedTuple):
    """How an axis of a token map is divided: `size` tokens into windows of `window`, after a cyclic shift by `shift`."""

    size: int
    window: int
    shift: int

    @property
    def padded(self) -> int:
        return -(-self.size // self.window) * self.window


def plan_axis(size: int, window: int, shifted: bool) -> WindowPlan:
    """The plan of an axis; an axis that is not longer than the window is a single window without shift."""
    if size <= window:
        return WindowPlan(size, size, 0)
    return WindowPlan(size, window, window // 2 if shifted else 0)


def log_spaced_offsets(window: tuple[int, int]) -> Float32[np.ndarray, "offsets 2"]:
    """Relative offsets ((2h-1)*(2w-1), 2), log-spaced (Swin V2 eq. 4), normalised by the window; 0 where it is 1 token."""
    axes = [np.arange(-(n - 1), n, dtype=np.float32) / max(n - 1, 1) for n in window]
    offsets = 8 * np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    return (np.sign(offsets) * np.log2(1 + np.abs(offsets)) / np.log2(8)).astype(np.float32)


def relative_index(window: tuple[int, int]) -> Int[np.ndarray, "tokens tokens"]:
    """Row of `log_spaced_offsets` for each pair (query, key) of a window's tokens: (h*w, h*w) int."""
    rows, columns = (grid.ravel() for grid in np.indices(window))
    row_offset = rows[:, None] - rows[None, :] + window[0] - 1
    column_offset = columns[:, None] - columns[None, :] + window[1] - 1
    return row_offset * (2 * window[1] - 1) + column_offset


def region_of_position(plan: WindowPlan) -> Int[np.ndarray, " padded"]:
    """Region number along one axis after the shift: tokens of different regions are not neighbours in the image."""
    position = np.arange(plan.padded)
    if plan.shift == 0:
        return np.zeros_like(position)
    return (position >= plan.padded - plan.window).astype(int) + (position >= plan.padded - plan.shift)


def window_tables(
    rows: WindowPlan, columns: WindowPlan
) -> tuple[Int[np.ndarray, "windows tokens"], Bool[np.ndarray, "windows tokens"]]:
    """Region number and "is padding" of each token after the shift, both (windows, tokens per window)."""
    regions = region_of_position(rows)[:, None] * AXIS_REGIONS + region_of_position(columns)[None, :]
    padding = np.ones((rows.padded, columns.padded), bool)
    padding[: rows.size, : columns.size] = False
    padding = np.roll(padding, (-rows.shift, -columns.shift), axis=(0, 1))

    def split(array: np.ndarray) -> np.ndarray:
        array = array.reshape(rows.padded // rows.window, rows.window, columns.padded // columns.window, columns.window)
        return array.transpose(0, 2, 1, 3).reshape(-1, rows.window * columns.window)

    return split(regions), split(padding)


def to_windows(
    x: Float[Array, "batch height width channels"], window: tuple[int, int]
) -> Float[Array, "batch_windows tokens channels"]:
    """(B, H, W, C) -> (B * windows, tokens per window, C)."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // window[0], window[0], width // window[1], window[1], channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(-1, window[0] * window[1], channels)


def from_windows(
    x: Float[Array, "batch_windows tokens channels"], window: tuple[int, int], height: int, width: int
) -> Float[Array, "batch {height} {width} channels"]:
    """(B * windows, tokens per window, C) -> (B, H, W, C)."""
    x = x.reshape(-1, height // window[0], width // window[1], window[0], window[1], x.shape[-1])
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(-1, height, width, x.shape[-1])


def unit(x: Float[Array, "*axes channels"]) -> Float[Array, "*axes channels"]:
    """Vectors scaled to length 1. A vector shorter than `UNIT_EPSILON` has no direction: it and its gradient become zero.

    The official code divides such a vector by `UNIT_EPSILON`. Then the gradient grows by the inverse in every block where all
    tokens of a window are masked (zero) tokens, which overflows.
    """
    square = jnp.sum(x * x, axis=-1, keepdims=True)
    has_direction = square > UNIT_EPSILON**2
    return x * jnp.where(has_direction, jax.lax.rsqrt(jnp.where(has_direction, square, 1)), 0)


def heads_apart(
    qkv: Float[Array, "windows tokens three_channels"], heads: int
) -> tuple[Float[Array, "windows heads tokens _"], ...]:
    """Query, key and value of each head, (N, heads, M, C) each, of (N, M, 3 * heads * C).

    TPUs move the tokens to the end first: they fill the chip's 128 lanes, the channels of a head do not.
    """

    def on_tpus(qkv: jax.Array) -> tuple[jax.Array, ...]:
        windows, tokens, channels = qkv.shape
        parts = qkv.swapaxes(1, 2).reshape(windows, 3, heads, channels // (3 * heads), tokens).swapaxes(3, 4)
        return parts[:, 0], parts[:, 1], parts[:, 2]

    def plain(qkv: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(qkv.reshape(*qkv.shape[:2], 3, heads, -1).transpose(2, 0, 3, 1, 4))

    return jax.lax.platform_dependent(qkv, tpu=on_tpus, default=plain)


def heads_together(x: Float[Array, "windows heads tokens channels"]) -> Float[Array, "windows tokens _"]:
    """(N, heads, M, C) -> (N, M, heads * C)."""

    def on_tpus(x: jax.Array) -> jax.Array:
        windows, heads, tokens, channels = x.shape
        return x.swapaxes(2, 3).reshape(windows, heads * channels, tokens).swapaxes(1, 2)

    def plain(x: jax.Array) -> jax.Array:
        windows, heads, tokens, channels = x.shape
        return x.swapaxes(1, 2).reshape(windows, tokens, heads * channels)

    return jax.lax.platform_dependent(x, tpu=on_tpus, default=plain)


class PositionBias(nn.Module):
    """Continuous relative position bias (Swin V2, section 3.3): (heads, tokens, tokens) float32 in (0, 16)."""

    num_heads: int
    hidden: int = 512

    @nn.compact
    def __call__(self, window: tuple[int, int]) -> Float32[Array, "heads tokens tokens"]:
        table = nn.Dense(self.hidden, kernel_init=published_linear_init, name="hidden")(log_spaced_offsets(window))
        table = nn.Dense(self.num_heads, use_bias=False, kernel_init=published_linear_init, name="out")(nn.relu(table))
        return BIAS_RANGE * nn.sigmoid(table)[relative_index(window)].transpose(2, 0, 1)


class WindowAttention(nn.Module):
    """Scaled cosine attention inside (shifted) windows: (B, H, W, C) -> (B, H, W, C)."""

    num_heads: int
    window_size: int
    shifted: bool
    dtype: Any = jnp.float32
    linear_init: Any = published_linear_init

    @nn.compact
    def __call__(self, x: Float[Array, "batch height width channels"]) -> Float[Array, "batch height width channels"]:
        _, height, width, channels = x.shape
        rows = plan_axis(height, self.window_size, self.shifted)
        columns = plan_axis(width, self.window_size, self.shifted)
        window, shift = (rows.window, columns.window), (rows.shift, columns.shift)

        x = jnp.pad(x, ((0, 0), (0, rows.padded - height), (0, columns.padded - width), (0, 0)))
        x = jnp.roll(x, (-shift[0], -shift[1]), axis=(1, 2))
        x = self._attend(to_windows(x, window), window, *window_tables(rows, columns))
        x = from_windows(x, window, rows.padded, columns.padded)
        x = jnp.roll(x, shift, axis=(1, 2))[:, :height, :width]
        return Linear(channels, kernel_init=self.linear_init, dtype=self.dtype, name="projection")(x)

    def _attend(
        self,
        x: Float[Array, "batch_windows tokens channels"],
        window: tuple[int, int],
        regions: Int[np.ndarray, "windows tokens"],
        padding: Bool[np.ndarray, "windows tokens"],
    ) -> Float[Array, "batch_windows tokens channels"]:
        """Attention within each window: (B * N, M, C) -> (B * N, M, C), N windows of M tokens."""
        tokens, channels = x.shape[1:]
        q_bias = self.param("q_bias", nn.initializers.zeros, (channels,))
        v_bias = self.param("v_bias", nn.initializers.zeros, (channels,))
        logit_scale = self.param("logit_scale", nn.initializers.constant(LOGIT_SCALE_INIT), (self.num_heads,))
        scale = jnp.exp(jnp.minimum(logit_scale, LOGIT_SCALE_MAX))

        qkv = Linear(3 * channels, use_bias=False, kernel_init=self.linear_init, dtype=self.dtype, name="qkv")(x)
        qkv_bias = jnp.concatenate([q_bias, jnp.zeros_like(q_bias), v_bias])
        qkv = with_bias(qkv, qkv_bias.astype(qkv.dtype))
        q, k, v = heads_apart(qkv, self.num_heads)
        # Vector lengths, logits and softmax stay in float32 for every compute type.
        q = (unit(q.astype(jnp.float32)) * scale[None, :, None, None]).astype(self.dtype)
        k = unit(k.astype(jnp.float32)).astype(self.dtype)
        bias = PositionBias(self.num_heads, name="position_bias")(window)
        of_windows = None
        if regions.any() or padding.any():
            table = np.where(padding, PADDING, regions).astype(np.int32)
            images = x.shape[0] // len(table)  # no number in a program that is exported for any number of images
            of_windows = jnp.broadcast_to(table[None], (images, *table.shape)).reshape(-1, tokens)
        return heads_together(attended(q, k, v, bias, of_windows))
