"""From settings to a Flax network and back, and the precision of its products."""

import contextlib
import dataclasses
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from glacierjax.core.settings import NetworkSettings, preset_network
from glacierjax.model.series import SeriesTyrion
from glacierjax.model.tyrion import Backbone

Network = TypeVar("Network", bound=Backbone)


def build(network: NetworkSettings, kind: type[Network]) -> Network:
    """The network of these settings, as a segmentation or pretraining network (`kind`)."""
    own: dict[str, Any] = {"temporal": network.temporal} if issubclass(kind, SeriesTyrion) else {}
    return kind(**flax_fields(network), **own)


def exact_products(dtype: Any) -> contextlib.AbstractContextManager[Any]:
    """Inside, the products of a network whose type is float32 are computed in float32, whatever the device.

    JAX's own choice is shorter: TF32 (10 bits) on GPUs, bfloat16 (7 bits) on TPUs. On CPUs the numbers are the same bit for bit.
    Predictions and scores use it; trainings have JAX's choice, which is several times as fast.
    """
    if jnp.dtype(dtype) == jnp.float32:
        return jax.default_matmul_precision("highest")
    return contextlib.nullcontext()


def flax_fields(network: NetworkSettings) -> dict[str, Any]:
    """The settings as fields of `Backbone`."""
    fields = {field.name: getattr(network, field.name) for field in dataclasses.fields(network)}
    del fields["temporal"]  # of `SeriesTyrion` alone
    del fields["channels"]  # there are three of them, whatever they show
    return {**fields, "dtype": jnp.dtype(network.dtype)}


def settings_of(model: Backbone) -> NetworkSettings:
    """The settings from which `build` makes this network."""
    names = [field.name for field in dataclasses.fields(NetworkSettings)]
    fields = {name: getattr(model, name) for name in names if hasattr(model, name)}
    return NetworkSettings(**{**fields, "dtype": jnp.dtype(model.dtype).name})


def preset(name: str) -> dict[str, Any]:
    """Fields of `Backbone` for the name of a preset. Raises `InputError` for an unknown one."""
    return flax_fields(preset_network(name))
