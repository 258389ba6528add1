"""The one exception for everything that a user can get wrong."""

from collections.abc import Sequence
from pathlib import PurePath

SHOWN_NAMES, SHOWN_REASONS = 20, 5  # of many; one line is to stay readable


class InputError(ValueError):
    """Wrong usage or wrong input.

    The message is one line: what was found, in which file or flag, and what to do. Command lines print it and leave
    with exit code 2 (`glacierjax.core.cli`); in Python it is an ordinary `ValueError`. Functions know no flags: a message
    names arguments and settings in backticks, as in "give `aoi`", and the command line prints --aoi.
    """


class ArgumentError(InputError):
    """A value that an argument of a function cannot have; commands name the flag of the same name instead.

    `ArgumentError("mode", "fast", "choose one of tiled, whole")` says "mode='fast': choose one of ..." in Python and
    "--mode=fast: choose one of ..." on the command line.
    """

    def __init__(self, name: str, value: object, advice: str):
        shown = str(value) if isinstance(value, PurePath) else value
        super().__init__(f"{name}={shown!r}: {advice}")
        self.name, self.value, self.advice = name, value, advice

    def as_flag(self) -> str:
        """The message with the flag in place of the argument."""
        return f"--{self.name}={self.value}: {self.advice}"

    def __reduce__(self):
        return type(self), (self.name, self.value, self.advice)  # errors travel between processes


def some_names(names: Sequence[str], most: int = SHOWN_NAMES) -> str:
    """The names, of many the first ones and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def some_reasons(reasons: Sequence[str]) -> str:
    """What went wrong with several things, of many the first ones and how many more there are."""
    more = len(reasons) - SHOWN_REASONS
    return "; ".join(reasons[:SHOWN_REASONS]) + (f"; and {more} more" if more > 0 else "")
