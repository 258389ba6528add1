"""Times network, training step and attention on the accelerator that is there (or the CPU), beside PyTorch if it is installed.

    python benchmarks/gpu.py [--size=published|small|tiny] [--px=512] [--batch=16] [--no_compile]

One call of less than ten minutes on a GPU. Default size: published on an accelerator, tiny on a CPU. Prints Markdown: the highest
rate of matrix products that the device reaches; forward pass, training step and an evaluation with overlap, with the share of
that rate; attention as it is here beside `jax.nn.dot_product_attention`; the same by PyTorch with the same weights (`twin.py`),
eager and compiled. Both sides take turns. What fails, for want of memory or of a library, is a row that says so.
"""

import argparse
import contextlib
import dataclasses
import functools
import importlib.util
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from training_steps import TrainingStep, training_step, with_preset

from glacierjax.checkpoints import params_to_torch
from glacierjax.core.choices import SEGMENTATION
from glacierjax.core.settings import NetworkSettings
from glacierjax.core.startup import keep_freed_memory
from glacierjax.model import Tyrion, build, flax_fields
from glacierjax.prediction.devices import tiles_at_once
from glacierjax.prediction.ensemble import make_network
from glacierjax.prediction.tiles import cut, predict_scene
from glacierjax.training import parallel
from glacierjax.training.start import counting_device

# Preset, side of a crop in pixels, crops of a micro-batch, side of the matrices, and the scene that is evaluated.
SIZES = {
    "published": ("tyrion", 512, 16, 8192, (1500, 1400)),
    "small": ("small", 256, 8, 2048, (600, 500)),
    "tiny": ("tiny", 64, 2, 512, (150, 100)),
}
REPEATS = 5
DTYPES = ("float32", "bfloat16")
Run = Callable[[], object]  # does its work once and waits for it
STEPS_OF_FORWARD = 3  # a training step counts as three forward passes


def in_turn(runs: Mapping[str, Run], repeats: int = REPEATS) -> dict[str, float]:
    """Seconds of the fastest of `repeats` calls of each; they take turns. NaN and a printed line for one that fails."""
    seconds = dict.fromkeys(runs, float("nan"))
    working = dict(runs)
    for number in range(repeats + 1):
        for name, run in list(working.items()):
            try:
                started = time.perf_counter()
                run()
                took = time.perf_counter() - started
            except (RuntimeError, ValueError, NotImplementedError, ImportError) as error:
                print(f"| {name} | failed: {' '.join(str(error).split())[:150]} | | |", flush=True)
                del working[name]
                seconds[name] = float("nan")
                continue
            if number:  # the first call compiles
                seconds[name] = took if number == 1 else min(seconds[name], took)
    return seconds


def matrix_rate(side: int, dtype: str) -> float:
    """Operations a second of a product of square matrices."""
    matrix = jnp.asarray(np.random.default_rng(0).normal(size=(side, side)), dtype)
    multiply = jax.jit(jnp.dot)
    return 2 * side**3 / in_turn({"product": lambda: multiply(matrix, matrix).block_until_ready()})["product"]


def step_of_jax(step: TrainingStep) -> Run:
    """A training step, as the training loop runs it."""
    spread = parallel.make_parallel("pmap")
    batch = {name: np.repeat(x[None], jax.local_device_count(), 0) for name, x in step.batch.items()}
    run = spread.parallelize(step.run)
    state = [spread.replicate(step.random_state())]
    key = np.asarray(jax.random.key_data(jax.random.key(1)))

    def once() -> object:
        state[0], metrics = run(state[0], batch, key, np.float32(1e-4))
        return jax.block_until_ready(metrics)

    return once


