"""Lists the commands."""

import ast
import importlib.util
import sys
from pathlib import Path

# In the order in which they are needed.
COMMANDS = (
    "glacierjax.simulate",
    "tfds_builders.build",
    "glacierjax.train",
    "glacierjax.evaluate",
    "glacierjax.compare",
    "glacierjax.predict",
    "glacierjax.timeseries",
    "glacierjax.convert",
)


def main() -> int:
    """Prints each command with the first line of its documentation; nothing of it is imported."""
    wrong = sys.argv[1:] and not {"--help", "-h", "-help"} & set(sys.argv[1:])
    if wrong:
        known = f"glacierjax.{sys.argv[1]}"
        hint = f"python -m {known} --help" if known in COMMANDS else "python -m glacierjax lists the commands"
        print(f"glacierjax: unexpected argument {sys.argv[1]!r}; {hint}", file=sys.stderr)
        return 2
    width = max(map(len, COMMANDS))
    print("Calving fronts of glaciers in radar images. Commands (each has --help):\n")
    for command in COMMANDS:
        print(f"  python -m {command:{width}}  {summary(command)}")
    return 0


def summary(command: str) -> str:
    """The first line of a command's documentation."""
    spec = importlib.util.find_spec(command)
    if spec and spec.submodule_search_locations:
        spec = importlib.util.find_spec(f"{command}.__main__")
    if spec is None or spec.origin is None:
        return "not installed"
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0]


if __name__ == "__main__":
    sys.exit(main())
