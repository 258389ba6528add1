"""Folders of the reference numbers, how the tests check the signatures, damaged copies of files, and commands in this process."""

import contextlib
import importlib.util
import io
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
from absl import flags
from beartype import BeartypeConf, beartype

GOLDENS = Path(__file__).parent / "goldens"  # compact, comes with every clone
# Full reference data, specifications and real imagery, where they are at hand.
SHARED = Path(os.environ.get("GLACIERJAX_SHARED") or Path(__file__).parents[2] / "shared")
LANDSAT = SHARED / "data" / "landsat_fronts"
needs_landsat = pytest.mark.skipif(not LANDSAT.is_dir(), reason=f"no Landsat scenes in {LANDSAT} (GLACIERJAX_SHARED)")

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


def run_here(module: str, *arguments: object) -> subprocess.CompletedProcess:
    """Runs a command as `subprocess.run` would, but in this process, which spares it the imports."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(_without_other_commands())
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "the load_module", DeprecationWarning)  # of ml_collections
        sys.argv = [spec.origin, *map(str, arguments)]
        try:
            runpy.run_path(spec.origin, run_name="__main__")
        except SystemExit as done:
            code = done.code
        finally:
            _remove_command_flags(spec.origin)
            for name in [name for name in flags.FLAGS if name.startswith("config.")]:  # fields given after --config
                delattr(flags.FLAGS, name)
    assert isinstance(code, int)
    return subprocess.CompletedProcess([module, *map(str, arguments)], code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _without_other_commands() -> Iterator[None]:
    """Takes away the flags of commands that were imported, and puts them and the arguments back."""
    flags_of_others, argv = _remove_command_flags(), sys.argv
    try:
        yield
    finally:
        _define_again(flags_of_others)
        sys.argv = argv


def _remove_command_flags(script: str = "glacierjax") -> list[tuple[str, flags.Flag]]:
    """The modules and flags that were removed."""
    by_module = flags.FLAGS.flags_by_module_dict()
    removed = [(owner, flag) for owner, own in by_module.items() if owner.startswith(script) for flag in own]
    for _, flag in removed:
        delattr(flags.FLAGS, flag.name)
    return removed


def _define_again(removed: list[tuple[str, flags.Flag]]) -> None:
    for owner, flag in removed:
        flags.FLAGS[flag.name] = flag
        flags.FLAGS.register_flag_by_module(owner, flag)
