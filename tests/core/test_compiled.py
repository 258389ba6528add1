"""The cache of compiled programs: where it lies, who decides, and that a read-only home is no error."""

import os

import pytest

from glacierjax.core import compiled


@pytest.fixture
def variables(monkeypatch, tmp_path):
    """No variables of JAX, and a home of its own."""
    for name in (compiled.FOLDER, *compiled.SETTINGS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def test_programs_are_kept_in_the_cache_folder_of_the_user(variables, tmp_path):
    compiled.keep_compiled_programs()
    assert os.environ[compiled.FOLDER].startswith(str(tmp_path))
    assert compiled.SETTINGS.items() <= dict(os.environ).items()


def test_the_variables_of_the_user_decide(variables):
    variables.setenv(compiled.FOLDER, "/elsewhere")
    compiled.keep_compiled_programs()
    assert os.environ[compiled.FOLDER] == "/elsewhere"
    assert not compiled.SETTINGS.keys() & os.environ.keys()


def test_a_home_that_cannot_be_written_is_no_error(variables, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    variables.setattr(compiled.platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache" / "glacierjax"))
    compiled.keep_compiled_programs()
    assert compiled.FOLDER not in os.environ
