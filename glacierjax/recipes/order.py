"""Which samples a run reads, in which process."""

from typing import TypedDict

import jax

from glacierjax.core.settings import RunSettings


class SampleOrder(TypedDict):
    """Fields of `data.samples.SampleSource`."""

    seed: int
    batch_size: int
    first: int
    local: int
    steps: int


def sample_order(settings: RunSettings) -> SampleOrder:
    """What the settings and the number of processes decide."""
    local = settings.batch_size // jax.process_count()
    return {
        "seed": settings.seed,
        "batch_size": settings.batch_size,
        "first": local * jax.process_index(),
        "local": local,
        "steps": settings.steps_per_epoch * settings.num_epochs,
    }
