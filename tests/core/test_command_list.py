"""The command `glacierjax`: it lists the commands and runs them, and every command's help has an example."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers import run_here

from glacierjax.__main__ import COMMANDS, file_of, module_of, summary
from glacierjax.core.version import version

ROOT = Path(__file__).parents[2]
STUB = "tfds_builders.build"  # the other name of glacierjax.build


def run(*arguments):
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd="/")


def test_every_command_of_the_package_is_listed():
    commands = set()
    for path in (ROOT / "glacierjax").rglob("*.py"):
        if (
            "\n    sys.exit(" in path.read_text(encoding="utf-8")
            and path.parent.name + path.stem != "glacierjax__main__"
        ):
            commands.add(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__"))
    assert commands == {module_of(command) for command in COMMANDS}


def test_the_list_has_a_line_for_each_command():
    done = run("glacierjax")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for command in COMMANDS:
        (line,) = [line for line in lines if f"  glacierjax {command} " in line]
        assert line.endswith(summary(command)) and summary(command).endswith(".")


@pytest.mark.parametrize("name", ["glacierjax", "predict", "evaluate", "train"])
def test_help_waits_for_no_large_library(name):
    module = module_of(name) if name in COMMANDS else "glacierjax"
    shown = (
        f"import runpy, sys; sys.argv = [{name!r}, '--help']\ntry: runpy.run_module({module!r}, run_name='__main__')\n"
    )
    found = "except SystemExit: print(sorted({'jax', 'rasterio', 'scipy', 'skimage'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", shown + found], capture_output=True, text=True, cwd="/")
    assert done.stderr == "" and done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["train", "build"])
def test_a_command_behind_the_name_of_the_package_is_that_command(command):
    done, same = run("glacierjax", command, "--help"), run(module_of(command), "--help")
    assert (done.returncode, done.stdout, done.stderr) == (0, same.stdout, "")
    assert "\nFlags:\n  --" in done.stdout
    wrong = run("glacierjax", command, "--bogus=1")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith(f"{command}: unknown flag --bogus; ") and len(wrong.stderr.splitlines()) == 1


def test_an_unknown_command_is_answered_with_those_that_there_are():
    done = run("glacierjax", "fly")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"glacierjax: unknown command 'fly'; choose one of {', '.join(COMMANDS)}\n"


@pytest.mark.parametrize("arguments", [("glacierjax",), ("glacierjax", "convert"), ("glacierjax.simulate",), (STUB,)])
def test_every_command_tells_the_version(arguments):
    done = run(*arguments, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"glacierjax {version()}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_documentation_of_a_command_has_an_example(command):
    assert f"\n  python -m {module_of(command)} " in file_of(command).read_text(encoding="utf-8").split('"""')[1]


@pytest.mark.parametrize(
    ("command", "others", "flag"),
    [
        ("predict", ("--input=a", "--output=o"), "checkpoint"),
        ("timeseries", ("--output=o",), "fronts"),
        ("train", (), "workdir"),
    ],
)
def test_a_required_flag_that_is_missing_or_empty_is_named(command, others, flag):
    for arguments in ((), (f"--{flag}=",)):
        done = run_here(module_of(command), *others, *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert done.stderr.startswith(f"{command}: --{flag}: missing; ")


@pytest.mark.parametrize("arguments", ["glacierjax", "glacierjax.convert --help", "glacierjax --version"])
def test_output_that_nobody_reads_to_its_end_is_no_error(arguments):
    done = subprocess.run(
        f"{sys.executable} -m {arguments} | true", shell=True, capture_output=True, text=True, cwd="/"
    )
    assert done.stderr == ""
