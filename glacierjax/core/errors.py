"""The one exception for everything that a user can get wrong."""


class InputError(ValueError):
    """Wrong usage or wrong input.

    The message is one line: what was found, in which file or flag, and what to do. Command lines print it and leave
    with exit code 2 (`glacierjax.core.cli`); in Python it is an ordinary `ValueError`.
    """
