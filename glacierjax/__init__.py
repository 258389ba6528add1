"""glacierjax: calving fronts of glaciers in radar images, in JAX.

import glacierjax
result = glacierjax.load("CHECKPOINT").predict("scene.tif")
result.show()
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  pip checks this, but a clone without installation does not
    raise ImportError(
        "glacierjax needs Python 3.11 or newer, this is %d.%d; make an environment with a newer one: "  # noqa: UP031
        "python3.12 -m venv .venv" % sys.version_info[:2]
    )

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glacierjax.prediction.model import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """Imports `load` on first access, so that `import glacierjax` stays fast."""
    if name == "load":
        from glacierjax.prediction.model import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
