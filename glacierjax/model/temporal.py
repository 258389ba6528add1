"""Temporal modules of networks for series: convolution, GRU and L-TAE over the frames (Dreier et al. 2026, arXiv 2512.11560).

Three kinds. Each takes maps of whole series (samples, frames, height, width, channels) and adds to them; none looks across
samples, and none depends on the number of frames.
"""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from glacierjax.model.attention import published_linear_init
from glacierjax.model.convolution import convolve_for_flax, uniform_init
from glacierjax.model.layers import GroupNormSwish, LayerNorm, Linear

Maps = Float[Array, "sample frame row column channel"]
Days = Int[Array, "sample frame"]
NORM_EPSILON = 1e-5
CONV_NORM_EPSILON = 1e-6
LTAE_HEADS = 8  # and groups of its norms
LTAE_KEY_CHANNELS = 16  # of a head
LONGEST_PERIOD = 10_000.0  # of the position table, over 2 pi, in days


class ConvolutionOverTime(nn.Module):
    """GroupNorm over a sample's frames and pixels, swish, three taps over time; starts as the identity.

    Time is mirrored at its ends without the end itself, so there must be two frames or more.
    """

    num_groups: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        zeros = nn.initializers.zeros
        y = GroupNormSwish(self.num_groups, CONV_NORM_EPSILON, name="conv_norm")(x)
        conv = nn.Conv(
            x.shape[-1],
            (3, 1, 1),
            padding="REFLECT",
            kernel_init=zeros,
            bias_init=zeros,
            dtype=self.dtype,
            conv_general_dilated=_convolve_over_time,
            name="conv",
        )
        return x + conv(y)


def _convolve_over_time(x: jax.Array, kernel: jax.Array, *settings: Any, **more: Any) -> jax.Array:
    """A kernel (taps, 1, 1, C, D) as an image's, with time as its rows and the pixels as its columns."""
    samples, frames, height, width, channels = x.shape
    y = x.reshape(samples, frames, height * width, channels)
    y = convolve_for_flax(y, kernel[:, :, 0], *settings, **more)
    return y.reshape(samples, -1, height, width, y.shape[-1])


class GatedUnit(nn.RNNCellBase):
    """One step of a gated recurrent unit as PyTorch has it: every gate has a bias of its own for input and state.

    Flax's `GRUCell` has one bias for both in two of the three gates. It computes the same, but could not give back the
    weights that it was given, and would train these biases at half the rate.
    """

    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, state: jax.Array, gates: jax.Array) -> tuple[jax.Array, jax.Array]:
        """State (..., F) float32; the input's part of the gates reset, update and new (..., 3F) -> state, state."""
        init = uniform_init(self.features)
        linear = Linear(3 * self.features, dtype=self.dtype, kernel_init=init, bias_init=init, name="state")
        of_input = jnp.split(gates.astype(jnp.float32), 3, axis=-1)
        of_state = jnp.split(linear(state).astype(jnp.float32), 3, axis=-1)
        reset, update = (nn.sigmoid(of_input[i] + of_state[i]) for i in (0, 1))
        new = nn.tanh(of_input[2] + reset * of_state[2])
        state = (1 - update) * new + update * state
        return state, state

    @nn.nowrap
    def initialize_carry(self, rng: jax.Array, input_shape: tuple[int, ...]) -> jax.Array:
        return jnp.zeros((*input_shape[:-1], self.features), jnp.float32)

    @property
    def num_feature_axes(self) -> int:
        return 1


class RecurrenceOverTime(nn.Module):
    """Gated recurrent units forwards and backwards in time, between two linear layers with LayerNorm and swish."""

    dtype: Any = jnp.float32
    linear_init: Any = published_linear_init

    @nn.compact
    def __call__(self, x: Maps) -> Maps:
        channels = x.shape[-1]
        half = channels // 2

        def activate(y: jax.Array, name: str) -> jax.Array:
            return nn.swish(LayerNorm(NORM_EPSILON, name=name)(y))

        def linear(width: int, name: str, init: Any = self.linear_init, bias: Any = nn.initializers.zeros) -> Linear:
            return Linear(width, dtype=self.dtype, kernel_init=init, bias_init=bias, name=name)

        y = activate(linear(half, "compress")(jnp.moveaxis(x, 1, 0)), "compress_norm")
        init = uniform_init(half)
        both = []
        for direction in ("forward", "backward"):
            gates = linear(3 * half, f"{direction}_input", init, init)(y)
            unit = GatedUnit(half, self.dtype, name=direction)
            both.append(
                nn.RNN(
                    unit, time_major=True, reverse=direction == "backward", keep_order=True, name=f"{direction}_loop"
                )(gates)
            )
        y = jnp.concatenate(both, axis=-1).astype(self.dtype)
        return x + jnp.moveaxis(activate(linear(channels, "combine")(y), "norm"), 0, 1)


