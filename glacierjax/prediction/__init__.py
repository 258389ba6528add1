"""Prediction: from a scene in a file to zones, uncertainty and calving front, in memory and in files that a GIS opens."""
