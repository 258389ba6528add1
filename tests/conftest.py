"""What all tests share: shapes and types of public functions are checked, and silent broadcasting raises."""

from pathlib import Path

import jax
import pytest
from jaxtyping import install_import_hook

# Before anything of these packages is imported: their signatures are then checked at each call.
CHECKED = tuple(f"glacierjax.{part}" for part in ("fronts", "model", "tasks"))
install_import_hook(CHECKED, "helpers.typechecked")
jax.config.update("jax_numpy_rank_promotion", "raise")

END_TO_END = Path(__file__).parent / "end_to_end"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow commands of end_to_end/ start first, so that no process waits for them at the end."""
    items.sort(key=lambda item: item.path.parent != END_TO_END)
