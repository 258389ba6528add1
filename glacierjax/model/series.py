"""Tyrion for series (Dreier et al. 2026, arXiv 2512.11560): several scenes of a glacier side by side, each gets its zones."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from glacierjax.core.choices import ALONE, CONVOLUTION, LTAE, RECURRENCE, TEMPORAL
from glacierjax.core.zones import NUM_ZONES
from glacierjax.model.convolution import ConvParameters
from glacierjax.model.swin_v2 import Between
from glacierjax.model.temporal import AttentionOverTime, ConvolutionOverTime, RecurrenceOverTime
from glacierjax.model.tyrion import Backbone


class SeriesTyrion(Backbone):
    """Frames go through encoder and decoder as single images do; temporal modules let those of one sample exchange.

    `temporal`, the kind of the encoder's modules (from the second stage on, after every block): "conv", "gru" or "ltae". The
    decoder's are convolutions then. "none" has no modules at all: the control, which sees each frame alone.
    """

    temporal: str = ALONE
    num_classes: int = NUM_ZONES
    narrow_decoder: bool = True

    def setup(self) -> None:
        if self.temporal not in TEMPORAL:
            raise ValueError(f"temporal={self.temporal!r}: choose one of {', '.join(TEMPORAL)}")
        super().setup()
        self.head = ConvParameters(self.decoder_width, self.num_classes, 1)

    def __call__(
        self,
        images: Float[Array, "*series row column channel"],
        days: Int[Array, "_ _"] | None = None,
        train: bool = False,
    ) -> Float[Array, "sample frame row column zone"]:
        """Images in [0, 1], one or three equal channels -> logits, float32.

        `days`: since 1995-01-01, needed by "ltae" alone. Frames stand in the order of their dates. Raises ValueError when
        the shapes are not those above, height or width is no multiple of `size_multiple`, or there is but one frame
        (except for "none").
        """
        if images.ndim != 5:
            raise ValueError(f"images of shape {images.shape}: expected (sample, frame, row, column, 1 or 3)")
        samples, frames = images.shape[:2]
        if frames < 2 and self.temporal != ALONE:
            raise ValueError(f"a series of {frames} frame: temporal={self.temporal!r} needs two frames or more")
        if days is None and self.temporal == LTAE:
            raise ValueError("temporal='ltae' needs the frames' days since 1995-01-01")
        if days is not None and days.shape != (samples, frames):
            raise ValueError(f"days of shape {days.shape}: expected {(samples, frames)}, a day for each frame")

        def between(kind: str) -> Between | None:
            if kind == ALONE:
                return None

            def exchange(x: jax.Array, name: str) -> jax.Array:
                maps = x.reshape(samples, frames, *x.shape[1:])
                return _exchanged(self, kind, name, maps, days, train).reshape(x.shape)

            return exchange

        decoders = ALONE if self.temporal == ALONE else CONVOLUTION
        logits = self.outputs(
            images.reshape(-1, *images.shape[2:]),
            self.head(),
            train,
            between=(between(self.temporal), between(decoders)),
        )
        return logits.reshape(samples, frames, *logits.shape[1:])


def _exchanged(net: SeriesTyrion, kind: str, name: str, maps: jax.Array, days: Any, train: bool) -> jax.Array:
    """What the temporal module of a kind, which becomes a part of the module that calls, makes of the maps."""
    if kind == CONVOLUTION:
        return ConvolutionOverTime(net.num_groups, net.dtype, name=name)(maps)
    if kind == RECURRENCE:
        return RecurrenceOverTime(net.dtype, net.linear_init, name=name)(maps)
    return AttentionOverTime(net.dropout, net.dtype, net.linear_init, name=name)(maps, jnp.asarray(days), train)
