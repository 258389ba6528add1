"""The devices that a prediction runs on: their line in the log, and how many tiles they take at once."""

import logging

import jax

log = logging.getLogger(__name__)

ON_CPU, ON_ACCELERATOR = 1, 4


def tiles_at_once() -> int:
    """How many tiles of a scene a network is given at once.

    On CPUs a tile in a batch takes longer than a tile alone (docs/reference/benchmarks.md). Accelerators need a batch to be
    used in full. The answers differ by rounding.
    """
    return ON_CPU if jax.default_backend() == "cpu" else ON_ACCELERATOR


def log_devices() -> None:
    """One line: the accelerators, or that there are none and what to do about it."""
    devices = jax.devices()
    if devices[0].platform == "cpu":
        log.info(
            "no GPU or TPU found, computing on the CPU (slow for large networks); on a machine with one install the extra "
            "[cuda12], [cuda13] or [tpu]; in Colab choose Runtime > Change runtime type"
        )
    else:
        log.info("computing on %d x %s", len(devices), devices[0].device_kind)
