"""The version of glacierjax."""

import importlib.metadata


def version() -> str:
    """The installed version, such as "0.1.0"; "unknown" in a clone that is not installed."""
    try:
        return importlib.metadata.version("glacierjax")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
