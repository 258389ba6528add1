"""From a source of samples to an endless-looking stream of batches, with threads or worker processes (Grain)."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from glacierjax.data.samples import SampleSource

THREADS = 4
PREFETCH = 8  # samples read ahead per process
PREFETCH_BATCHES = 2  # batches read ahead per worker process


@contextlib.contextmanager
def batches(source: SampleSource, start_step: int, workers: int) -> Iterator[Iterator[dict[str, np.ndarray]]]:
    """Batches from step `start_step` on: dicts of arrays (local batch, ...). The same for any number of `workers`."""
    import grain

    dataset: Any = grain.MapDataset.source(source).batch(source.local, drop_remainder=True)[start_step:]
    stream = dataset.to_iter_dataset(grain.ReadOptions(num_threads=THREADS, prefetch_buffer_size=PREFETCH))
    if workers:
        from absl import flags

        if not flags.FLAGS.is_parsed():  # Grain's worker processes insist on parsed flags
            flags.FLAGS.mark_as_parsed()
        stream = stream.mp_prefetch(grain.MultiprocessingOptions(workers, per_worker_buffer_size=PREFETCH_BATCHES))
    iterator = iter(stream)
    try:
        yield iterator
    finally:
        iterator.close()
