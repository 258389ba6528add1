"""The networks; they read no data: `Tyrion`, `SeriesTyrion` and their parts."""

from glacierjax.model.build import build, exact_products, flax_fields, preset, settings_of
from glacierjax.model.series import SeriesTyrion
from glacierjax.model.tyrion import Backbone, Tyrion

__all__ = ["Backbone", "SeriesTyrion", "Tyrion", "build", "exact_products", "flax_fields", "preset", "settings_of"]
