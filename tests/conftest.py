"""What all tests share: quick and cached compilation, checked shapes and types, no silent broadcasting, and their order."""

import logging
import os
from pathlib import Path

# Compiling takes most of the suite's time. Before JAX is imported; the commands that tests start take it over.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
import pytest
from jaxtyping import install_import_hook
from xdist.scheduler import LoadScopeScheduling

# Before anything of these packages is imported: their signatures are then checked at each call.
CHECKED = tuple(f"glacierjax.{part}" for part in ("fronts", "model", "prediction", "tasks", "training"))
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

# One process takes these files, because their tests share a trained network.
SHARE_A_NETWORK = {f"test_{name}.py" for name in ("training_run", "evaluation_run", "prediction_run", "bad_input")}
# The others that take longest; they start early, so that no process waits for them at the end.
LONG = [
    f"test_{name}.py"
    for name in (
        "network_parity",  # until the network that the next ones share is trained
        "adapt_run",
        "pretraining_run",
        "series_run",
        "notebooks",
        "series_parity",
        "parallel",
    )
]


# Tests of this folder compare with the official code, so they compile as users do.
OPTIMISED = "parity"


@pytest.fixture(scope="module", autouse=True)
def optimised(request: pytest.FixtureRequest):
    quick = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", quick and request.path.parent.name != OPTIMISED)
    yield
    jax.config.update("jax_disable_most_optimizations", quick)


@pytest.fixture(autouse=True)
def plain_log() -> None:
    """The log as it is before a command; commands that ran in this process left theirs."""
    log = logging.getLogger("glacierjax")
    log.handlers, log.propagate = [], True
    log.setLevel(logging.INFO)  # absl changes the level of the root


class WholeFiles(LoadScopeScheduling):
    """Gives each process whole files, whose tests share compiled networks, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "share a network" if Path(file).name in SHARE_A_NETWORK else file


def pytest_xdist_make_scheduler(config: pytest.Config, log) -> WholeFiles:
    config.option.loadscopereorder = False
    return WholeFiles(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first."""
    items.sort(key=lambda item: _place(item.path.name))


def _place(file: str) -> int:
    if file in SHARE_A_NETWORK:
        return 0
    return 1 + LONG.index(file) if file in LONG else 1 + len(LONG)
