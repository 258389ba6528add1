"""Command lines: absl flags, `--help`, and the exit codes.

0: done, 2: wrong usage or input, 130 or 143: stopped by Ctrl-C or SIGTERM, else: a bug.
"""

import difflib
import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import absl.logging
from absl import flags

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.startup import prepare_process
from glacierjax.core.version import version

BACKENDS = "xla_bridge.py"  # where JAX starts its devices; asked for one that it has no software for, it only asserts
HELP = {"--help", "-h", "-help"}
VERSION = "--version"
_ARGUMENT = re.compile(r"`([a-z]\w*)((?:\.\w+)*)`")
_REQUIRED = re.compile(r"flag --(\w+)=.*must have a value other than None")


def run(
    main: Callable[..., None],
    description: str | None,
    prepare: Callable[[list[str]], list[str]] | None = None,
    argv: Sequence[str] | None = None,
    flag_values: flags.FlagValues = flags.FLAGS,
    positional: bool = False,
    more_help: Callable[[list[str]], str] | None = None,
) -> int:
    """Parses the flags, runs `main`, and returns the exit code.

    `description` is what `--help` prints first; `prepare` may rewrite the arguments before they are parsed;
    `positional`: whether the command takes arguments without a name, which `main` then gets as a list; `more_help`: from the
    arguments to what `--help` prints last.
    """
    argv = expand_home(sys.argv if argv is None else argv)
    _log_plainly(flag_values)
    program = Path(argv[0])
    command = program.parent.name if program.stem == "__main__" else program.stem
    if VERSION in argv[1:]:
        return print_to_pipe(version_text())
    try:
        if HELP & set(argv[1:]):
            flags_help = f"{(description or '').strip()}\n\nFlags:\n{_flags_help(flag_values)}"
            return print_to_pipe(flags_help + (more_help(argv) if more_help else ""))
        prepare_process()
        if flag_values is not flags.FLAGS:
            flag_values.unparse_flags()  # what an earlier call in this process was given
        rest = _parse(flag_values, prepare(argv) if prepare else argv)[1:]
        if positional:
            main(rest)
        elif rest:
            raise InputError(f"unexpected argument {rest[0]!r}; flags are written --name=value")
        else:
            main()
    except (InputError, flags.Error) as error:
        text = error.as_flag() if isinstance(error, ArgumentError) else str(error)
        return _complain(command, with_flags(text, flag_values))
    except KeyboardInterrupt as error:
        _complain(command, "interrupted")
        # Its argument, if any, is another signal than that of Ctrl-C. Shells report ends by a signal this way.
        return 128 + (error.args[0] if error.args else signal.SIGINT)
    except OSError as error:
        if error.filename is None:
            raise
        what = f"cannot be read or written ({error.strerror})"
        return _complain(command, f"{error.filename}: {what}; look at its permissions, or choose another place")
    except (MemoryError, RuntimeError, AssertionError) as error:
        if advice := advice_for(error):
            return _complain(command, advice)
        raise
    return 0


def _parse(flag_values: flags.FlagValues, argv: Sequence[str]) -> list[str]:
    """Parses the flags; raises `InputError` for one that is required and missing, or given without a value."""
    try:
        rest = flag_values(argv)
    except flags.UnrecognizedFlagError as error:
        raise InputError(_unknown_flag(error.flagname, flag_values)) from error
    except flags.IllegalFlagValueError as error:
        if missing := _REQUIRED.match(str(error)):
            name = missing[1]
            raise InputError(f"--{name}: missing; {_help_of(flag_values[name])}") from error
        raise
    for name in flag_values:
        flag = flag_values[name]
        values = flag.value if isinstance(flag.value, list) else [flag.value]
        # An empty path would be the working directory.
        if flag.present and flag.default in (None, []) and "" in values:
            raise InputError(f"--{name}: missing; {_help_of(flag)}")
    return rest


def version_text() -> str:
    return f"glacierjax {version()}"


