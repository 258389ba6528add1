"""What the network of series promises beyond the reference numbers."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model import SeriesTyrion, Tyrion, preset
from glacierjax.model.temporal import KINDS, GatedUnit, day_positions

# Two stages compile quickly and have all parts: blocks with and without temporal modules, in encoder and decoder.
SIZES = {
    "embed_dim": 8, "depths": (1, 1), "num_heads": (1, 2), "window_size": 4, "mlp_ratio": 2, "num_groups": 4,
    "zero_init_norms": False,
}  # fmt: skip
EXCHANGING = KINDS[1:]
IMAGES = np.random.default_rng(0).random((2, 3, 16, 24, 1), np.float32)
DAYS = np.array([[9, 40, 700], [2000, 2001, 2900]])


def network(kind, **fields):
    return SeriesTyrion(temporal=kind, **{**SIZES, **fields})


@pytest.fixture(scope="module")
def numbers():
    """Random parameters of each kind, temporal modules included: nothing starts as the identity."""

    def draw(kind):
        shapes = jax.eval_shape(network(kind).init, jax.random.key(0), IMAGES, DAYS)["params"]
        rng = np.random.default_rng(1)
        return jax.tree.map(lambda leaf: rng.normal(scale=0.5, size=leaf.shape).astype(np.float32), shapes)

    return {kind: draw(kind) for kind in KINDS}


@pytest.fixture(scope="module")
def apply(numbers):
    """kind, images, days -> logits."""
    compiled = {kind: jax.jit(network(kind).apply) for kind in KINDS}
    return lambda kind, images, days=None: np.asarray(compiled[kind]({"params": numbers[kind]}, images, days))


@pytest.mark.parametrize("kind", KINDS)
def test_samples_together_equal_each_alone(apply, kind):
    together = apply(kind, IMAGES, DAYS)
    assert together.shape == (2, 3, 16, 24, 4) and together.dtype == np.float32
    for i in range(2):
        alone = apply(kind, IMAGES[i : i + 1], DAYS[i : i + 1])
        np.testing.assert_allclose(together[i : i + 1], alone, atol=1e-4 * np.abs(alone).max())


@pytest.mark.parametrize("kind", EXCHANGING)
def test_frames_change_each_other_but_never_another_sample(apply, kind):
    before, changed = apply(kind, IMAGES, DAYS), IMAGES.copy()
    changed[0, 2] = 1 - changed[0, 2]
    difference = np.abs(apply(kind, changed, DAYS) - before).max(axis=(2, 3, 4))
    assert (difference[0] > 1e-3).all() and (difference[1] < 1e-4).all()


def test_without_exchange_each_frame_is_an_image_of_its_own(apply):
    as_samples = apply("none", IMAGES.reshape(6, 1, 16, 24, 1)).reshape(2, 3, 16, 24, 4)
    np.testing.assert_allclose(apply("none", IMAGES), as_samples, atol=1e-4)


@pytest.mark.parametrize("kind", ["none", "conv"])
def test_equal_frames_give_a_series_that_is_the_same_turned_round_in_time(apply, kind):
    equal = IMAGES[:1, :1].repeat(3, axis=1)
    logits = apply(kind, equal)
    np.testing.assert_allclose(logits, logits[:, ::-1], atol=1e-5 * np.abs(logits).max())


def test_dates_matter_for_attention_alone(apply):
    for kind in KINDS:
        moved = np.abs(apply(kind, IMAGES, DAYS + np.array([0, 0, 1])) - apply(kind, IMAGES, DAYS)).max()
        assert (moved > 1e-3) == (kind == "ltae")


@pytest.mark.parametrize("kind", EXCHANGING)
def test_fresh_modules_leave_the_frames_alone_except_recurrent_ones(apply, numbers, kind):
    fresh = jax.jit(network(kind).init)(jax.random.key(1), IMAGES, DAYS)["params"]

    def merged(own, given):
        return {
            name: merged(value, given[name]) if name in given and isinstance(value, dict) else given.get(name, value)
            for name, value in own.items()
        }

    logits = jax.jit(network(kind).apply)({"params": merged(fresh, numbers["none"])}, IMAGES, DAYS)
    assert np.allclose(logits, apply("none", IMAGES), atol=1e-4) == (kind != "gru")


@pytest.mark.parametrize("frames", [2, 4, 8])
@pytest.mark.parametrize(("height", "width"), [(32, 64), (512, 512)])
def test_any_length_and_any_multiple_of_32(frames, height, width):
    images = jax.ShapeDtypeStruct((2, frames, height, width, 1), jnp.float32)
    days = jax.ShapeDtypeStruct((2, frames), jnp.int32)
    net = SeriesTyrion(temporal="ltae", **preset("mini"))
    logits, _ = jax.eval_shape(net.init_with_output, jax.random.key(0), images, days)
    assert logits.shape == (2, frames, height, width, 4) and logits.dtype == jnp.float32


@pytest.mark.parametrize("name", ["tyrion", "small", "mini", "tiny"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_preset_makes_every_kind(name, kind):
    shapes = jax.eval_shape(
        SeriesTyrion(temporal=kind, **preset(name)).init, jax.random.key(0), jnp.zeros((1, 2, 32, 32, 1)), DAYS[:1, :2]
    )["params"]
    published = {"none": 31_350_926, "conv": 38_040_494, "ltae": 34_856_632, "gru": 41_279_342}
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes))
    assert count == published[kind] if name == "tyrion" else count < published["none"] / 6


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
def test_half_precision_keeps_float32_parameters_and_logits(apply, numbers, kind):
    half = network(kind, dtype=jnp.bfloat16)
    shapes = jax.eval_shape(half.init, jax.random.key(0), IMAGES, DAYS)["params"]
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    coarse, fine = jax.jit(half.apply)({"params": numbers[kind]}, IMAGES, DAYS), apply(kind, IMAGES, DAYS)
    assert coarse.dtype == jnp.float32
    np.testing.assert_allclose(coarse, fine, atol=0.1 * np.abs(fine).max())
    assert (coarse != fine).any()


@pytest.mark.parametrize("kind", EXCHANGING)
def test_recomputation_changes_neither_names_nor_gradients(numbers, kind):
    def gradient(remat):
        net = network(kind, remat=remat)

        def loss(params):
            rngs = {"dropout": jax.random.key(5)}
            return jnp.mean(net.apply({"params": params}, IMAGES, DAYS, True, rngs=rngs) ** 2)

        return jax.jit(jax.grad(loss))(numbers[kind])

    plain, recomputed = gradient(False), gradient(True)
    largest = max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(plain))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5 * largest), plain, recomputed)


def test_the_gated_unit_is_flaxs_with_both_biases_added():
    rng = np.random.default_rng(2)
    kernels = rng.normal(size=(2, 5, 15)).astype(np.float32)
    biases = rng.normal(size=(2, 15)).astype(np.float32)
    state, x = rng.normal(size=(2, 7, 5)).astype(np.float32)
    ours, _ = GatedUnit(5).apply(
        {"params": {"state": {"kernel": kernels[1], "bias": biases[1]}}}, state, x @ kernels[0] + biases[0]
    )
    of_input, of_state = (np.split(kernel, 3, axis=1) for kernel in kernels)
    i, h = (np.split(bias, 3) for bias in biases)
    theirs, _ = nn.GRUCell(5).apply(
        {
            "params": {
                "ir": {"kernel": of_input[0], "bias": i[0] + h[0]}, "iz": {"kernel": of_input[1], "bias": i[1] + h[1]},
                "in": {"kernel": of_input[2], "bias": i[2]}, "hr": {"kernel": of_state[0]}, "hz": {"kernel": of_state[1]},
                "hn": {"kernel": of_state[2], "bias": h[2]},
            }
        },
        state, x,
    )  # fmt: skip
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_positions_are_those_of_double_precision_for_any_date():
    days = np.array([[-40_000, -1, 0], [1, 9_496, 40_000]])
    angle = days[..., None] / 10_000 ** (2 * (np.arange(96) // 2) / 96)
    exact = np.where(np.arange(96) % 2, np.cos(angle), np.sin(angle))
    np.testing.assert_allclose(day_positions(jnp.asarray(days), 96), exact, atol=1e-6)
