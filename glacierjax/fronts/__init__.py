"""From landscape zones to calving fronts, and how good they are (numpy and scipy only, no JAX)."""

from glacierjax.core.choices import CLEAN, OFFICIAL, PROTOCOLS
from glacierjax.fronts.extract import extract_front
from glacierjax.fronts.postprocess import clean_zones
from glacierjax.fronts.scores import distance_errors, score_zones

__all__ = ["CLEAN", "OFFICIAL", "PROTOCOLS", "clean_zones", "distance_errors", "extract_front", "score_zones"]
