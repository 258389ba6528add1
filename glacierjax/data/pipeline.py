"""Streams of training batches, read ahead by threads or worker processes (Grain)."""

import contextlib
import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Generator, Iterator
from typing import Any

from glacierjax.core.errors import InputError
from glacierjax.data.samples import Sample, SampleSource

THREADS = 4
PREFETCH = THREADS  # batches read ahead per process, one by each thread
PREFETCH_BATCHES = 2  # batches read ahead per worker process


@contextlib.contextmanager
def batches(source: SampleSource, start_step: int, workers: int) -> Iterator[Iterator[Sample]]:
    """Batches from step `start_step` on: dicts of arrays (local batch, ...). The same for any number of `workers`.

    The iterator raises `InputError` for a sample that cannot be read and for a worker process that died.
    """
    import grain

    dataset: Any = grain.MapDataset.source(source).batch(source.local, drop_remainder=True)[start_step:]
    stream = dataset.to_iter_dataset(grain.ReadOptions(num_threads=THREADS, prefetch_buffer_size=PREFETCH))
    if workers:
        from absl import flags

        if not flags.FLAGS.is_parsed():  # Grain's worker processes insist on parsed flags
            flags.FLAGS.mark_as_parsed()
        stream = stream.mp_prefetch(
            grain.MultiprocessingOptions(workers, per_worker_buffer_size=PREFETCH_BATCHES), _be_a_worker
        )
    iterator = iter(stream)
    reader = _read(iterator)
    try:
        yield reader
    finally:
        iterator.close()
        # Batches that were read ahead lie in shared memory, which is freed with them, and they hang on cycles. Left to the
        # end of the program, Python would warn of leaked shared memory.
        reader.close()
        del iterator, reader
        gc.collect()


def _read(iterator: Iterator[Sample]) -> Generator[Sample, None, None]:
    """The same batches; what Grain raises about a dead process is an `InputError`."""
    while True:
        try:
            batch = next(iterator)
        except StopIteration:
            return
        except InputError:
            raise
        except RuntimeError as error:
            raise InputError(
                f"a process that reads training data died ({' '.join(str(error).split())[:100]}); if memory ran out, "
                "lower `config.data.workers`, then start the run again"
            ) from error
        except (OSError, ValueError) as error:
            raise InputError(
                f"training data cannot be read any more ({' '.join(str(error).split())[:200]}); start the run again"
            ) from error
        yield batch


def _be_a_worker(*_: int) -> None:
    """In a worker process: lives exactly as long as the training process, whatever is sent to the whole group.

    SIGTERM and Ctrl-C reach all processes of a job, but the training still needs batches to come to a clean end; and
    when it is killed, nobody else would end its workers.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None  # who runs this is a child

    def follow() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
