"""Labels that people have, lines and polygons on maps, as a data set in CaFFe's layout (no JAX)."""