def attentions(heads: int, channels: int, windows: int, tokens: int, dtype: str) -> dict[str, Run]:
    """Attention with a position bias, forward and backward: written out as in the network, and by JAX's own function."""
    rng = np.random.default_rng(0)
    shape = windows, tokens, heads, channels // heads
    q, k, v = (jnp.asarray(rng.normal(size=shape), dtype) for _ in range(3))
    bias = jnp.asarray(rng.normal(size=(1, heads, tokens, tokens)), dtype)

    def written(q: jax.Array, k: jax.Array, v: jax.Array, bias: jax.Array) -> jax.Array:
        logits = jnp.einsum("nqhc,nkhc->nhqk", q, k, preferred_element_type=jnp.float32) + bias.astype(jnp.float32)
        return jnp.einsum("nhqk,nkhc->nqhc", jax.nn.softmax(logits).astype(dtype), v)

    def given(implementation: Any) -> Callable[..., jax.Array]:
        return functools.partial(_dot_product, implementation=implementation)

    def run(attend: Callable[..., jax.Array]) -> Run:
        gradient = jax.jit(jax.grad(lambda *x: (attend(*x).astype(jnp.float32) ** 2).sum(), (0, 1, 2, 3)))
        return lambda: jax.block_until_ready(gradient(q, k, v, bias))

    sides = {"attention as in the network": written, "jax.nn.dot_product_attention": given("xla")}
    if jax.default_backend() == "gpu" and dtype != "float32":
        sides["jax.nn.dot_product_attention, cuDNN"] = given("cudnn")
    return {f"{name}, {dtype}, gradients": run(attend) for name, attend in sides.items()}


def _dot_product(q: jax.Array, k: jax.Array, v: jax.Array, bias: jax.Array, implementation: Any) -> jax.Array:
    return jax.nn.dot_product_attention(q, k, v, bias, scale=1.0, implementation=implementation)


def of_torch(
    network: NetworkSettings, params: dict, images: np.ndarray, zones: np.ndarray, compiled: bool
) -> dict[str, Run]:
    """Forward pass and training step of PyTorch's twin; its first answer is compared with ours."""
    import torch
    from twin import loss, twin

    device = "cuda" if torch.cuda.is_available() else "cpu"
    state_dict, _ = params_to_torch(params, "tyrion", flax_fields(network))
    model = twin(network, images.shape[1], state_dict).to(device)
    pixels = torch.from_numpy(images).to(device)
    targets = torch.from_numpy(zones.astype(np.int64)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), 1e-4, momentum=0.9, weight_decay=1e-4)
    half = network.dtype == "bfloat16"

    def context() -> Any:
        return torch.autocast(device, torch.bfloat16) if half else contextlib.nullcontext()

    def prepared() -> Any:
        return (pixels.float() / 255)[:, None].expand(-1, 3, -1, -1)

    def round_factors(whether: bool) -> None:
        """Whether a GPU may take TF32 for products of float32, as ours does in training steps alone."""
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = whether

    def forward(called: Any) -> Any:
        round_factors(False)
        with torch.no_grad(), context():
            return called(prepared()).float().softmax(1).cpu().numpy()

    def step(called: Any) -> None:
        round_factors(True)
        optimizer.zero_grad()
        with context():
            value = loss(called(prepared()).float(), targets)
        value.backward()
        optimizer.step()
        value.item()

    kinds: dict[str, Any] = {"PyTorch": model}
    if compiled:
        kinds["torch.compile"] = torch.compile(model)
    ours = make_network(_hashable(network))(params, images)
    model.eval()
    difference = np.abs(np.moveaxis(forward(model), 1, -1) - ours).max()
    model.train()
    print(f"| largest difference of probabilities to PyTorch, {network.dtype} | {difference:.1e} | | |")
    runs: dict[str, Run] = {}
    for name, called in kinds.items():
        runs[f"{name}, forward"] = functools.partial(forward, called)
        runs[f"{name}, step"] = functools.partial(step, called)
    return runs


def _hashable(network: NetworkSettings) -> Any:
    return build(network, Tyrion)


