"""What the network of series promises beyond the reference numbers."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.core.choices import TEMPORAL
from glacierjax.model import SeriesTyrion, Tyrion, preset
from glacierjax.model.temporal import (
    AttentionOverTime,
    ConvolutionOverTime,
    GatedUnit,
    RecurrenceOverTime,
    day_positions,
)

# Two stages compile quickly and have all parts: blocks with and without temporal modules, in encoder and decoder.
SIZES = {
    "embed_dim": 8,
    "depths": (1, 1),
    "num_heads": (1, 2),
    "window_size": 4,
    "mlp_ratio": 2,
    "num_groups": 4,
    "zero_init_norms": False,
}
EXCHANGING = TEMPORAL[1:]
IMAGES = jnp.asarray(np.random.default_rng(0).random((2, 3, 16, 24, 1), np.float32))
DAYS = jnp.array([[9, 40, 700], [2000, 2001, 2900]])


def network(kind, **fields):
    return SeriesTyrion(temporal=kind, **{**SIZES, **fields})


@pytest.fixture(scope="module")
def numbers():
    """Random parameters of each kind, temporal modules included: nothing starts as the identity."""

    def draw(kind):
        shapes = jax.eval_shape(network(kind).init, jax.random.key(0), IMAGES, DAYS)["params"]
        rng = np.random.default_rng(1)
        return jax.tree.map(lambda leaf: rng.normal(scale=0.5, size=leaf.shape).astype(np.float32), shapes)

    return {kind: draw(kind) for kind in TEMPORAL}


@pytest.fixture(scope="module")
def apply(numbers):
    """kind, images, days -> logits."""
    compiled = {kind: jax.jit(network(kind).apply) for kind in TEMPORAL}
    return lambda kind, images, days=None: np.asarray(compiled[kind]({"params": numbers[kind]}, images, days))


@pytest.mark.parametrize("kind", TEMPORAL)
def test_samples_together_equal_each_alone(apply, kind):
    together = apply(kind, IMAGES, DAYS)
    assert together.shape == (2, 3, 16, 24, 4) and together.dtype == np.float32
    for i in range(2):
        alone = apply(kind, IMAGES[i : i + 1], DAYS[i : i + 1])
        np.testing.assert_allclose(together[i : i + 1], alone, atol=1e-4 * np.abs(alone).max())


@pytest.mark.parametrize("kind", TEMPORAL)
def test_frames_of_a_sample_change_each_other_where_they_exchange(apply, kind):
    before, changed = apply(kind, IMAGES, DAYS), np.array(IMAGES)
    changed[0, 2] = 1 - changed[0, 2]
    moved = np.abs(apply(kind, changed, DAYS) - before).max(axis=(2, 3, 4)) > 1e-3
    expected = [[False, False, True], [False] * 3] if kind == "none" else [[True] * 3, [False] * 3]
    assert moved.tolist() == expected


@pytest.mark.parametrize("kind", ["none", "conv"])
def test_equal_frames_give_a_series_that_is_the_same_turned_round_in_time(apply, kind):
    logits = apply(kind, IMAGES[:, :1].repeat(3, axis=1), DAYS)
    np.testing.assert_allclose(logits, logits[:, ::-1], atol=1e-5 * np.abs(logits).max())


def test_dates_matter_for_attention_alone(apply):
    for kind in TEMPORAL:
        moved = np.abs(apply(kind, IMAGES, DAYS + np.array([[0, 0, 1]])) - apply(kind, IMAGES, DAYS)).max()
        assert (moved > 1e-3) == (kind == "ltae")


def temporal(module, maps, *more):
    """Fresh parameters of a module, and its output."""
    output, variables = jax.jit(lambda key, x: module.init_with_output(key, x, *more))(jax.random.key(0), maps)
    return variables, output


MODULES = {
    ConvolutionOverTime(8): (),
    RecurrenceOverTime(): (),
    AttentionOverTime(0.1): (DAYS, False),
}
MAPS = jnp.asarray(np.random.default_rng(2).normal(size=(2, 3, 4, 5, 16)), jnp.float32)


@pytest.mark.parametrize(("module", "more"), MODULES.items(), ids=EXCHANGING)
def test_fresh_modules_leave_the_frames_alone_except_recurrent_ones(module, more):
    _, output = temporal(module, MAPS, *more)
    assert np.array_equal(output, MAPS) != isinstance(module, RecurrenceOverTime)


@pytest.mark.parametrize(("module", "more"), MODULES.items(), ids=EXCHANGING)
def test_half_precision_changes_the_third_digit(module, more):
    variables, _ = temporal(module, MAPS, *more)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {np.dtype("float32")}
    rng = np.random.default_rng(3)
    variables = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32) / 4, variables)
    half = jax.jit(module.clone(dtype=jnp.bfloat16).apply, static_argnums=3)(
        variables, MAPS.astype(jnp.bfloat16), *more
    )
    full = jax.jit(module.apply, static_argnums=3)(variables, MAPS, *more)
    assert half.dtype == jnp.bfloat16 and not np.array_equal(half, full)
    np.testing.assert_allclose(half.astype(np.float32), full, atol=0.02 * np.abs(full).max())


@pytest.mark.parametrize(("frames", "height", "width"), [(2, 32, 64), (4, 96, 32), (8, 512, 512)])
def test_any_length_and_any_multiple_of_32(frames, height, width):
    images = jax.ShapeDtypeStruct((2, frames, height, width, 1), jnp.float32)
    days = jax.ShapeDtypeStruct((2, frames), jnp.int32)
    net = SeriesTyrion(temporal="ltae", **preset("mini"))
    logits, _ = jax.eval_shape(net.init_with_output, jax.random.key(0), images, days)
    assert logits.shape == (2, frames, height, width, 4) and logits.dtype == jnp.float32


@pytest.mark.parametrize(
    ("kind", "parameters"), [("none", 31_350_926), ("conv", 38_040_494), ("gru", 41_279_342), ("ltae", 34_856_632)]
)
def test_the_published_size_has_the_published_parameters(kind, parameters):
    """Those of the official state dicts but for 384 that are never used."""
    shapes = jax.eval_shape(
        SeriesTyrion(temporal=kind).init, jax.random.key(0), np.zeros((1, 2, 32, 32, 1)), DAYS[:1, :2]
    )
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == parameters


def test_the_narrow_decoder_serves_single_images_too():
    wide, narrow = (
        jax.eval_shape(Tyrion(**SIZES, narrow_decoder=kind).init, jax.random.key(0), IMAGES[0])["params"]
        for kind in (False, True)
    )
    series = jax.eval_shape(network("none").init, jax.random.key(0), IMAGES)["params"]
    assert jax.tree.map(jnp.shape, narrow) == jax.tree.map(jnp.shape, series)
    assert jax.tree.map(jnp.shape, wide["encoder"]) == jax.tree.map(jnp.shape, series["encoder"])


@pytest.mark.parametrize(
    ("kind", "images", "days", "problem"),
    [
        ("conv", IMAGES[:, :1], DAYS[:, :1], "needs two frames or more"),
        ("gru", IMAGES[:, :1], None, "needs two frames or more"),
        ("ltae", IMAGES, None, "needs the frames' days"),
        ("conv", IMAGES, DAYS[:, :2], r"days of shape \(2, 2\): expected \(2, 3\)"),
        ("conv", IMAGES[0], None, "expected .sample, frame, row, column"),
        ("conv", IMAGES[:, :, :12], None, "multiples of 8"),
        ("lstm", IMAGES, None, "choose one of none, conv, gru, ltae"),
    ],
)
def test_wrong_input_is_named(kind, images, days, problem):
    with pytest.raises(ValueError, match=problem):
        jax.eval_shape(network(kind).init, jax.random.key(0), images, days)


@pytest.mark.parametrize("kind", EXCHANGING)
def test_recomputation_keeps_the_names_and_less_for_the_backward_pass(numbers, kind):
    def kept_bytes(remat):
        def output(params):
            rngs = {"dropout": jax.random.key(5)}
            return network(kind, remat=remat).apply({"params": params}, IMAGES, DAYS, True, rngs=rngs)

        residuals = jax.eval_shape(lambda params: jax.vjp(output, params)[1], numbers[kind])
        return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(residuals))

    assert kept_bytes(True) < kept_bytes(False) / 1.5


def test_the_gated_unit_is_flaxs_with_both_biases_added():
    rng = np.random.default_rng(2)
    kernels = rng.normal(size=(2, 5, 15)).astype(np.float32)
    biases = rng.normal(size=(2, 15)).astype(np.float32)
    state, x = jnp.asarray(rng.normal(size=(2, 7, 5)), jnp.float32)
    ours, _ = GatedUnit(5).apply(
        {"params": {"state": {"kernel": kernels[1], "bias": biases[1]}}}, state, x @ kernels[0] + biases[:1]
    )
    of_input, of_state = (np.split(kernel, 3, axis=1) for kernel in kernels)
    i, h = (np.split(bias, 3) for bias in biases)
    theirs, _ = nn.GRUCell(5).apply(
        {
            "params": {
                "ir": {"kernel": of_input[0], "bias": i[0] + h[0]},
                "iz": {"kernel": of_input[1], "bias": i[1] + h[1]},
                "in": {"kernel": of_input[2], "bias": i[2]},
                "hr": {"kernel": of_state[0]},
                "hz": {"kernel": of_state[1]},
                "hn": {"kernel": of_state[2], "bias": h[2]},
            }
        },
        state,
        x,
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_positions_are_those_of_double_precision_for_any_date():
    days = np.array([[-40_000, -1, 0], [1, 9_496, 40_000]])
    angle = days[..., None] / 10_000 ** (2 * (np.arange(96) // 2) / 96)
    exact = np.where(np.arange(96) % 2, np.cos(angle), np.sin(angle))
    np.testing.assert_allclose(day_positions(jnp.asarray(days), 96), exact, atol=1e-6)
