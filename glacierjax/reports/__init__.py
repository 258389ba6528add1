"""Reports: tables, maps, charts and pages from scores (no JAX)."""
