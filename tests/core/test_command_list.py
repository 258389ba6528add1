"""`python -m glacierjax` lists the commands, and every command's help has an example."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from glacierjax.__main__ import COMMANDS, summary

ROOT = Path(__file__).parents[2]


def run(*arguments):
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd="/")


def test_every_command_of_the_package_is_listed():
    there = set()
    for path in (ROOT / "glacierjax").rglob("*.py"):
        if "\n    sys.exit(cli.run(main" in path.read_text(encoding="utf-8"):
            there.add(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__"))
    assert there == {command for command in COMMANDS if command.startswith("glacierjax.")}


def test_the_list_has_a_line_for_each_command():
    done = run("glacierjax")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for command in COMMANDS:
        (line,) = [line for line in lines if f"python -m {command} " in line]
        assert line.endswith(summary(command)) and summary(command).endswith(".")


def test_a_command_written_as_an_argument_is_corrected():
    done = run("glacierjax", "train")
    assert done.returncode == 2
    assert done.stderr == "glacierjax: unexpected argument 'train'; python -m glacierjax.train --help\n"
    assert run("glacierjax", "fly").stderr.endswith("python -m glacierjax lists the commands\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_documentation_of_a_command_has_an_example(command):
    spec = (
        importlib.util.find_spec(f"{command}.__main__") if "simulate" in command else importlib.util.find_spec(command)
    )
    assert spec is not None and spec.origin is not None
    assert f"\n  python -m {command} " in Path(spec.origin).read_text(encoding="utf-8").split('"""')[1]


def test_help_that_nobody_reads_to_its_end_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m glacierjax.convert --help | true", shell=True, capture_output=True, text=True, cwd="/"
    )
    assert done.stderr == ""
