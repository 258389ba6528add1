"""Command lines: absl flags, `--help`, and the exit codes (0 done, 2 wrong usage or input, else a bug)."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags, logging

from glacierjax.core.errors import InputError


def run(main: Callable[[], None], description: str | None, argv: Sequence[str] | None = None) -> int:
    """Parses the flags, runs `main`, and returns the exit code. `description` is what `--help` prints first."""
    argv = list(sys.argv if argv is None else argv)
    logging.use_absl_handler()
    logging.set_verbosity(logging.INFO)
    logging.get_absl_handler().setFormatter(None)
    program = Path(argv[0])
    command = program.parent.name if program.stem == "__main__" else program.stem
    if {"--help", "-h", "-help"} & set(argv[1:]):
        print((description or "").strip() + "\n\nFlags:")
        print(
            flags.FLAGS.main_module_help()
            if argv[0] == flags.FLAGS.find_module_defining_flag("help")
            else _flags_help()
        )
        return 0
    try:
        rest = flags.FLAGS(argv)
        if len(rest) > 1:
            raise InputError(f"unexpected argument {rest[1]!r}; flags are written --name=value")
        main()
    except (InputError, flags.Error) as error:
        return _complain(command, error)
    except KeyboardInterrupt:
        return _complain(command, "interrupted")
    return 0


def _complain(command: str, error: object) -> int:
    line = " ".join(str(error).split())
    print(f"{command}: {line}", file=sys.stderr)
    return 2


def _flags_help() -> str:
    """Our own flags only: those that modules of this project define."""
    by_module = flags.FLAGS.flags_by_module_dict()
    lines = []
    for module, defined in by_module.items():
        if module.startswith(("absl", "tensorflow", "jax", "ml_collections", "grain")):
            continue
        for flag in sorted(defined, key=lambda f: f.name):
            default = f" (default: {flag.default})" if flag.default not in (None, "", []) else ""
            lines.append(f"  --{flag.name}: {flag.help}{default}")
    return "\n".join(lines)
