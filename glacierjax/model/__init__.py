"""The network, blind to data: `Tyrion` and its parts."""

from glacierjax.model.presets import preset
from glacierjax.model.tyrion import SIZE_MULTIPLE, Backbone, Tyrion

__all__ = ["SIZE_MULTIPLE", "Backbone", "Tyrion", "preset"]
