"""Which samples a run reads, in which process."""

from typing import Any

import jax

from glacierjax.training.loop import steps_per_epoch


def sample_order(config: Any) -> dict[str, int]:
    """The fields of `data.samples.SampleSource` that a configuration and the number of processes decide."""
    local = config.batch_size // jax.process_count()
    return {
        "seed": config.seed,
        "samples_per_epoch": config.data.samples_per_epoch,
        "batch_size": config.batch_size,
        "first": local * jax.process_index(),
        "local": local,
        "steps": steps_per_epoch(config) * config.num_epochs,
    }
