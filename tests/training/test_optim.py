"""Optimisers and schedules compared with the rules of PyTorch, implemented here from its documentation."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from glacierjax.core.errors import InputError
from glacierjax.training.optim import MOMENTUM, MUON_RMS, Plateau, cosine_scale, make_optimizer, of_trained
from glacierjax.training.step import AXIS, TrainState, make_step

LEARNING_RATE = 0.01


def steps(name, weight_decay, params, gradients):
    """Parameters after each step with the given gradients."""
    optimizer = make_optimizer(name, weight_decay)
    state = optimizer.init(params)
    for gradient in gradients:
        direction, state = optimizer.update(gradient, state, params)
        params = {key: params[key] - LEARNING_RATE * direction[key] for key in params}
        yield params


@pytest.mark.parametrize("weight_decay", [0.0, 1e-4, 0.3])
def test_sgd_is_torchs_with_momentum_and_decay_on_every_parameter(weight_decay):
    generator = np.random.default_rng(0)
    start = {"kernel": generator.normal(size=(3, 4)), "bias": generator.normal(size=4)}
    gradients = [{key: generator.normal(size=value.shape) for key, value in start.items()} for _ in range(5)]
    expected, buffers = dict(start), dict.fromkeys(start, 0.0)
    ours = steps("sgd", weight_decay, {k: jnp.float32(v) for k, v in start.items()}, gradients)
    for gradient, params in zip(gradients, ours, strict=True):
        for key in expected:
            # torch.optim.SGD: d = g + weight_decay p; b = momentum b + d; p = p - lr b
            buffers[key] = MOMENTUM * buffers[key] + gradient[key] + weight_decay * expected[key]
            expected[key] = expected[key] - LEARNING_RATE * buffers[key]
            np.testing.assert_allclose(params[key], expected[key], rtol=2e-6, atol=1e-6)


def test_adamw_decays_kernels_and_leaves_biases():
    params = {"block": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}}
    zero = {"block": {"kernel": jnp.zeros((2, 2)), "bias": jnp.zeros(2)}}
    optimizer = make_optimizer("adamw", 0.5)
    direction, _ = optimizer.update(zero, optimizer.init(params), params)
    np.testing.assert_array_equal(direction["block"]["kernel"], 0.5)
    np.testing.assert_array_equal(direction["block"]["bias"], 0.0)


def test_adamw_clips_the_gradient_to_norm_1():
    params = {"a": jnp.zeros(2)}
    optimizer = make_optimizer("adamw", 0.0)
    moderate, _ = optimizer.update({"a": jnp.float32([0.6, 0.8])}, optimizer.init(params), params)
    _, state = optimizer.update({"a": jnp.float32([600, 800])}, optimizer.init(params), params)
    (mean,) = [part.mu for part in state if isinstance(part, optax.ScaleByAdamState)]
    np.testing.assert_allclose(mean["a"], [0.06, 0.08], rtol=1e-5)
    assert np.isfinite(moderate["a"]).all()


def test_muon_steps_along_all_singular_vectors_alike_and_leaves_vectors_to_adam():
    generator = np.random.default_rng(1)
    # Singular values from 1 to 1/100: plain momentum would hardly move along the last ones.
    left, _ = np.linalg.qr(generator.normal(size=(12, 5)))
    right, _ = np.linalg.qr(generator.normal(size=(5, 5)))
    matrix = left * np.geomspace(1, 0.01, 5) @ right.T
    gradient = {"kernel": jnp.float32(matrix), "bias": jnp.float32([0.3, -0.2, 0.0, 1e-3, 0.5])}
    params = {key: jnp.zeros_like(value) for key, value in gradient.items()}
    optimizer = make_optimizer("muon", 0.0)
    direction, _ = optimizer.update(gradient, optimizer.init(params), params)
    # Five iterations of its polynomial end between 0.65 and 1.25; then the mean square is made Adam's.
    values = np.linalg.svd(np.asarray(direction["kernel"]), compute_uv=False) / (MUON_RMS * np.sqrt(12))
    assert values.min() > 0.6 and values.max() < 1.3
    assert np.vdot(direction["kernel"], matrix) > 0, "a step goes down: minus the rate times the direction"
    steps_of_vector = np.asarray(direction["bias"]) / float(direction["bias"][0])
    np.testing.assert_allclose(steps_of_vector, np.sign(gradient["bias"]), atol=1e-3)


def test_muon_takes_a_convolution_as_the_matrix_of_all_its_inputs():
    generator = np.random.default_rng(2)
    kernel, start = (jnp.float32(generator.normal(size=(3, 3, 4, 8))) for _ in range(2))
    optimizer = make_optimizer("muon", 0.05)
    directions = []
    for shape in ((3, 3, 4, 8), (36, 8)):
        gradient, params = {"kernel": kernel.reshape(shape)}, {"kernel": start.reshape(shape)}
        direction, _ = optimizer.update(gradient, optimizer.init(params), params)
        directions.append(np.asarray(direction["kernel"]).reshape(36, 8))
    np.testing.assert_allclose(*directions, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["sgd", "adamw", "muon"])
@pytest.mark.parametrize(
    ("trained", "moving"),
    [
        ("all", {"encoder/norm1/scale", "encoder/qkv/kernel", "decoder/up0/kernel", "head/bias"}),
        ("decoder", {"decoder/up0/kernel", "head/bias"}),
        ("head", {"head/bias"}),
        ("norms", {"encoder/norm1/scale"}),
    ],
)
def test_only_the_chosen_parts_move(name, trained, moving):
    shapes = {"encoder": {"norm1": {"scale": 4}, "qkv": {"kernel": (4, 4)}}, "decoder": {"up0": {"kernel": (4, 4)}}}
    shapes["head"] = {"bias": 4}
    is_shape = {"is_leaf": lambda x: not isinstance(x, dict)}
    params = jax.tree.map(jnp.ones, shapes, **is_shape)
    gradient = jax.tree.map(lambda shape: jnp.full(shape, 0.1), shapes, **is_shape)
    optimizer = make_optimizer(name, 0.01, trained)
    direction, _ = optimizer.update(gradient, optimizer.init(params), params)
    flat = jax.tree_util.tree_leaves_with_path(direction)
    moved = {"/".join(key.key for key in path) for path, leaf in flat if leaf.any()}
    assert moved == moving


def test_frozen_parts_do_not_count_when_gradients_are_clipped():
    params = {"encoder": {"norm": jnp.zeros(2)}, "decoder": {"norm": jnp.zeros(2)}}
    gradient = {"encoder": {"norm": jnp.float32([600, 800])}, "decoder": {"norm": jnp.float32([0.6, 0.8])}}
    optimizer = make_optimizer("adamw", 0.0, "decoder")
    _, state = optimizer.update(of_trained(gradient, "decoder"), optimizer.init(params), params)
    means = [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state) if "mu" in jax.tree_util.keystr(path)]
    np.testing.assert_allclose(sorted(float(leaf[1]) for leaf in means), [0, 0.08], rtol=1e-5)


class DeepWithHead:
    """A task: a wide encoder and a small head. The encoder's gradient costs most of a step."""

    def init(self, rng, batch):
        return {"encoder": {"w": jnp.full((4, 64, 64), 0.02)}, "head": {"w": jnp.ones((64, 1))}}

    def loss(self, params, batch, rng, train):
        features = batch["x"]
        for w in params["encoder"]["w"]:
            features = jnp.tanh(features @ w)
        return jnp.mean((features @ params["head"]["w"]) ** 2), {}


