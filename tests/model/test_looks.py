"""Multilooking: what the network sees and gives back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.model import Tyrion, preset
from glacierjax.model.looks import average_looks, enlarge

RNG = np.random.default_rng(0)


def test_each_look_is_the_mean_of_its_square():
    x = RNG.random((2, 6, 9, 2), np.float32)
    looks = average_looks(x, 3)
    assert looks.shape == (2, 2, 3, 2)
    np.testing.assert_allclose(looks[1, 1, 2], x[1, 3:6, 6:9].mean((0, 1)), rtol=1e-6)


@pytest.mark.parametrize("looks", [1, 2, 3, 4])
def test_enlarging_is_bilinear_interpolation(looks):
    x = RNG.random((2, 5, 4, 3), np.float32)
    expected = jax.image.resize(x, (2, 5 * looks, 4 * looks, 3), "bilinear")
    np.testing.assert_allclose(enlarge(x, looks), expected, rtol=0, atol=1e-6)


def test_a_plane_is_enlarged_to_the_plane_it_is_the_means_of():
    plane = jnp.arange(12.0)[:, None] * 2 + jnp.arange(8.0)[None] * 3
    ours = enlarge(average_looks(plane[None, ..., None], 2), 2)[0, ..., 0]
    np.testing.assert_allclose(ours[1:-1, 1:-1], plane[1:-1, 1:-1], rtol=1e-6)  # beyond the border it is level


def test_a_network_with_looks_asks_for_larger_multiples_and_answers_at_full_size():
    network = Tyrion(**{**preset("tiny"), "multilook": 2})
    assert network.size_multiple == 64
    images = RNG.random((1, 64, 128, 1), np.float32)
    logits, variables = network.init_with_output(jax.random.key(0), images)
    assert logits.shape == (1, 64, 128, 4)
    alone = Tyrion(**preset("tiny")).apply(variables, average_looks(images, 2))
    np.testing.assert_allclose(logits, enlarge(alone, 2), rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="multiples of 64"):
        network.apply(variables, images[:, :32])
