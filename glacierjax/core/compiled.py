"""Keeps compiled programs on disk, so that the second start of a command does not compile again.

JAX does the work (its persistent compilation cache); the results are the same bit for bit. Who sets JAX's own variables
decides: JAX_COMPILATION_CACHE_DIR names another folder, JAX_ENABLE_COMPILATION_CACHE=0 turns it off.
"""

import contextlib
import hashlib
import os
import platform
from pathlib import Path

import platformdirs

FOLDER = "JAX_COMPILATION_CACHE_DIR"
SETTINGS = {
    "JAX_COMPILATION_CACHE_MAX_SIZE": str(1 << 30),  # bytes; the longest unused programs go first
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",  # what compiles faster is not worth a file
}


def keep_compiled_programs() -> None:
    """Sets JAX's variables, before JAX is imported. Without a folder that can be written, nothing is kept."""
    if FOLDER in os.environ:
        return
    folder = Path(platformdirs.user_cache_dir("glacierjax", appauthor=False)) / "compiled" / _processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        os.environ[FOLDER] = str(folder)


def _processor() -> str:
    """A name for the kind of processor: a home folder may be shared by machines whose instructions differ."""
    text = platform.machine() + platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        text += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(text.encode()).hexdigest()[:12]
