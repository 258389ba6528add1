"""Simulated archives in the published layouts: landscapes, scenes with true labels, and the radar that sees them.

`write_archive` writes a CaFFe archive, `simulate` gives its scenes one by one; `write_ssl4sar` writes an SSL4SAR archive.
No JAX here.
"""

from glacierjax.simulate.archive import ArchiveOptions, simulate, write_archive
from glacierjax.simulate.ssl4sar import Ssl4SarOptions, write_ssl4sar

__all__ = ["ArchiveOptions", "Ssl4SarOptions", "simulate", "write_archive", "write_ssl4sar"]
