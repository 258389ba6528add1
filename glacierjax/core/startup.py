"""What every command sets in its process before JAX is imported: compiled programs and freed memory are kept."""

import contextlib
import ctypes
import os
import platform
from pathlib import Path
from typing import NamedTuple

import platformdirs

from glacierjax.core.json_values import digest_of_json

CACHE_FOLDER = "JAX_COMPILATION_CACHE_DIR"
CACHE_SETTINGS = {
    "JAX_COMPILATION_CACHE_MAX_SIZE": str(1 << 30),  # bytes; the longest unused programs go first
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",  # what compiles faster is not worth a file
}


class _Option(NamedTuple):
    number: int  # of mallopt, in malloc.h of the GNU C library
    value: int


# By the variable that sets the same when a process starts.
_MALLOC = {
    "MALLOC_MMAP_MAX_": _Option(-4, 0),  # no piece of memory is the system's own, which would go back when it is freed
    "MALLOC_TRIM_THRESHOLD_": _Option(-1, 2**31 - 1),  # bytes that are kept when they are free; mallopt takes no more
    "MALLOC_ARENA_MAX": _Option(-8, 1),  # all threads share one heap, as only the first can grow without bound
}


def prepare_process() -> None:
    """Keeps compiled programs and freed memory (the functions below)."""
    keep_compiled_programs()
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Keeps the memory that this process frees for the next time that it needs some, up to 2 GiB.

    A network takes and frees the same large pieces in each step. As a rule Linux takes such pieces back at once and clears them
    before it gives them out again: a quarter of the processor's time in a small network's training step on one core.
    Who sets malloc's own variables decides. Without the GNU C library nothing happens.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option in _MALLOC.values():
            mallopt(option.number, option.value)


def kept_memory_variables() -> dict[str, str]:
    """Variables with which a new process does what `keep_freed_memory` does."""
    return {name: str(option.value) for name, option in _MALLOC.items()}


def keep_compiled_programs() -> None:
    """Keeps compiled programs on disk, so that the second start of a command does not compile again.

    JAX does the work (its persistent compilation cache); the results are the same bit for bit. Who sets JAX's own variables
    decides: JAX_COMPILATION_CACHE_DIR names another folder, JAX_ENABLE_COMPILATION_CACHE=0 turns it off. Without a folder that
    can be written, nothing is kept.
    """
    if CACHE_FOLDER in os.environ:
        return
    folder = Path(platformdirs.user_cache_dir("glacierjax", appauthor=False)) / "compiled" / _processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        for name, value in CACHE_SETTINGS.items():
            os.environ.setdefault(name, value)
        os.environ[CACHE_FOLDER] = str(folder)


def _processor() -> str:
    """A name for the kind of processor: a home folder may be shared by machines whose instructions differ."""
    text = platform.machine() + platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return digest_of_json(text)
