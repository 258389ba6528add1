"""The table that is logged when a training starts, and the peak memory for its summary."""

import contextlib
import logging
import resource
import sys
from collections.abc import Mapping
from typing import Any

import jax

from glacierjax.core.json_values import Json
from glacierjax.training.step import Batch, Scalar, Task, TrainState

log = logging.getLogger(__name__)

MIB = 2**20


def log_table(rows: Mapping[str, str]) -> None:
    """Logs a table of two columns."""
    width = max(map(len, rows))
    log.info("%s", "\n".join(f"  {name:<{width}}  {value}" for name, value in rows.items()))


def figures(
    task: Task, state: TrainState, example: Batch, compiled: jax.stages.Compiled | None, images_per_sample: int = 1
) -> Json:
    """Figures of a run for its summary: devices, parameters, operations and memory; None where unknown."""
    flops = forward_flops(task, state, example)
    flops = None if flops is None else flops / images_per_sample
    memory_mib = step_memory_mib(compiled)
    return {
        "devices": jax.device_count(),
        "processes": jax.process_count(),
        "parameters": num_parameters(state.params),
        "forward_gflops_per_image": None if flops is None else round(flops / 1e9, 3),
        "step_memory_mib": None if memory_mib is None else round(memory_mib),
    }


def figures_text(figures: Json, compile_seconds: float) -> dict[str, str]:
    """The figures as text: rows of the table."""
    gflops, memory_mib, offered_mib = (
        figures["forward_gflops_per_image"],
        figures["step_memory_mib"],
        device_memory_mib(),
    )
    offered = "" if offered_mib is None else f" of {offered_mib:,.0f}"
    return {
        "parameters": f"{figures['parameters']:,}",
        "operations": "unknown"
        if gflops is None
        else f"{gflops:,.2f} GFLOP per image in the forward pass, about three times as many in a step",
        "memory": "unknown" if memory_mib is None else f"{memory_mib:,}{offered} MiB per device in a step",
        "compilation": f"{compile_seconds:.0f} s",
    }


def devices_text() -> str:
    """Number and kind of the devices, and number of processes if there are several."""
    devices = jax.devices()
    processes = f" in {jax.process_count()} processes" if jax.process_count() > 1 else ""
    return f"{len(devices)} x {devices[0].device_kind} ({devices[0].platform}){processes}"


def num_parameters(params: dict) -> int:
    """Number of values in a tree of parameters."""
    return sum(x.size for x in jax.tree.leaves(params))


def counting_device() -> contextlib.AbstractContextManager[Any]:
    """Programs that are lowered inside are the CPU's, whose operations XLA counts; it does not for GPUs (jaxlib 0.11.2)."""
    try:
        return jax.default_device(jax.local_devices(backend="cpu")[0])
    except RuntimeError:  # JAX_PLATFORMS leaves the CPU out
        return contextlib.nullcontext()


def forward_flops(task: Task, state: TrainState, batch: Batch) -> float | None:
    """Floating-point operations of the loss of one sample, as XLA counts them before optimisation; None if XLA does not tell."""

    def loss(params: dict, batch: Batch) -> Scalar:
        return task.loss(params, batch, jax.random.key(0), False)[0]

    shapes = jax.eval_shape(lambda: (state.params, batch))
    with counting_device():
        cost = jax.jit(loss).lower(*shapes).cost_analysis()
    samples = jax.tree.leaves(batch)[0].shape[0]
    return cost["flops"] / samples if cost and cost.get("flops", 0) > 0 else None


def step_memory_mib(compiled: jax.stages.Compiled | None) -> float | None:
    """Memory of the compiled step on one device: state, batch and temporaries; None if unknown."""
    analysis = None if compiled is None else compiled.memory_analysis()
    if analysis is None:
        return None
    whole = analysis.argument_size_in_bytes + analysis.output_size_in_bytes - analysis.alias_size_in_bytes
    return (whole + analysis.temp_size_in_bytes) / MIB


def device_memory_mib() -> float | None:
    """Memory of a device; None where it shares the memory of the machine."""
    stats = jax.local_devices()[0].memory_stats() or {}
    return stats["bytes_limit"] / MIB if "bytes_limit" in stats else None


def peak_memory_mib() -> float:
    """Peak memory: of the first device, or of this process where devices share the memory of the machine."""
    stats = jax.local_devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"] / MIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes on Linux, bytes on macOS
    return peak / MIB if sys.platform == "darwin" else peak / 1024
