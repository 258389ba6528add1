"""Sets the address of the published project in pyproject.toml and in every link that contains it.

    python colab/address.py https://github.com/ME/glacierjax

These are the badges in the README and the notebooks, the install cells, and the pages of the documentation.
"""

import argparse
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
GITHUB = "https://github.com/"
COLAB = "https://colab.research.google.com/github/"


def address(root: Path) -> str:
    """The address in pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def files(root: Path) -> Iterator[Path]:
    """pyproject.toml and all files with links that contain the address."""
    yield root / "pyproject.toml"
    yield root / "README.md"
    yield root / "CITATION.cff"
    yield root / "CONTRIBUTING.md"
    yield root / "mkdocs.yml"
    yield from sorted((root / "docs").rglob("*.md"))
    yield from sorted((root / "colab").glob("*.ipynb"))


def set_address(root: Path, new: str) -> None:
    """Replaces the present address by `new`."""
    old = address(root)
    for path in files(root):
        text = path.read_text(encoding="utf-8")
        for site in (GITHUB, COLAB):
            text = re.sub(
                re.escape(site + old.removeprefix(GITHUB)) + r"(?![\w-])", site + new.removeprefix(GITHUB), text
            )
        path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="https://github.com/OWNER/NAME")
    new = parser.parse_args().address.rstrip("/")
    if not re.fullmatch(re.escape(GITHUB) + r"[\w.-]+/[\w.-]+", new):
        parser.error(f"{new}: expected {GITHUB}OWNER/NAME")
    set_address(ROOT, new)


if __name__ == "__main__":
    main()