def measure(dtype: str, options: argparse.Namespace, rate: float) -> None:
    """Prints the rows of a type."""
    preset, side, batch, _, scene = SIZES[options.size]
    side, batch = options.px or side, options.batch or batch
    step = training_step(SEGMENTATION, with_preset(preset, dtype), side, batch)
    network = with_preset(preset, dtype).network()
    params = step.random_state().params
    run = make_network(_hashable(network))
    on_device = jax.device_put(params)
    images, zones = step.batch["image"][0, ..., 0], step.batch["labels"][0]
    flops = _flops(network, params, side)
    runs = {
        "glacierjax, forward": lambda: run(on_device, images),
        "glacierjax, step": step_of_jax(step),
    }
    if importlib.util.find_spec("torch"):
        runs |= of_torch(network, params, images, zones, options.compile)
    for name, seconds in in_turn(runs, options.repeats).items():
        work = flops * batch * (STEPS_OF_FORWARD if name.endswith("step") else 1)
        what = f"{name}, {dtype}, {batch} crops of {side} px"
        print(f"| {what} | {seconds:.4f} s | {batch / seconds:.1f} crops/s | {work / seconds / rate:.0%} |", flush=True)
    image = np.random.default_rng(0).integers(0, 256, scene, np.uint8)
    tiles = len(cut(scene, "overlap", side).origins)

    def evaluate() -> object:
        return predict_scene(lambda tiles: run(on_device, tiles), image, "overlap", side, network.size_multiple)

    seconds = in_turn({"evaluation": evaluate}, 1)["evaluation"]
    what = f"a scene of {scene[0]} x {scene[1]}, mode overlap, {tiles} tiles, {tiles_at_once()} at once, {dtype}"
    print(
        f"| {what} | {seconds:.3f} s | {tiles / seconds:.1f} tiles/s | {flops * tiles / seconds / rate:.0%} |",
        flush=True,
    )
    tokens, heads = network.window_size**2, network.num_heads[0]
    windows = max(1, batch * (side // 4 // network.window_size) ** 2)
    for name, seconds in in_turn(attentions(heads, network.embed_dim, windows, tokens, dtype)).items():
        print(f"| {name}, stage 0 | {1e3 * seconds:.3f} ms | | |", flush=True)


def _flops(network: NetworkSettings, params: dict, side: int) -> float:
    """Operations of the forward pass of one image, as XLA counts them before it optimises."""
    model = _hashable(dataclasses.replace(network, dtype="float32"))
    shapes: Sequence[Any] = jax.eval_shape(lambda: (params, jnp.zeros((1, side, side, 1))))
    with counting_device():
        cost: Any = jax.jit(lambda params, x: model.apply({"params": params}, x)).lower(*shapes).cost_analysis()
    return float(cost["flops"]) if cost else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES)
    parser.add_argument("--px", type=int, default=0, help="side of a crop in pixels")
    parser.add_argument("--batch", type=int, default=0, help="crops at once")
    parser.add_argument("--dtypes", nargs="*", default=DTYPES, choices=DTYPES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--no_compile", dest="compile", action="store_false", help="without torch.compile")
    options = parser.parse_args()
    keep_freed_memory()  # as every command does
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # PyTorch needs room on the same device
    on_cpu = jax.default_backend() == "cpu"
    options.size = options.size or ("tiny" if on_cpu else "published")
    print(f"{jax.local_device_count()} x {jax.devices()[0].device_kind}, jax {jax.__version__}, size {options.size}\n")
    print("| what | time | rate | of the matrix rate |\n| --- | ---: | ---: | ---: |")
    for dtype in options.dtypes:
        rate = matrix_rate(SIZES[options.size][3], dtype)
        print(f"| products of matrices, {dtype} | | {rate / 1e12:.2f} TFLOP/s | 100% |", flush=True)
        measure(dtype, options, rate)


if __name__ == "__main__":
    main()
