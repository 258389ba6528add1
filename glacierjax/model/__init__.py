"""The network, blind to data: `Tyrion` and its parts."""

from glacierjax.model.presets import preset
from glacierjax.model.tyrion import Backbone, Tyrion

__all__ = ["Backbone", "Tyrion", "preset"]
