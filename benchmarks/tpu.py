"""Compiles the real training steps for TPUs, without a TPU, and prints what the compiler says of them.

    pip install --no-deps --target=EXTRA libtpu          # 200 MB; on Linux, x86-64
    PYTHONPATH=EXTRA python benchmarks/tpu.py [--preset=tyrion] [--px=256] [--micro_batch 8 16] [--topologies v5e:2x4]

Prints a row for each task, type, topology and micro-batch: memory of a chip, operations and bytes of a step, the shortest time
that the chip's arithmetic and memory allow for them, and the cycles that the compiler expects where it says so; then where the
bytes go. Of micro-batches in rising order the first that does not fit a chip is the last that is compiled.
XLA's counts take loops once, and its bytes include the chip's fast memory; ours are of the main memory, with loops as often as
they run.
It is an estimate of the compiler, no test of numbers. A program takes one to fifteen minutes of a core, the published network
up to half an hour.
"""

import argparse
import itertools
import os
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from hlo import Operation, by_part, operations
from jax.experimental import topologies
from training_steps import TASKS, TrainingStep, training_step, with_preset

from glacierjax.core.choices import PARALLEL
from glacierjax.core.settings.network import PRESETS
from glacierjax.training import parallel
from glacierjax.training.start import step_memory_mib

TERA, GIGA = 1e12, 1e9
OUT_OF_MEMORY = "RESOURCE_EXHAUSTED"  # the compiler's word where a program does not fit a chip


class Chip(NamedTuple):
    """What a chip can do, from Google's pages on its TPU versions."""

    operations_per_s: float  # bfloat16
    bytes_per_s: float
    memory_gib: int
    clock_hz: float


# Of each generation, by the first part of a topology's name.
CHIPS = {"v4": Chip(275e12, 1228e9, 32, 1.05e9), "v5e": Chip(197e12, 819e9, 16, 1.5e9)}


def compile_for(step: TrainingStep, devices: Sequence[Any], how: str) -> jax.stages.Compiled:
    """The step as one of `glacierjax.training.parallel`'s programs for devices that need not be there."""
    spread = parallel.BACKENDS[how](devices)
    number = len(devices)

    def on_each(x: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((number, *x.shape), x.dtype)

    state = jax.tree.map(on_each, step.state) if how == "pmap" else step.state
    key = jax.random.key_data(jax.random.key(0))
    batch = jax.tree.map(on_each, step.batch)
    arguments = state, batch, jax.ShapeDtypeStruct(key.shape, key.dtype), jax.ShapeDtypeStruct((), np.float32)
    return spread.parallelize(step.run).lower(*arguments).compile()


def row(name: str, compiled: jax.stages.Compiled, chip: Chip, crops: int, seconds: float) -> str:
    """A row of the table for a compiled step."""
    cost: Any = compiled.cost_analysis()
    memory = step_memory_mib(compiled)
    found = operations(compiled.as_text())
    flops, moved = cost["flops"], sum(operation.bytes for operation in found)
    arithmetic_s, memory_s = flops / chip.operations_per_s, moved / chip.bytes_per_s
    told = sum(operation.cycles for operation in found)
    expected = f"{1e3 * told / chip.clock_hz:.1f} ms" if told else ""
    least = max(arithmetic_s, memory_s)
    cells = (
        name,
        "unknown" if memory is None else f"{memory / 1024:.2f} of {chip.memory_gib} GiB",
        f"{flops / TERA:.3f}",
        f"{cost['bytes accessed'] / GIGA:.1f}",
        f"{moved / GIGA:.1f}",
        f"{1e3 * arithmetic_s:.1f} ms",
        f"{1e3 * memory_s:.1f} ms",
        expected,
        f"{crops / least:.0f}",
        f"{seconds:.0f} s",
    )
    return f"| {' | '.join(cells)} |"


def largest(found: Sequence[Operation], number: int) -> list[str]:
    """Where the bytes go: by part of the network, and the largest operations."""
    total = sum(operation.bytes for operation in found) or 1
    parts = [f"{part} {moved / GIGA:.2f}" for part, moved in by_part(found)[:number]]
    lines = [f"inputs and outputs of {len(found)} operations: {total / GIGA:.1f} GB, of it " + ", ".join(parts)]
    for operation in sorted(found, key=lambda operation: -operation.bytes)[:number]:
        lines.append(f"  {operation.bytes / GIGA:.3f} GB  {operation.kind}  {operation.origin}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="tyrion", choices=PRESETS)
    parser.add_argument("--px", type=int, default=256, help="side of a crop in pixels")
    parser.add_argument("--micro_batch", type=int, nargs="*", default=[4], help="crops of a chip at once")
    parser.add_argument("--accumulation", type=int, default=1, help="micro-batches of a step")
    parser.add_argument("--remat", action="store_true")
    parser.add_argument("--parallel", nargs="*", default=["pmap"], choices=PARALLEL)
    parser.add_argument("--tasks", nargs="*", default=TASKS, choices=TASKS)
    parser.add_argument("--dtypes", nargs="*", default=["bfloat16", "float32"])
    parser.add_argument("--topologies", nargs="*", default=["v5e:2x4", "v4:2x2x2"])
    parser.add_argument("--largest", type=int, default=8, help="operations to list")
    options = parser.parse_args()
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")  # there is no cloud machine to ask
    jax.config.update("jax_platforms", "cpu")
    print(f"jax {jax.__version__}, {options.preset}, {options.px} px, micro-batches a step: {options.accumulation}\n")
    columns = (
        "step",
        "memory",
        "TFLOP",
        "GB (XLA)",
        "GB",
        "by arithmetic",
        "by memory",
        "by the compiler's cycles",
        "crops/s at most",
        "compiled in",
    )
    print(f"| {' | '.join(columns)} |\n| --- |{' ---: |' * (len(columns) - 1)}")
    details = []
    for topology in options.topologies:
        devices = topologies.get_topology_desc(platform="tpu", topology_name=topology).devices
        for task, dtype, how in itertools.product(options.tasks, options.dtypes, options.parallel):
            model = with_preset(options.preset, dtype, options.remat)
            for micro_batch in options.micro_batch:
                name = f"{task}, {dtype}, {topology}, {how}, {micro_batch} crops"
                step = training_step(task, model, options.px, micro_batch, options.accumulation)
                started = time.monotonic()
                try:
                    compiled = compile_for(step, devices, how)
                except jax.errors.JaxRuntimeError as error:
                    if OUT_OF_MEMORY not in str(error):
                        raise
                    told = str(error).splitlines()[0]
                    print(f"| {name} | does not fit: {told} |{' |' * (len(columns) - 2)}", flush=True)
                    break
                seconds = time.monotonic() - started
                crops = micro_batch * options.accumulation
                print(row(name, compiled, CHIPS[topology.partition(":")[0]], crops, seconds), flush=True)
                details += [f"\n{name}:", *largest(operations(compiled.as_text()), options.largest)]
    print("\n".join(details))


if __name__ == "__main__":
    main()
