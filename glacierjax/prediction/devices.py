"""What a computation runs on, in words."""

import logging

import jax

log = logging.getLogger(__name__)


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
