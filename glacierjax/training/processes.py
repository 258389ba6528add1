"""Several processes that train together: finding each other (`jax.distributed`), and agreeing on values."""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

import jax
import numpy as np

from glacierjax.core.errors import InputError

log = logging.getLogger(__name__)

Value = TypeVar("Value")  # anything that JSON holds

FLAGS = ("coordinator_address", "num_processes", "process_id")


def connect(coordinator_address: str | None, num_processes: int | None, process_id: int | None) -> None:
    """Joins the other processes, before JAX is used: as the flags say, or as Slurm, Open MPI or a TPU pod tell.

    Without flags, on a machine alone, nothing is done. Raises `InputError` for flags that do not go together and when
    the others cannot be reached.
    """
    values = (coordinator_address, num_processes, process_id)
    given = [f"--{name}" for name, value in zip(FLAGS, values, strict=True) if value is not None]
    if given and len(given) < len(FLAGS):
        missing = next(f"--{name}" for name in FLAGS if f"--{name}" not in given)
        raise InputError(f"{missing}: missing; {', '.join(given)} need it too")
    if not given and not is_one_of_several(os.environ):
        return
    if num_processes is not None and process_id is not None and not 0 <= process_id < num_processes:
        raise InputError(
            f"--process_id={process_id}: choose 0 to {num_processes - 1} with --num_processes={num_processes}"
        )
    try:
        jax.distributed.initialize(coordinator_address, num_processes, process_id)
    except (ValueError, RuntimeError) as error:
        where = coordinator_address or "the coordinator that the cluster names"
        raise InputError(
            f"{where}: the processes did not find each other ({' '.join(str(error).split())[:200]})"
        ) from error
    if not is_first():  # only the first process logs
        logging.getLogger("glacierjax").setLevel(logging.WARNING)
    log.info("%d processes, %d devices", jax.process_count(), jax.device_count())


def is_one_of_several(environment: Mapping[str, str]) -> bool:
    """Whether a cluster started this process as one of several: a Slurm step, Open MPI, or the hosts of a TPU pod."""
    counts = [environment.get(name, "1") for name in ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE")]
    hosts = environment.get("TPU_WORKER_HOSTNAMES", "")
    return any(count.isdigit() and int(count) > 1 for count in counts) or "," in hosts


def exit_at_once(error: InputError) -> NoReturn:
    """Ends this process, one of several, at once: they would wait for each other, one in a step, the other at its exit.

    The others are ended by `jax.distributed` when they miss it.
    """
    print(f"process {jax.process_index()} of {jax.process_count()}: {error}", file=sys.stderr, flush=True)
    os._exit(2)


def are_several() -> bool:
    """Whether this process trains together with others."""
    return jax.process_count() > 1


def is_first() -> bool:
    """Whether this process writes the logs."""
    return jax.process_index() == 0


def agree(flag: bool) -> bool:
    """Whether the flag is set in any process; all of them must ask at the same step."""
    return any(gather(flag)) if are_several() else flag


def from_first(make: Callable[[], Value]) -> Value:
    """What the first process makes (anything that JSON holds), for all of them."""
    if not are_several():
        return make()
    values: list = gather(make() if is_first() else None)
    return values[0]


def gather(value: Value) -> list[Value]:
    """The values of all processes (anything that JSON holds), in their order; all of them must call it."""
    if not are_several():
        return [value]
    from jax.experimental import multihost_utils

    own = np.frombuffer(json.dumps(value).encode(), np.uint8)
    lengths = np.asarray(multihost_utils.process_allgather(np.int32(len(own))))
    padded = np.zeros(int(lengths.max()), np.uint8)
    padded[: len(own)] = own
    rows = np.asarray(multihost_utils.process_allgather(padded))
    return [json.loads(row[:length].tobytes()) for row, length in zip(rows, lengths, strict=True)]
