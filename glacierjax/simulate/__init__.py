"""Simulated archives in the published layouts: landscapes, scenes with true labels, and the radar that sees them.

`write_archive` writes a CaFFe archive, `simulate` gives its scenes one by one. No JAX here.
"""

from glacierjax.simulate.archive import ArchiveOptions, simulate, write_archive

__all__ = ["ArchiveOptions", "simulate", "write_archive"]