@pytest.mark.parametrize("trained", ["all", "head"])
def test_a_step_neither_computes_nor_counts_gradients_of_frozen_parts(trained):
    def step_of(trained):
        optimizer = make_optimizer("sgd", 0.0, trained)
        step = make_step(DeepWithHead(), optimizer, lambda batch: batch, trained=trained)
        params = DeepWithHead().init(None, None)
        state = TrainState(jnp.int32(0), params, optimizer.init(params))
        batch = {"x": jnp.full((1, 2, 32, 64), 0.01)}  # a device, two micro-batches
        spread = jax.jit(jax.vmap(step, (None, 0, None, None), axis_name=AXIS))
        return spread.lower(state, batch, jax.random.key(0), jnp.float32(0.1)).compile(), (state, batch)

    compiled, (state, batch) = step_of(trained)
    whole, _ = step_of("all")
    new, metrics = compiled(state, batch, jax.random.key(0), jnp.float32(0.1))
    moved = {part: not np.array_equal(new.params[part]["w"][0], state.params[part]["w"]) for part in state.params}
    assert moved == {"encoder": trained == "all", "head": True}
    flops, of_whole = (program.cost_analysis()["flops"] for program in (compiled, whole))
    assert flops == of_whole if trained == "all" else flops < 0.6 * of_whole
    mean_gradient = (state.params["head"]["w"] - new.params["head"]["w"][0]) / 0.1
    if trained == "head":
        np.testing.assert_allclose(metrics["gradient_norm"][0], jnp.linalg.norm(mean_gradient), rtol=1e-4)


