"""Conversion of settings to a network and back."""

import jax.numpy as jnp
import pytest

from glacierjax.core.settings import PRESETS, ModelSettings
from glacierjax.model import Tyrion, build, preset, settings_of
from glacierjax.model.pretraining import OptTranslatorNetwork


@pytest.mark.parametrize(
    "network", [*PRESETS.values(), ModelSettings(preset="tiny", dtype="bfloat16", dropout=0.3).network()]
)
def test_a_network_tells_the_settings_that_it_was_built_from(network):
    for kind in (Tyrion, OptTranslatorNetwork):
        model = build(network, kind)
        assert settings_of(model) == network and model.size_multiple == network.size_multiple


def test_the_defaults_of_the_flax_module_are_those_of_the_settings():
    assert settings_of(Tyrion()) == PRESETS["tyrion"]
    assert Tyrion(**preset("tyrion")) == build(PRESETS["tyrion"], Tyrion)
    assert build(PRESETS["tiny"], Tyrion).dtype == jnp.float32
