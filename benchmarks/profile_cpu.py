"""Where the time of the forward pass and of a training step goes on a CPU, by part of the network.

    python benchmarks/profile_cpu.py [--preset=tyrion] [--px=512] [--what forward step]

One image or one crop, float32. JAX's profiler times the operations of the compiled program; their names tell the part. On
several cores operations overlap, so that the sum is more than the time by the clock.
"""

import argparse
import collections
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from hlo import origins, part_of
from training_steps import training_step, with_preset

from glacierjax.core.choices import SEGMENTATION
from glacierjax.core.settings.network import PRESETS
from glacierjax.core.startup import keep_freed_memory
from glacierjax.training import parallel
from glacierjax.training.start import step_memory_mib

RUNS = 3


def by_operation(run: Callable[[], object]) -> dict[str, float]:
    """Seconds a run spends in each operation of the compiled program, by the operation's name."""
    seconds: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            for _ in range(RUNS):
                run()
        (file,) = Path(folder).rglob("*.xplane.pb")
        profile = jax.profiler.ProfileData.from_file(str(file))
        for plane in profile.planes:
            for line in plane.lines:
                for event in line.events:
                    if any(name == "hlo_op" for name, _ in event.stats):
                        seconds[event.name] += event.duration_ns / 1e9 / RUNS
    return dict(seconds)


def report(name: str, run: Callable[[], object], compiled: jax.stages.Compiled, largest: int) -> None:
    """Prints time, memory, and the share of each part."""
    run()
    started = time.perf_counter()
    run()
    wall = time.perf_counter() - started
    named = origins(compiled.as_text())
    parts: collections.Counter[str] = collections.Counter()
    spent = by_operation(run)
    for operation, seconds in spent.items():
        parts[part_of(named.get(operation, operation))] += seconds
    total = sum(spent.values()) or 1
    memory = step_memory_mib(compiled)
    told = "unknown" if memory is None else f"{memory:,.0f} MiB"
    print(f"\n{name}: {wall:.2f} s by the clock, {total:.2f} s in {len(spent)} operations, {told}\n")
    print("| part | seconds | share |\n| --- | ---: | ---: |")
    for part, seconds in parts.most_common(largest):
        print(f"| {part} | {seconds:.3f} | {seconds / total:.0%} |")
    print()
    for operation, seconds in sorted(spent.items(), key=lambda pair: -pair[1])[:largest]:
        print(f"  {seconds:.3f} s  {operation}  {named.get(operation, '')}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="tyrion", choices=PRESETS)
    parser.add_argument("--px", type=int, default=512)
    parser.add_argument("--what", nargs="*", default=["forward", "step"], choices=["forward", "step"])
    parser.add_argument("--largest", type=int, default=16)
    options = parser.parse_args()
    keep_freed_memory()  # as every command does
    step = training_step(SEGMENTATION, with_preset(options.preset, "float32"), options.px, 1)
    state = step.random_state()
    if "forward" in options.what:
        model: Any = step.task
        image = step.batch["image"][0].astype(np.float32) / 255
        arguments = jax.device_put((state.params, image))
        forward = jax.jit(lambda params, x: jax.nn.softmax(model.model.apply({"params": params}, x)))
        compiled = forward.lower(*arguments).compile()
        report("forward", lambda: jax.block_until_ready(compiled(*arguments)), compiled, options.largest)
    if "step" in options.what:
        spread = parallel.make_parallel("pmap")
        batch = {name: x[None] for name, x in step.batch.items()}
        held = [spread.replicate(state)]
        key = np.asarray(jax.random.key_data(jax.random.key(1)))
        called = spread.parallelize(step.run)
        program = spread.compile(called, held[0], batch, key, np.float32(1e-4))
        assert program is not None  # one process

        def once() -> None:
            held[0], metrics = program(held[0], batch, key, np.float32(1e-4))
            jax.block_until_ready(metrics)

        report("step", once, program, options.largest)


if __name__ == "__main__":
    main()
