"""The rules of the project: which package may import which, how long a file may be, and what no file may contain."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "glacierjax"
FLOORS = {
    "core": 0,
    **dict.fromkeys(("datasets", "fronts"), 1),
    **dict.fromkeys(("data", "model", "geo", "simulate"), 2),
    **dict.fromkeys(("tasks", "checkpoints"), 3),
    **dict.fromkeys(("training", "reports", "terminus"), 4),
    "labels": 5,
    "prediction": 5,
    "evaluation": 6,
    "campaign": 6,
    "recipes": 7,
}
ENTRY_FLOOR = 8  # modules directly in the package: commands and what users import
MAX_LINES = 350
NO_JAX = ("core", "datasets", "data", "fronts", "simulate", "reports", "geo", "terminus", "labels")
HEAVY = ("tensorflow_datasets", "grain", "rasterio", "ml_collections")
OWN_SOURCES = sorted((ROOT / PACKAGE).rglob("*.py"))
SOURCES = sorted(
    path for folder in (PACKAGE, "tfds_builders", "configs", "tests") for path in (ROOT / folder).rglob("*.py")
)


def part(module: str) -> str:
    """The part of the package that a dotted module name belongs to; a module directly in it is its own part."""
    return module.split(".")[1] if "." in module else ""


def floor(module: str) -> int:
    return FLOORS.get(part(module), ENTRY_FLOOR)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of every import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            base = node.module or ""
            for alias in node.names:
                # `from glacierjax.core import cli` imports the module glacierjax.core.cli
                yield node.lineno, f"{base}.{alias.name}" if base.split(".")[0] == PACKAGE else base


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_part_has_a_floor():
    parts = {path.parent.name for path in (ROOT / PACKAGE).glob("*/__init__.py")}
    assert parts == set(FLOORS)


@pytest.mark.parametrize("path", OWN_SOURCES, ids=shown)
def test_imports_go_downwards_only(path):
    importer = module_of(path)
    for line, module in imports(path):
        if module.split(".")[0] != PACKAGE:
            continue
        same = part(module) == part(importer)
        below = floor(module) < floor(importer)
        assert same or below, f"{shown(path)}:{line}: floor {floor(importer)} imports {module} of floor {floor(module)}"


@pytest.mark.parametrize("path", [p for p in OWN_SOURCES if p.parts[-2] in NO_JAX], ids=shown)
def test_parts_without_networks_do_without_jax(path):
    assert not {module.split(".")[0] for _, module in imports(path)} & {"jax", "flax", "optax", "orbax"}


def test_training_is_blind_to_prediction_fronts_and_scores():
    for path in (ROOT / PACKAGE / "training").glob("*.py"):
        parts = {part(module) for _, module in imports(path) if module.startswith(f"{PACKAGE}.")}
        assert not parts & {"prediction", "fronts", "evaluation", "reports"}, shown(path)


def test_builders_import_only_core_and_datasets():
    for path in (ROOT / "tfds_builders").rglob("*.py"):
        if not path.name.endswith("_test.py"):
            parts = {part(module) for _, module in imports(path) if module.split(".")[0] == PACKAGE}
            assert parts <= {"core", "datasets"}, shown(path)


def test_every_package_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    there = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for folder in (PACKAGE, "tfds_builders")
        for file in (ROOT / folder).rglob("__init__.py")
    }
    assert set(settings["packages"]) == there | set(settings["package-dir"])


def test_nothing_but_the_commands_reads_the_flags():
    for path in OWN_SOURCES:
        reads = any(module == "absl.flags" or module.startswith("absl") for _, module in imports(path))
        is_command = "cli.run(" in path.read_text(encoding="utf-8")
        assert not reads or is_command or path.name in ("cli.py", "line_flags.py", "reading_flags.py", "pipeline.py"), (
            shown(path)
        )


def test_json_is_read_in_one_place():
    """There anything that is no JSON is a ValueError; the standard library raises other errors too."""
    readers = [shown(path) for path in OWN_SOURCES if re.search(r"\bjson\.loads?\(", path.read_text(encoding="utf-8"))]
    assert readers == ["glacierjax/core/json_values.py"]


@pytest.mark.parametrize("module", ["glacierjax.model", "glacierjax.tasks", "glacierjax.training.step"])
def test_networks_and_steps_import_on_a_bare_accelerator_machine(module):
    code = f"import sys, {module}; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_files_of_tests_have_names_of_their_own():
    """Pytest imports them by their names alone."""
    names = [path.name for folder in ("tests", "tfds_builders") for path in (ROOT / folder).rglob("*.py")]
    twice = {name for name in names if "test" in name and names.count(name) > 1}
    assert not twice - {"conftest.py"}


def test_no_file_names_a_place_on_somebodys_machine():
    place = re.compile(r"(?<![\w.$}>)/-])/(work|tmp|home|root|Users|mnt|scratch|nfs)/\w")
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: no list of the project's files")
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, cwd=ROOT
    ).stdout.split("\n")
    found = []
    for name in filter(None, kept):
        path = ROOT / name
        if path.suffix in (".npz", ".zip", ".png", ".jpg") or not path.is_file() or path.is_relative_to(ROOT / ".ci"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found += [f"{name}:{number}: {line.strip()}"] if place.search(line) else []
    assert found == []
