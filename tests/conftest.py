"""What all tests share: checked shapes and types, no silent broadcasting, and one cache of compiled programs."""

import os
from pathlib import Path

import jax
import pytest
from jaxtyping import install_import_hook

# Before anything of these packages is imported: their signatures are then checked at each call.
CHECKED = tuple(f"glacierjax.{part}" for part in ("fronts", "model", "tasks"))
install_import_hook(CHECKED, "helpers.typechecked")
jax.config.update("jax_numpy_rank_promotion", "raise")

# The tests' processes, and the next run of the tests, compile a program once.
COMPILED = {
    "jax_compilation_cache_dir": str(Path(__file__).parents[1] / ".pytest_cache" / "compiled"),
    "jax_compilation_cache_max_size": 2 << 30,
    "jax_persistent_cache_min_compile_time_secs": 0.2,
}
for name, value in COMPILED.items():
    jax.config.update(name, value)
    os.environ[name.upper()] = str(value)

END_TO_END = Path(__file__).parent / "end_to_end"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow commands of end_to_end/ start first, so that no process waits for them at the end."""
    items.sort(key=lambda item: item.path.parent != END_TO_END)
