"""Command lines: absl flags, `--help`, and the exit codes (0 done, 2 wrong usage or input, else a bug)."""

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import absl.logging
from absl import flags

from glacierjax.core.errors import InputError

BACKENDS = "xla_bridge.py"  # where JAX starts its devices; asked for one that it has no software for, it only asserts
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
    argv = expand_home(sys.argv if argv is None else argv)
    _log_plainly()
    program = Path(argv[0])
    command = program.parent.name if program.stem == "__main__" else program.stem
    if HELP & set(argv[1:]):
        with contextlib.suppress(BrokenPipeError):  # `--help | head`
            print((description or "").strip() + "\n\nFlags:\n" + _flags_help(), flush=True)
            return 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains again at its end
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
    except (MemoryError, RuntimeError, AssertionError) as error:
        if advice := advice_for(error):
            return _complain(command, advice)
        raise
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