class AttentionOverTime(nn.Module):
    """Lightweight temporal attention (LTAE) that knows the dates; starts as the identity.

    The softmax is taken over the frames that *receive* (as the published network does): every frame hands out one unit,
    and the weights that a frame receives need not sum to one.
    """

    dropout: float
    dtype: Any = jnp.float32
    linear_init: Any = published_linear_init

    @nn.compact
    def __call__(self, x: Maps, days: Days, train: bool) -> Maps:
        samples, frames, height, width, channels = x.shape
        tokens = jnp.moveaxis(x, 1, 3).reshape(-1, frames, channels)  # (pixels of all samples, frames, channels)

        def norm(name: str) -> nn.GroupNorm:
            return nn.GroupNorm(LTAE_HEADS, epsilon=NORM_EPSILON, dtype=self.dtype, use_fast_variance=False, name=name)

        def linear(width: int, name: str) -> Linear:
            return Linear(width, dtype=self.dtype, kernel_init=self.linear_init, name=name)

        def drop(y: jax.Array) -> jax.Array:
            return nn.Dropout(self.dropout, deterministic=not train)(y)

        def heads(y: jax.Array) -> jax.Array:
            return y.reshape(*y.shape[:2], LTAE_HEADS, -1)

        positions = jnp.tile(day_positions(days, channels // LTAE_HEADS), LTAE_HEADS).astype(self.dtype)
        s = norm("in_norm")(tokens).reshape(samples, height * width, frames, channels) + positions[:, None]
        s = s.reshape(-1, frames, channels)
        q, k = (heads(linear(LTAE_HEADS * LTAE_KEY_CHANNELS, name)(s)) for name in ("query", "key"))
        logits = jnp.einsum("pihc,pjhc->phij", k, q, preferred_element_type=jnp.float32)
        weights = nn.softmax(logits / math.sqrt(LTAE_KEY_CHANNELS), axis=-2)
        self.sow("intermediates", "attention", weights)
        weights = drop(weights).astype(self.dtype)
        y = jnp.einsum("phij,pjhc->pihc", weights, heads(s)).reshape(s.shape)
        y = drop(nn.relu(linear(channels, "attended")(y)))
        y = norm("out_norm")(y.reshape(-1, channels)).reshape(samples, height, width, frames, channels)
        residual_weight = self.param("residual_weight", nn.initializers.zeros, (1,))
        return x + residual_weight.astype(self.dtype)[0] * jnp.moveaxis(y, 3, 1)


def day_positions(days: Int[Array, "*series"], channels: int) -> Float[Array, "*series channels"]:
    """The sine (even channels) or cosine (odd) of day / 10000^(2 floor(i / 2) / channels), good to 1e-6.

    `days` since 1995-01-01, also before it. The angle of a day reaches thousands of turns, of which float32 would keep three
    digits. So it is counted in turns, in 32-bit integers, whose overflow drops the whole turns exactly.
    """
    numbers = np.arange(channels).reshape((1,) * days.ndim + (-1,))  # as many axes as the result has
    pairs = 2.0 * (numbers // 2)
    turns_a_day = LONGEST_PERIOD ** (-pairs / channels) / (2 * math.pi)  # float64
    scaled = np.round(turns_a_day * 2.0**40).astype(np.uint64)  # 40 binary places: 32 and 8
    high, low = ((scaled >> np.uint64(8)).astype(np.uint32), (scaled & np.uint64(255)).astype(np.uint32))
    signed = [jax.lax.bitcast_convert_type(jnp.asarray(part), jnp.int32) for part in (high, low)]
    day = days.astype(jnp.int32)[..., None]
    turns = day * signed[0] + ((day * signed[1]) >> 8)
    angle = turns.astype(jnp.float32) * np.float32(2 * math.pi / 2.0**32)
    return jnp.where(numbers % 2 == 0, jnp.sin(angle), jnp.cos(angle))
