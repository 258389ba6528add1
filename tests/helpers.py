"""Folders of the reference numbers, and how the tests check the signatures."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import jaxtyping
from beartype import BeartypeConf, beartype

GOLDENS = Path(__file__).parent / "goldens"  # compact, comes with every clone
SHARED = Path(__file__).parents[2] / "shared"  # full reference data and specifications, where they are laid beside it

_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int may stand where a float is expected


def typechecked(function: Callable) -> Callable:
    """The type checker of `conftest.py`. Nested functions are not checked, because each call would build new checks."""
    return function if "<locals>" in function.__qualname__ else _checked(function)


@contextlib.contextmanager
def unchecked() -> Iterator[None]:
    """Turns the checks off inside the block: for tests of a function's own error about a wrong shape."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
