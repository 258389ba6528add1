"""Several processes that train together: connecting them (`jax.distributed`) and exchanging values."""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn, TypeVar

import jax
import numpy as np

from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.json_values import parse_json

log = logging.getLogger(__name__)

Value = TypeVar("Value")  # anything that JSON holds

FLAGS = ("coordinator_address", "num_processes", "process_id")


def connect(coordinator_address: str | None, num_processes: int | None, process_id: int | None) -> None:
    """Connects to the other processes, by the flags or by what Slurm, Open MPI or a TPU pod state. Call it before JAX is used.

    Does nothing without flags outside a cluster. Raises `InputError` if one of the flags is missing and if the other
    processes cannot be reached.
    """
    values = (coordinator_address, num_processes, process_id)
    given = [f"`{name}`" for name, value in zip(FLAGS, values, strict=True) if value is not None]
    if given and len(given) < len(FLAGS):
        missing = next(f"`{name}`" for name in FLAGS if f"`{name}`" not in given)
        raise InputError(f"{missing}: missing; give it together with {', '.join(given)}")
    if not given and not is_one_of_several(os.environ):
        return
    if num_processes is not None and process_id is not None and not 0 <= process_id < num_processes:
        raise ArgumentError(
            "process_id", process_id, f"choose 0 to {num_processes - 1} with `num_processes`={num_processes}"
        )
    try:
        jax.distributed.initialize(coordinator_address, num_processes, process_id)
    except (ValueError, RuntimeError) as error:
        where = coordinator_address or "coordinator named by the cluster"
        raise InputError(f"{where}: the processes could not connect ({' '.join(str(error).split())[:200]})") from error
    if not is_first():  # only the first process logs
        logging.getLogger("glacierjax").setLevel(logging.WARNING)
    log.info("%d processes, %d devices", jax.process_count(), jax.device_count())


def is_one_of_several(environment: Mapping[str, str]) -> bool:
    """Whether a cluster started this process as one of several: a Slurm step, Open MPI, or the hosts of a TPU pod."""
    counts = [environment.get(name, "1") for name in ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE")]
    hosts = environment.get("TPU_WORKER_HOSTNAMES", "")
    return any(count.isdigit() and int(count) > 1 for count in counts) or "," in hosts


def exit_at_once(error: InputError) -> NoReturn:
    """Ends this process, one of several, without a clean exit, which would wait for processes that wait for this one.

    `jax.distributed` ends the other processes when it notices that this one is gone.
    """
    print(f"process {jax.process_index()} of {jax.process_count()}: {error}", file=sys.stderr, flush=True)
    os._exit(2)


def are_several() -> bool:
    """Whether this process trains together with others."""
    return jax.process_count() > 1


def is_first() -> bool:
    """Whether this process writes the logs."""
    return jax.process_index() == 0


def any_process(flag: bool) -> bool:
    """Whether the flag is set in any process; all processes must call this at the same step."""
    return any(gather(flag)) if are_several() else flag


def from_first(make: Callable[[], Value]) -> Value:
    """The value that `make` returns in the first process (anything that JSON holds), in all processes."""
    if not are_several():
        return make()
    values: list = gather(make() if is_first() else None)
    return values[0]


def gather(value: Value) -> list[Value]:
    """The values of all processes (anything that JSON holds), in their order; all processes must call this."""
    if not are_several():
        return [value]
    from jax.experimental import multihost_utils

    own = np.frombuffer(json.dumps(value).encode(), np.uint8)
    lengths = np.asarray(multihost_utils.process_allgather(np.int32(len(own))))
    padded = np.zeros(int(lengths.max()), np.uint8)
    padded[: len(own)] = own
    rows = np.asarray(multihost_utils.process_allgather(padded))
    return [parse_json(row[:length].tobytes()) for row, length in zip(rows, lengths, strict=True)]