def test_an_unknown_optimizer_is_named():
    with pytest.raises(InputError, match=r"config.optimizer.name='lion': choose sgd, adamw or muon"):
        make_optimizer("lion", 0.0)


def torch_rates(losses, factor, patience, threshold=1e-4):
    """Learning-rate factors after each epoch: ReduceLROnPlateau(mode="min", threshold_mode="rel"), as documented."""
    best, bad, rate = math.inf, 0, 1.0
    for loss in losses:
        if loss < best - abs(best) * threshold if math.isfinite(best) else loss < best:
            best, bad = loss, 0
        else:  # NaN compares false: an epoch without improvement
            bad += 1
        if bad > patience:
            rate, bad = rate * factor, 0
        yield rate


NAN = math.nan
SEQUENCES = {
    "falling": [1 / n for n in range(1, 20)],
    "flat": [1.0] * 20,
    "falls by less than the threshold": [1 - 5e-5 * n for n in range(20)],
    "falls by just more than the threshold": [(1 - 1.01e-4) ** n for n in range(20)],
    "improves on the last patient epoch": [1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8],
    "not a number at first": [NAN, NAN, NAN, NAN, 1.0, 1.0, 0.5],
    "not a number later": [1.0, NAN, 0.9, NAN, NAN, NAN, NAN, 0.8],
    "infinite": [math.inf] * 8 + [1.0],
    "noisy": list(1 / np.arange(1, 60) + np.random.default_rng(0).normal(0, 0.05, 59) + 0.3),
}


@pytest.mark.parametrize("losses", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize(("factor", "patience"), [(0.5, 5), (0.5, 2), (0.1, 0)])
def test_plateau_is_torchs(losses, factor, patience):
    plateau = Plateau(factor, patience)
    ours = []
    for loss in losses:
        plateau.update(loss)
        ours.append(plateau.scale)
    assert ours == list(torch_rates(losses, factor, patience))


def test_plateau_halves_after_more_bad_epochs_than_its_patience():
    plateau = Plateau(0.5, 5)
    scales = []
    for _ in range(13):
        plateau.update(1.0)
        scales.append(plateau.scale)
    assert scales == [1.0] * 6 + [0.5] * 6 + [0.25]


def test_cosine_rises_to_1_and_falls_to_0():
    scales = [cosine_scale(step, 30, 10) for step in range(31)]
    np.testing.assert_allclose(scales[:10], np.arange(1, 11) / 10)
    assert scales[10] == 1.0 and scales[20] == pytest.approx(0.5) and scales[30] == pytest.approx(0.0)
    assert (np.diff(scales[10:]) < 0).all()


def test_cosine_without_warm_up_starts_at_1():
    assert cosine_scale(0, 10, 0) == 1.0
