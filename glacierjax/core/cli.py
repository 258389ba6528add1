"""Command lines: absl flags, `--help`, and the exit codes (0 done, 2 wrong usage or input, else a bug)."""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import absl.logging
from absl import flags

from glacierjax.core.errors import InputError

HELP = {"--help", "-h", "-help"}


def run(
    main: Callable[[], None],
    description: str | None,
    prepare: Callable[[list[str]], list[str]] | None = None,
    argv: Sequence[str] | None = None,
) -> int:
    """Parses the flags, runs `main`, and returns the exit code.

    `description` is what `--help` prints first; `prepare` may rewrite the arguments before they are parsed.
    """
    argv = list(sys.argv if argv is None else argv)
    _log_plainly()
    program = Path(argv[0])
    command = program.parent.name if program.stem == "__main__" else program.stem
    if HELP & set(argv[1:]):
        print((description or "").strip() + "\n\nFlags:\n" + _flags_help())
        return 0
    try:
        rest = flags.FLAGS(prepare(argv) if prepare else argv)
        if len(rest) > 1:
            raise InputError(f"unexpected argument {rest[1]!r}; flags are written --name=value")
        main()
    except (InputError, flags.Error) as error:
        return _complain(command, error)
    except KeyboardInterrupt:
        return _complain(command, "interrupted")
    return 0


def _log_plainly() -> None:
    """Our own lines as they are; of the libraries only what is wrong."""
    absl.logging.use_absl_handler()
    absl.logging.set_verbosity(absl.logging.ERROR)
    log = logging.getLogger("glacierjax")
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(sys.stderr)]
    log.propagate = False


def _complain(command: str, error: object) -> int:
    line = " ".join(str(error).split())
    print(f"{command}: {line}", file=sys.stderr)
    return 2


def _flags_help() -> str:
    """The flags of the command itself."""
    lines = []
    for flag in sorted(flags.FLAGS.get_key_flags_for_module(sys.argv[0]), key=lambda flag: flag.name):
        default = f" (default: {flag.default})" if flag.default not in (None, "", []) else ""
        lines.append(f"  --{flag.name}: {flag.help}{default}")
    return "\n".join(lines)
