"""Scores of one scene: distances between two fronts, and how well zones overlap."""

import numpy as np
from jaxtyping import Bool, Float64, Int64, Integer, Shaped
from scipy.spatial import KDTree

from glacierjax.core.errors import InputError
from glacierjax.core.zones import NUM_ZONES, ZONE_KEYS
from glacierjax.fronts.extract import check_spacing
from glacierjax.fronts.postprocess import check_zones, count_values

ZONE_SCORES = ("iou", "precision", "recall", "f1")


def distance_errors(
    predicted: Shaped[np.ndarray, "height width"], true: Shaped[np.ndarray, "height width"], pixel_spacing_m: float
) -> Float64[np.ndarray, " distances"]:
    """Distances between two fronts in both directions; their mean is the scene's mean distance error.

    Args:
      predicted: front mask (H, W), non-zero on the front.
      true: the same of the true front.
      pixel_spacing_m: side of a pixel in metres.

    Returns:
      (n,) float64 metres: from each predicted front pixel to the nearest true one, then from each true one to the
      nearest predicted one. Empty where either front is empty: such a scene has no distance, and is to be counted.

    Raises:
      InputError: the masks are not two-dimensional or not of one size, or the spacing is not above 0.
    """
    check_spacing(pixel_spacing_m)
    predicted, true = np.asarray(predicted), np.asarray(true)
    if predicted.ndim != 2 or predicted.shape != true.shape:
        raise InputError(f"fronts of shape {predicted.shape} and {true.shape}; expected two masks of one shape (H, W)")
    predicted_px, true_px = pixels_of(predicted), pixels_of(true)
    if len(predicted_px) == 0 or len(true_px) == 0:
        return np.empty(0)
    to_true, to_predicted = _nearest(predicted_px, true_px), _nearest(true_px, predicted_px)
    return np.concatenate([to_true, to_predicted]) * pixel_spacing_m


def _nearest(
    from_px: Integer[np.ndarray, "points 2"], to_px: Integer[np.ndarray, "others 2"]
) -> Float64[np.ndarray, " points"]:
    """Exact distance of each of the pixels (n, 2) to the nearest of the others (m, 2), in pixels; memory n + m."""
    # Pixels of a line fill space evenly: what these two options do for scattered points costs twice the time here.
    return KDTree(to_px, balanced_tree=False, compact_nodes=False).query(from_px)[0]


def pixels_of(front: Shaped[np.ndarray, "height width"]) -> Int64[np.ndarray, "pixels 2"]:
    """Rows and columns (n, 2) of the front's pixels (H, W), row by row: `np.argwhere`, ten times faster."""
    return np.stack(np.divmod(np.flatnonzero(front), front.shape[1]), axis=-1)


def confusion(
    predicted: Shaped[np.ndarray, "height width"],
    true: Shaped[np.ndarray, "height width"],
    valid: Bool[np.ndarray, "height width"] | None = None,
) -> Int64[np.ndarray, "4 4"]:
    """Pixel counts (4, 4) int64 by true (row) and predicted (column) class id, of the pixels with `valid` only."""
    predicted, true = check_zones(predicted), check_zones(true)
    if predicted.shape != true.shape or (valid is not None and valid.shape != true.shape):
        shapes = f"{predicted.shape} and {true.shape}" + ("" if valid is None else f", valid mask {valid.shape}")
        raise InputError(f"zones of shape {shapes}; expected one size")
    pairs = true * np.uint8(NUM_ZONES) + predicted
    if valid is not None:
        pairs = pairs[np.asarray(valid, bool)]
    return count_values(pairs, NUM_ZONES**2).reshape(NUM_ZONES, NUM_ZONES)


def zone_scores(counts: Integer[np.ndarray, "4 4"]) -> dict[str, Float64[np.ndarray, "4"]]:
    """IoU, precision, recall and F1, each (4,) float64 in 0..1 by class id, of a confusion matrix (4, 4).

    0/0 is 0, as in the official evaluation: `absent_zones` tells which of the zeros are such.
    """
    both = np.diag(counts).astype(float)
    predicted, true = counts.sum(0).astype(float), counts.sum(1).astype(float)

    def divide(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
        return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

    return {
        "iou": divide(both, predicted + true - both),
        "precision": divide(both, predicted),
        "recall": divide(both, true),
        "f1": divide(2 * both, predicted + true),
    }


def absent_zones(counts: Integer[np.ndarray, "4 4"]) -> Bool[np.ndarray, "4"]:
    """(4,) bool by class id: the class occurs neither in the prediction nor in the truth."""
    return (counts.sum(0) + counts.sum(1)) == 0


def score_zones(
    predicted: Shaped[np.ndarray, "height width"],
    true: Shaped[np.ndarray, "height width"],
    valid: Bool[np.ndarray, "height width"] | None = None,
) -> dict[str, dict]:
    """Scores of one scene's zones by class.

    Args:
      predicted: class ids (H, W), integers 0..3.
      true: the same of the truth.
      valid: bool (H, W), pixels that count; None: all.

    Returns:
      {"na" | "rock" | "glacier" | "ocean": {"iou", "precision", "recall", "f1" (0..1; 0/0 is 0, as in the official
      evaluation), "predicted_pixels", "true_pixels", "common_pixels"}}. A class with neither predicted nor true pixels
      is absent: leave it out of an average unless that average is to compare with published ones.

    Raises:
      InputError: not class ids, or not of one size.
    """
    counts = confusion(predicted, true, valid)
    scores = zone_scores(counts)
    return {
        key: {name: float(scores[name][zone]) for name in ZONE_SCORES}
        | {
            "predicted_pixels": int(counts[:, zone].sum()),
            "true_pixels": int(counts[zone].sum()),
            "common_pixels": int(counts[zone, zone]),
        }
        for zone, key in enumerate(ZONE_KEYS)
    }
