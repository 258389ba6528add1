"""The task of series: which sums its loss runs over, and that samples do not touch each other."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glacierjax.core.zones import NUM_ZONES
from glacierjax.model import SeriesTyrion
from glacierjax.tasks import SegmentationSeries
from glacierjax.tasks.losses import segmentation_loss

SAMPLES, FRAMES, SIDE = 2, 3, 8


class Mixing(SeriesTyrion):
    """Logits from each pixel, from the mean over the frames and from the day. It compiles in a second."""

    def setup(self) -> None:
        self.head = nn.Dense(NUM_ZONES)

    def __call__(self, images: Any, days: Any = None, train: bool = False) -> Any:
        mean = jnp.broadcast_to(images.mean(1, keepdims=True), images.shape)
        day = jnp.broadcast_to(days[:, :, None, None, None] / 100.0, images.shape)
        return self.head(jnp.concatenate([images, mean, day], -1))


@pytest.fixture(scope="module")
def task() -> SegmentationSeries:
    return SegmentationSeries(Mixing())


@pytest.fixture(scope="module")
def batch() -> dict:
    rng = np.random.default_rng(0)
    shape = (SAMPLES, FRAMES, SIDE, SIDE)
    return {
        "image": jnp.asarray(rng.random((*shape, 1), np.float32)),
        "zones": jnp.asarray(rng.integers(0, NUM_ZONES, shape)),
        "days": jnp.asarray(rng.integers(0, 9000, shape[:2])),
        "valid": jnp.asarray(rng.random(shape) < 0.8),
    }


@pytest.fixture(scope="module")
def params(task, batch) -> dict:
    return task.init(jax.random.key(0), batch)


def test_the_loss_sums_over_the_frames_of_a_sample_and_averages_over_samples(task, batch, params):
    loss, terms = task.loss(params, batch, jax.random.key(1), True)
    logits = task.model.apply({"params": params}, batch["image"], batch["days"])
    each = [segmentation_loss(logits[i], batch["zones"][i], batch["valid"][i]) for i in range(SAMPLES)]
    np.testing.assert_allclose(loss, np.mean([one for one, _ in each]), rtol=1e-6)
    for name in terms:
        np.testing.assert_allclose(terms[name], np.mean([found[name] for _, found in each]), rtol=1e-6)
    flat = segmentation_loss(
        logits.reshape(-1, SIDE, SIDE, NUM_ZONES), *(batch[key].reshape(-1, SIDE, SIDE) for key in ("zones", "valid"))
    )
    assert abs(loss - flat[0]) > 1e-4, "one sum over all samples is another loss"


def test_a_micro_batch_of_two_is_the_mean_of_two_of_one(task, batch, params):
    def gradient(part):
        return jax.grad(lambda params: task.loss(params, part, jax.random.key(1), False)[0])(params)

    both = gradient(batch)
    alone = [gradient({key: value[i : i + 1] for key, value in batch.items()}) for i in range(SAMPLES)]
    jax.tree.map(
        lambda b, *parts: np.testing.assert_allclose(b, sum(parts) / SAMPLES, rtol=1e-5, atol=1e-6), both, *alone
    )


def test_without_a_mask_every_pixel_counts(task, batch, params):
    all_valid = {**batch, "valid": jnp.ones_like(batch["valid"])}
    without = {key: value for key, value in batch.items() if key != "valid"}
    first, second = (task.loss(params, part, jax.random.key(1), False)[0] for part in (all_valid, without))
    assert first == second
