"""The flags that tell how scenes are read, for every command that reads files of any origin."""

from typing import NamedTuple

from absl import flags

from glacierjax.core import choices
from glacierjax.core.products import POLARISATIONS

flags.disclaim_key_flags()  # they belong to the command that defines them


class ReadingFlags(NamedTuple):
    polarisation: flags.FlagHolder[str | None]
    scale: flags.FlagHolder[str]
    nodata: flags.FlagHolder[str]


def define_reading_flags() -> ReadingFlags:
    """Defines --polarisation, --scale and --nodata."""
    return ReadingFlags(
        flags.DEFINE_enum(
            "polarisation",
            None,
            POLARISATIONS,
            "Polarisation to read from products with several. Default: the co-polarised one, HH or VV.",
        ),
        flags.DEFINE_enum(
            "scale",
            choices.AUTO,
            choices.SCALES,
            "Scale of values that are not 8-bit: amplitude, power (intensity), decibels, or stretch (optical images). auto: told "
            "by the file, or guessed.",
        ),
        flags.DEFINE_string("nodata", "auto", "Value that means no data, or none. auto: from the file, or guessed."),
    )
