"""The network, blind to data: `Tyrion` and its parts."""

from glacierjax.model.build import build, flax_fields, preset, settings_of
from glacierjax.model.tyrion import Backbone, Tyrion

__all__ = ["Backbone", "Tyrion", "build", "flax_fields", "preset", "settings_of"]
