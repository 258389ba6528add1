"""The notebooks, run from top to bottom without a browser: pictures, scores, and no warnings."""

import math
import re
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

COLAB = Path(__file__).parents[2] / "colab"
NOTEBOOKS = sorted(COLAB.glob("*.ipynb"))
CELL_TIMEOUT_S = 1800
SCORE = re.compile(r"mean distance error (none|[\d.]+ m), (\d+) missing front\(s\)")
COMPLAINT = re.compile(r"warning|traceback|deprecated|error:", re.IGNORECASE)


@pytest.fixture(scope="module")
def kernel(environment, tmp_path_factory) -> dict[str, str]:
    """The environment of the kernels, without the settings of the user."""
    return {**environment, "IPYTHONDIR": str(tmp_path_factory.mktemp("ipython"))}


def execute(path: Path, size: str, folder: Path, kernel: dict[str, str]) -> list[dict]:
    """The outputs of a notebook that ran in `folder`; raises when a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    (parameters,) = [cell for cell in notebook.cells if cell.source.startswith("SIZE = ")]
    parameters.source = parameters.source.replace('"quick"', f'"{size}"', 1)
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=kernel)
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def check(outputs: list[dict]) -> str:
    """Asserts that there are pictures, scores and no warnings; returns the printed text."""
    kinds = {output["output_type"] for output in outputs}
    assert "error" not in kinds
    text = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    assert [o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == "stderr"] == []
    assert not [line for line in text.splitlines() if COMPLAINT.search(line) and not SCORE.search(line)]
    shown = [output["data"] for output in outputs if "data" in output]
    assert [data for data in shown if len(data.get("image/png", "")) > 1000]
    assert [data for data in shown if "Evaluation on test" in data.get("text/html", "")]
    scores = SCORE.findall(text)
    assert scores and all(error == "none" or 0 <= float(error.split()[0]) < math.inf for error, _ in scores)
    return text


@pytest.mark.slow  # two minutes
def test_quickstart_at_its_smallest(tmp_path, kernel):
    check(execute(NOTEBOOKS[0], "smallest", tmp_path, kernel))
    assert (tmp_path / "workdir" / "quickstart_smallest" / "prediction" / "zones").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_in_quick_size(path, tmp_path, kernel):
    started = time.monotonic()
    two_devices = "--xla_force_host_platform_device_count=2"  # two cores are best used so
    faster = {"XLA_FLAGS": two_devices, "JAX_DISABLE_MOST_OPTIMIZATIONS": "0"}  # it computes longer than it compiles
    text = check(execute(path, "quick", tmp_path, {**kernel, **faster}))
    print(f"{path.stem}: {time.monotonic() - started:.0f} s; {SCORE.findall(text)}")
