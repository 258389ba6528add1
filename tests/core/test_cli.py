"""The common behaviour of all commands: help, exit codes, one line on stderr."""

import os
import pickle
import subprocess
import sys

import pytest
from absl import flags

from glacierjax.core.cli import expand_home, with_flags
from glacierjax.core.errors import ArgumentError

SCRIPT = '''
"""Greets somebody.

  python -m greet --name=Ice
"""

import logging
import sys

from absl import flags, logging as absl_logging

from glacierjax.core import cli
from glacierjax.core.errors import InputError

NAME = flags.DEFINE_string("name", "Ice", "Whom to greet.")
COUNT = flags.DEFINE_integer("count", 1, "How often.")


def main():
    if NAME.value == "nobody":
        raise InputError("--name=nobody: nobody there;\\n  choose somebody")
    if NAME.value == "locked":
        raise PermissionError(13, "Permission denied", "/ice/scenes")
    if NAME.value == "bug":
        raise RuntimeError("a bug")
    if NAME.value == "big":
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.\\nand more")
    if NAME.value == "bigger":
        raise MemoryError
    if NAME.value == "gpu":
        raise RuntimeError("Unable to initialize backend 'cuda': not there")
    if NAME.value == "ctrl-c":
        raise KeyboardInterrupt
    if NAME.value == "sigterm":
        raise KeyboardInterrupt(15)
    logging.getLogger("glacierjax.greet").info("hello %s", NAME.value)
    absl_logging.info("chatter of a library")
    logging.getLogger("other.package").info("more of it")
    print("greeted", COUNT.value)


def more(argv):
    if "--count=0" in argv:
        raise InputError("--count=0: nothing to explain")
    return "\\n\\nMore help."


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__, more_help=more))
'''


@pytest.fixture(scope="module")
def greet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("greet")
    (folder / "greet.py").write_text(SCRIPT)

    def run(*flags):
        environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
        command = [sys.executable, "-m", "greet", *flags]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)

    return run


def test_a_place_that_may_not_be_read_is_one_line(greet):
    done = greet("--name=locked")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "greet: /ice/scenes: cannot be read or written (Permission denied); look at its permissions, or choose another place\n"
    )


def test_the_home_folder_stands_for_its_sign_in_every_flag(monkeypatch):
    monkeypatch.setenv("HOME", "/h/ice")
    given = ["predict", "--output=~/out", "-o=~", "--input", "~/a*.tif", "--config.data.dir=~/d", "--parts=~/1,b~,~/2"]
    assert expand_home([*given, "--glacier=a~/b"]) == [
        "predict",
        "--output=/h/ice/out",
        "-o=/h/ice",
        "--input",
        "/h/ice/a*.tif",
        "--config.data.dir=/h/ice/d",
        "--parts=/h/ice/1,b~,/h/ice/2",
        "--glacier=a~/b",
    ]


def test_a_command_that_is_done_leaves_with_0_and_logs_its_own_lines_plainly(greet):
    done = greet("--name=Glacier", "--count", "2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "greeted 2\n", "hello Glacier\n")


@pytest.mark.parametrize("flag", ["--help", "-h", "-help"])
def test_help_shows_the_description_and_the_commands_own_flags(greet, flag):
    done = greet("--count=x", flag)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Greets somebody.\n") and "python -m greet --name=Ice" in done.stdout
    flags = done.stdout.split("Flags:\n")[1].splitlines()
    own = ["  --count: How often. (default: 1)", "  --name: Whom to greet. (default: Ice)"]
    assert flags == [*own, "", "More help."]


def test_help_that_needs_something_wrong_is_a_wrong_usage(greet):
    done = greet("--count=0", "--help")
    assert (done.returncode, done.stderr) == (2, "greet: --count=0: nothing to explain\n")


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--name=nobody"], "greet: --name=nobody: nobody there; choose somebody"),
        (["--nam=x"], "greet: unknown flag --nam; did you mean --name?"),
        (["--count=many"], "greet: flag --count=many: invalid literal for int() with base 10: 'many'"),
        (["somebody"], "greet: unexpected argument 'somebody'; flags are written --name=value"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_users_get_wrong_leaves_with_2_and_one_line(greet, flags, line):
    done = greet(*flags)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line + "\n")


@pytest.mark.parametrize(("name", "code"), [("ctrl-c", 130), ("sigterm", 143)])
def test_a_signal_is_reported_as_shells_do(greet, name, code):
    done = greet(f"--name={name}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "greet: interrupted\n")


@pytest.mark.parametrize(
    ("name", "what", "advice"),
    [
        ("big", "out of memory (RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.)", "--config.micro_batch_size"),
        ("bigger", "out of memory (of the computer)", "--mode=tiled"),
        ("gpu", "JAX finds no accelerator of the kind that JAX_PLATFORMS=cpu asks for", "[cuda12]"),
    ],
)
def test_a_machine_that_is_too_small_is_told_with_the_next_step(greet, name, what, advice):
    done = greet(f"--name={name}")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"greet: {what}; ")
    assert advice in done.stderr


def test_an_argument_of_a_function_is_a_flag_on_the_command_line():
    error = ArgumentError("mode", "fast", "choose one of tiled, whole")
    assert str(error) == "mode='fast': choose one of tiled, whole"
    assert error.as_flag() == "--mode=fast: choose one of tiled, whole"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_arguments_in_backticks_are_flags_on_the_command_line_if_the_command_has_them():
    known = flags.FlagValues()
    for name in ("aoi", "config"):
        flags.DEFINE_string(name, "", "", flag_values=known)
    text = "give `aoi`=FILE, not `box`; `config.data.dir` is what `glacierjax build --data_dir` wrote"
    told = "give --aoi=FILE, not `box`; --config.data.dir is what `glacierjax build --data_dir` wrote"
    assert with_flags(text, known) == told


def test_a_bug_shows_its_traceback(greet):
    done = greet("--name=bug")
    assert done.returncode == 1 and "Traceback" in done.stderr and "RuntimeError: a bug" in done.stderr
