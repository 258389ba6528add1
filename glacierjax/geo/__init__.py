"""Scenes from pictures and GeoTIFFs, and what was found in them back into georeferenced files (no JAX)."""
