"""How a terminus moved, from the fronts of many dates (no JAX)."""
