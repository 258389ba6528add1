"""The command `glacierjax`: lists the commands, or runs one of them."""

import ast
import runpy
import sys
from pathlib import Path

from glacierjax.core.cli import HELP, VERSION, print_to_pipe, version_text

# In the order in which they are needed.
COMMANDS = (
    "simulate",
    "label",
    "build",
    "train",
    "adapt",
    "evaluate",
    "compare",
    "predict",
    "timeseries",
    "composite",
    "plan",
    "run",
    "status",
    "convert",
    "export",
    "push",
)


def main() -> int:
    """Runs `glacierjax COMMAND ...` as `python -m glacierjax.COMMAND ...`; without a command lists them all."""
    arguments = sys.argv[1:]
    command = arguments[0] if arguments else "--help"
    if command == VERSION:
        return print_to_pipe(version_text())
    if command in HELP:
        return print_to_pipe(overview())
    if command not in COMMANDS:
        print(f"glacierjax: unknown command {command!r}; choose one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    sys.argv = sys.argv[:1] + arguments[1:]
    runpy.run_module(module_of(command), run_name="__main__", alter_sys=True)
    return 0


def overview() -> str:
    """Each command with the first line of its documentation; no command is imported."""
    width = max(map(len, COMMANDS))
    lines = [f"  glacierjax {command:{width}}  {summary(command)}" for command in COMMANDS]
    return "\n".join(["Calving fronts of glaciers in radar images. Commands (each has --help):\n", *lines])


def module_of(command: str) -> str:
    return f"glacierjax.{command}"


def summary(command: str) -> str:
    """The first line of a command's documentation."""
    text = ast.get_docstring(ast.parse(file_of(command).read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0]


def file_of(command: str) -> Path:
    """Where a command stands: a module, or the `__main__` of a package. Nothing is imported, which would take a second."""
    module = Path(__file__).parent / f"{command}.py"
    return module if module.exists() else module.with_suffix("") / "__main__.py"


if __name__ == "__main__":
    sys.exit(main())
