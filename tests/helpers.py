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
    """What `conftest.py` checks signatures with. Functions inside functions are left out: each call would build new checks."""
    return function if "<locals>" in function.__qualname__ else _checked(function)


@contextlib.contextmanager
def unchecked() -> Iterator[None]:
    """Signatures are not checked inside: for tests of what a function itself says of a wrong shape."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
