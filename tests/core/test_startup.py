"""What commands set at their start: the cache of compiled programs, and that freed memory is kept."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from glacierjax.core import startup


@pytest.fixture
def variables(monkeypatch, tmp_path):
    """No variables of JAX, and a home of its own."""
    for name in (startup.CACHE_FOLDER, *startup.CACHE_SETTINGS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def test_programs_are_kept_in_the_cache_folder_of_the_user(variables, tmp_path):
    startup.keep_compiled_programs()
    assert os.environ[startup.CACHE_FOLDER].startswith(str(tmp_path))
    assert startup.CACHE_SETTINGS.items() <= dict(os.environ).items()


def test_the_variables_of_the_user_decide(variables):
    variables.setenv(startup.CACHE_FOLDER, "/elsewhere")
    startup.keep_compiled_programs()
    assert os.environ[startup.CACHE_FOLDER] == "/elsewhere"
    assert not startup.CACHE_SETTINGS.keys() & os.environ.keys()


def test_a_home_that_cannot_be_written_is_no_error(variables, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    variables.setattr(startup.platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache" / "glacierjax"))
    startup.keep_compiled_programs()
    assert startup.CACHE_FOLDER not in os.environ


def test_the_documentation_tells_the_variables_of_this_program():
    page = (Path(__file__).parents[2] / "docs" / "howto" / "region.md").read_text(encoding="utf-8")
    told = " ".join(f"{name}={value}" for name, value in startup.kept_memory_variables().items())
    assert f'"export {told}"' in page


TAKE_AND_FREE = """
import resource, sys
from glacierjax.core.startup import keep_freed_memory
keep_freed_memory()
taken = bytearray(b"x") * 300_000_000
del taken
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
taken = bytearray(b"x") * 300_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the GNU C library has mallopt")
@pytest.mark.parametrize("variable", [None, "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"])
def test_freed_memory_is_kept_unless_the_user_decides(variable):
    """The system clears no page a second time (300 MB are 73,000 pages of 4 KiB)."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    env = others if variable is None else {**others, variable: "0" if variable.startswith("MALLOC") else ""}
    done = subprocess.run([sys.executable, "-c", TAKE_AND_FREE], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert (int(done.stdout) < 1000) == (variable is None)
