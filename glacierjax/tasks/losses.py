"""Losses: smoothed cross entropy and Dice for segmentation, masked mean absolute difference for pretraining."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

Logits = Float[Array, "batch height width classes"]
Labels = Int[Array, "batch height width"]
Weights = Float[Array, "batch height width"]
Scalar = Float[Array, ""]

LABEL_SMOOTHING = 0.1
DICE_EPSILON = 1e-5


def centre_half(x: Shaped[Array, "batch height width *rest"]) -> Shaped[Array, "batch height//2 width//2 *rest"]:
    """The target of a context: the central half of axes 1 and 2, e.g. 128:384 of 512 pixels."""
    height, width = x.shape[1:3]
    return x[:, height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2]


def cross_entropy(logits: Logits, labels: Labels, valid: Weights) -> Scalar:
    """Mean cross entropy over valid pixels; the target has 0.9 on the true class and 0.1 divided among the *other* classes.

    Args: logits (B, H, W, K); labels (B, H, W) int; valid (B, H, W) float, 1 where the pixel counts. Returns a scalar.
    """
    log_p = jax.nn.log_softmax(logits)
    num_classes = logits.shape[-1]
    others = LABEL_SMOOTHING / (num_classes - 1)
    one_hot = jax.nn.one_hot(labels, num_classes)
    smooth = one_hot * (1 - LABEL_SMOOTHING - others) + others
    per_pixel = -jnp.sum(smooth * log_p, axis=-1)
    return jnp.sum(per_pixel * valid) / jnp.maximum(jnp.sum(valid), 1)


def dice(logits: Logits, labels: Labels, valid: Weights) -> Scalar:
    """Dice loss with squared terms summed over batch and pixels, mean over the classes; shapes as in `cross_entropy`."""
    p = jax.nn.softmax(logits) * valid[..., None]
    t = jax.nn.one_hot(labels, logits.shape[-1]) * valid[..., None]
    axes = (0, 1, 2)
    overlap = jnp.sum(p * t, axis=axes)
    total = jnp.sum(p * p, axis=axes) + jnp.sum(t * t, axis=axes)
    return jnp.mean(1 - (2 * overlap + DICE_EPSILON) / (total + DICE_EPSILON))


def segmentation_loss(
    logits: Logits, labels: Labels, valid: Bool[Array, "batch height width"] | None = None
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
    context = (logits.astype(jnp.float32), labels, weights)
    target = tuple(centre_half(x) for x in context)
    terms = {
        "ce_target": cross_entropy(*target),
        "ce_context": cross_entropy(*context),
        "dice_target": dice(*target),
        "dice_context": dice(*context),
    }
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
