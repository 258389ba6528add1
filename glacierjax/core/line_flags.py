"""The flags that tell which attributes of front lines hold what, for every command that reads lines."""

from typing import NamedTuple

from absl import flags

flags.disclaim_key_flags()  # they belong to the command that defines them


class LineFlags(NamedTuple):
    date: flags.FlagHolder[str]
    name: flags.FlagHolder[str]
    glacier: flags.FlagHolder[str]

    @property
    def values(self) -> tuple[str, str, str]:
        """Names of the attributes, in the order of `glacierjax.terminus.attributes.Fields`; "": not given."""
        return self.date.value, self.name.value, self.glacier.value


def define_line_flags() -> LineFlags:
    """Defines --date_field, --name_field and --glacier_field."""
    what = {"date_field": "date", "name_field": "scene's name", "glacier_field": "glacier"}
    return LineFlags(
        *(
            flags.DEFINE_string(name, "", f"Attribute of the lines with the {value}. Default: guessed by its name.")
            for name, value in what.items()
        )
    )
