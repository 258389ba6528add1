"""Scripts of studies as modules."""

import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def script(monkeypatch) -> Iterator[Callable[..., ModuleType]]:
    """Loads `experiments/STUDY/NAME.py`; the modules beside it are unloaded afterwards."""
    beside = set()

    def load(study: str, name: str = "run") -> ModuleType:
        folder = EXPERIMENTS / study
        monkeypatch.syspath_prepend(folder)
        beside.update(file.stem for file in folder.glob("*.py"))
        spec = spec_from_file_location(f"{study}_{name}", folder / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in beside:
        sys.modules.pop(name, None)