def print_to_pipe(text: str) -> int:
    """Prints text; a reader that goes away early (`glacierjax | head`) is no error. Returns the exit code 0."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
    return 0


def expand_home(argv: Sequence[str]) -> list[str]:
    """Arguments with `~` at the start of a value or of an item of a list replaced by the home folder.

    A shell expands `--output ~/out` itself, but leaves `--output=~/out` and quoted patterns as they are.
    """
    expanded = list(argv[:1])
    for argument in argv[1:]:
        name, equals, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
        items = ",".join(os.path.expanduser(item) for item in value.split(","))  # noqa: PTH111 (no path yet)
        expanded.append(f"{name}{equals}{items}")
    return expanded


def advice_for(error: Exception) -> str | None:
    """What to do about a machine that is too small or lacks what was asked for; None: it is something else, a bug.

    Told by the text, as the class of JAX's errors moves between versions (and commands may do without JAX).
    """
    text = str(error)
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text:
        return (
            f"out of memory ({text.splitlines()[0][:150] if text else 'of the computer'}); train with a smaller "
            "--config.micro_batch_size, predict and evaluate with --mode=tiled, or use a device with more memory"
        )
    frames = traceback.extract_tb(error.__traceback__)
    if "nable to initialize backend" in text or "nknown backend" in text or frames[-1].filename.endswith(BACKENDS):
        return (
            f"JAX finds no accelerator of the kind that JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS', '')} asks for; on a "
            "machine with one install the extra [cuda12], [cuda13] or [tpu] of glacierjax, else unset JAX_PLATFORMS"
        )
    return None


def reason_for(error: Exception) -> str:
    """Why something has no result, in a line; of what is no fault of the input too."""
    if isinstance(error, InputError):
        return str(error)
    logging.getLogger(__name__).debug("no result", exc_info=error)
    return advice_for(error) or f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def with_flags(text: str, flag_values: flags.FlagValues) -> str:
    """A message of the library with flags in place of the arguments that it names: `aoi` -> --aoi."""
    return _ARGUMENT.sub(lambda name: f"--{name[1]}{name[2]}" if name[1] in flag_values else name[0], text)


def _log_plainly(flag_values: flags.FlagValues) -> None:
    """Logs our own lines without decoration, and only errors of the libraries."""

    class WithFlags(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return with_flags(super().format(record), flag_values)

    absl.logging.use_absl_handler()
    absl.logging.set_verbosity(absl.logging.ERROR)
    log = logging.getLogger("glacierjax")
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(sys.stderr)]
    log.handlers[0].setFormatter(WithFlags())
    log.propagate = False


def _complain(command: str, error: object) -> int:
    line = " ".join(str(error).split())
    print(f"{command}: {line}", file=sys.stderr)
    return 2


def _help_of(flag: flags.Flag) -> str:
    """What the command says about its flag; absl appends a remark to those that may be repeated."""
    return (flag.help or "").split(";\n")[0]


def _unknown_flag(name: str, flag_values: flags.FlagValues) -> str:
    own = [flag.name for flag in _own_flags(flag_values)]
    close = difflib.get_close_matches(name, own, n=2)
    meant = f"did you mean --{' or --'.join(close)}?" if close else f"there are: --{', --'.join(own)}"
    return f"unknown flag --{name}; {meant}"


def _own_flags(flag_values: flags.FlagValues) -> list[flags.Flag]:
    """The flags of the command itself, without those that absl adds, in the order of their names."""
    if flag_values is flags.FLAGS:
        own = flag_values.get_key_flags_for_module(sys.argv[0])
    else:
        own = [flag_values[name] for name in flag_values]
    return sorted(own, key=lambda flag: flag.name)


def _flags_help(flag_values: flags.FlagValues) -> str:
    lines = []
    for flag in _own_flags(flag_values):
        default = f" (default: {flag.default})" if flag.default not in (None, "", []) else ""
        lines.append(f"  --{flag.name}: {_help_of(flag)}{default}")
    return "\n".join(lines)
