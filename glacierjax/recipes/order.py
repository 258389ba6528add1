"""The samples that each process of a run reads."""

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
    """The order of samples, from the settings and the number of processes."""
    local = settings.batch_size // jax.process_count()
    return {
        "seed": settings.seed,
        "batch_size": settings.batch_size,
        "first": local * jax.process_index(),
        "local": local,
        "steps": settings.steps_per_epoch * settings.num_epochs,
    }
