"""The one exception for everything that a user can get wrong."""

from collections.abc import Sequence

SHOWN_NAMES = 20  # of many; one line is to stay readable


class InputError(ValueError):
    """Wrong usage or wrong input.

    The message is one line: what was found, in which file or flag, and what to do. Command lines print it and leave
    with exit code 2 (`glacierjax.core.cli`); in Python it is an ordinary `ValueError`.
    """


def some_names(names: Sequence[str]) -> str:
    """The names, of many the first ones and how many more there are."""
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
