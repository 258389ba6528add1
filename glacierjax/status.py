"""Tells how far a campaign is, from any machine that sees its output.

  python -m glacierjax.status OUT

OUT is the --output of `glacierjax run`. Prints how many tasks are done, in work and without a result, how fast it goes, and why
tasks have no result.
"""

import sys

from glacierjax.core import cli


def main(arguments: list[str]) -> None:
    from glacierjax.campaign.status import status_of
    from glacierjax.core.errors import InputError

    if len(arguments) != 1:
        raise InputError("give one folder, the --output of glacierjax run")
    cli.print_to_pipe(status_of(arguments[0]))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__, positional=True))
