"""The notebooks in the repository, and the address of the repository in all links."""

import importlib.util
import re
import shutil
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "colab").glob("*.ipynb"))
LINK = re.compile(r"(?:https://colab\.research\.google\.com/github/|git\+https://github\.com/)([\w.-]+/[\w.-]+)")
README = "README.md"


@pytest.fixture(scope="module")
def address():
    """The script `colab/address.py`."""
    spec = importlib.util.spec_from_file_location("colab_address", ROOT / "colab" / "address.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def published(address) -> str:
    """OWNER/NAME of the repository, from pyproject.toml."""
    return address.address(ROOT).removeprefix(address.GITHUB)


def shown(path: Path) -> str:
    return path.stem


def badge(published: str, notebook: Path) -> str:
    return f"https://colab.research.google.com/github/{published}/blob/main/colab/{notebook.name})"


def test_there_are_five():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_quickstart",
        "02_finetune_caffe",
        "03_pretrain_ssl4sar",
        "04_evaluate_checkpoints",
        "05_your_glacier",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=shown)
def test_a_notebook_is_valid_and_has_no_outputs(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, set(notebook.metadata)) == (4, {"kernelspec"})
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert all(cell.metadata == {} for cell in notebook.cells)
    for cell in notebook.cells:
        assert cell.cell_type == "markdown" or (cell.outputs == [] and cell.execution_count is None)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=shown)
def test_a_notebook_begins_with_its_badge_then_installs_then_asks_for_the_size(path, published):
    cells = nbformat.read(path, as_version=4).cells
    assert badge(published, path) in cells[0].source
    install, parameters = [cell.source for cell in cells if cell.cell_type == "code"][:2]
    package = (
        "glacierjax[vector]" if "as_geotiffs" in "".join(c.source for c in cells) else "glacierjax"
    )  # writes Shapefiles
    assert f'%pip install --quiet "{package} @ git+https://github.com/{published}"' in install
    assert parameters.startswith('SIZE = "quick"  # @param ["quick", "full"]\n')


def test_the_readme_has_the_badge_of_each(published):
    text = (ROOT / README).read_text(encoding="utf-8")
    assert all(badge(published, path) in text for path in NOTEBOOKS)


def test_no_link_says_another_address_than_pyproject(address, published):
    for path in address.files(ROOT):
        assert set(LINK.findall(path.read_text(encoding="utf-8"))) <= {published}, path


def test_one_command_sets_the_address_everywhere(address, published, tmp_path):
    for path in address.files(ROOT):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    address.set_address(tmp_path, "https://github.com/me/fronts")
    for path in address.files(tmp_path):
        text = path.read_text(encoding="utf-8")
        assert set(LINK.findall(text)) <= {"me/fronts"} and f"github.com/{published}" not in text, path
    address.set_address(tmp_path, f"https://github.com/{published}")
    for path in address.files(tmp_path):
        assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes()
