"""Losses: smoothed cross entropy and Dice for segmentation, masked mean absolute difference for pretraining."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

# Classes come first: the pixels of a class lie side by side then, and sums over a few classes take a fifth of the time.
PerClass = Float[Array, "classes batch height width"]
Weights = Float[Array, "batch height width"]
Scalar = Float[Array, ""]

LABEL_SMOOTHING = 0.1
DICE_EPSILON = 1e-5


def centre_half(x: Shaped[Array, "*rest height width"]) -> Shaped[Array, "*rest height//2 width//2"]:
    """The target of a context: the central half of the last two axes, e.g. 128:384 of 512 pixels."""
    height, width = x.shape[-2:]
    return x[..., height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2]


def cross_entropy(log_p: PerClass, one_hot: PerClass, valid: Weights) -> Scalar:
    """Mean cross entropy over valid pixels; the target has 0.9 on the true class and 0.1 divided among the *other* classes.

    Args: logarithms of the probabilities; 1 at the true class, else 0; 1 where the pixel counts, else 0.
    """
    others = LABEL_SMOOTHING / (len(log_p) - 1)
    smooth = one_hot * (1 - LABEL_SMOOTHING - others) + others
    per_pixel = -jnp.sum(smooth * log_p, axis=0)
    return jnp.sum(per_pixel * valid) / jnp.maximum(jnp.sum(valid), 1)


def dice(p: PerClass, one_hot: PerClass, valid: Weights) -> Scalar:
    """Dice loss of probabilities with squared terms summed over batch and pixels, mean over the classes."""
    p, t = p * valid[None], one_hot * valid[None]
    axes = (1, 2, 3)
    overlap = jnp.sum(p * t, axis=axes)
    total = jnp.sum(p * p, axis=axes) + jnp.sum(t * t, axis=axes)
    return jnp.mean(1 - (2 * overlap + DICE_EPSILON) / (total + DICE_EPSILON))


def segmentation_loss(
    logits: Float[Array, "batch height width classes"],
    labels: Int[Array, "batch height width"],
    valid: Bool[Array, "batch height width"] | None = None,
) -> tuple[Scalar, dict[str, Scalar]]:
    """Half the sum of cross entropy and Dice, each on the whole context and on its central target (paper, section III).

    Args:
      logits: (B, H, W, K) float32, the context.
      labels: (B, H, W) int class ids.
      valid: (B, H, W) bool, true where a pixel counts; None counts every pixel.

    Returns:
      The scalar loss and its four terms `ce_target`, `ce_context`, `dice_target`, `dice_context`.
    """
    weights = jnp.ones(labels.shape, jnp.float32) if valid is None else valid.astype(jnp.float32)
    log_p = jax.nn.log_softmax(jnp.moveaxis(logits.astype(jnp.float32), -1, 0), axis=0)
    p, one_hot = jnp.exp(log_p), jax.nn.one_hot(labels, len(log_p), axis=0)
    terms: dict[str, Scalar] = {}
    for name, part in (("target", centre_half), ("context", lambda x: x)):
        terms[f"ce_{name}"] = cross_entropy(part(log_p), part(one_hot), part(weights))
        terms[f"dice_{name}"] = dice(part(p), part(one_hot), part(weights))
    return 0.5 * sum(terms.values(), jnp.float32(0)), terms


def masked_l1(
    predicted: Float[Array, "*axes values"], target: Float[Array, "*axes values"], mask: Bool[Array, "*axes"]
) -> Scalar:
    """Mean absolute difference over the masked entries: (..., D) against (..., D) where mask (...) is true.

    Entries whose target is NaN or infinite do not count. Returns 0 if no entry counts.
    """
    counts = mask[..., None] & jnp.isfinite(target)
    # NaN in the target is replaced before the difference: otherwise the gradient would be NaN even where it does not count.
    difference = jnp.abs(predicted - jnp.where(counts, target, 0))
    return jnp.sum(jnp.where(counts, difference, 0)) / jnp.maximum(jnp.sum(counts, dtype=jnp.float32), 1)
