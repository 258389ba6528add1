"""Folders of the reference numbers, how the tests check the signatures, and damaged copies of files."""

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import jaxtyping
import numpy as np
from absl import flags
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


def damaged(data: bytes, rng: np.random.Generator, head_bytes: int) -> bytes:
    """A copy with some bytes changed, without its end, or with changes among its first bytes only."""
    kind, copy = rng.integers(3), bytearray(data)
    if kind == 0:
        return bytes(copy[: rng.integers(len(copy))])
    reach = len(copy) if kind == 1 else min(len(copy), head_bytes)
    for place in rng.integers(0, reach, rng.integers(1, 8)):
        copy[place] = rng.integers(256)
    return bytes(copy)


@contextlib.contextmanager
def command_alone(module: str) -> Iterator[ModuleType]:
    """Imports a command afresh while no other command's flags are defined, and puts those back afterwards.

    Commands run one to a process, so they may define flags of the same name.
    """
    others = _remove_command_flags()
    sys.modules.pop(module, None)
    try:
        yield importlib.import_module(module)
    finally:
        _remove_command_flags()
        sys.modules.pop(module, None)
        for owner, flag in others:
            flags.FLAGS[flag.name] = flag
            flags.FLAGS.register_flag_by_module(owner, flag)


def _remove_command_flags() -> list[tuple[str, flags.Flag]]:
    """The modules and flags that were removed."""
    by_module = flags.FLAGS.flags_by_module_dict()
    removed = [(owner, flag) for owner, own in by_module.items() if owner.startswith("glacierjax") for flag in own]
    for _, flag in removed:
        delattr(flags.FLAGS, flag.name)
    return removed
