"""What the loop reads from a configuration beside its sizes, with what holds where a configuration does not say."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Settings:
    """Fields of the same names at the top of a configuration.

    `parallel`: "pmap" or "shard_map" (`training.parallel`). `checkpoint_every`: steps between two saved positions, beside
    the end of each epoch; 0: none. `skip_nonfinite`: how many steps of a run may be skipped because their loss or gradient
    is not finite; the next one stops it. `early_stop_epochs`: epochs without a lower validation loss after which the run
    ends; 0: never. `profile_steps`: so many steps of a start go into a JAX profile; 0: none.
    """

    parallel: str = "pmap"
    checkpoint_every: int = 0
    skip_nonfinite: int = 0
    early_stop_epochs: int = 0
    profile_steps: int = 0


def settings_of(config: Any) -> Settings:
    """The settings of a configuration (an `ml_collections.ConfigDict`)."""
    return Settings(
        **{field.name: config[field.name] for field in dataclasses.fields(Settings) if field.name in config}
    )
