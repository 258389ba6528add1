"""Pictures of a pretraining: what the radar saw, what was to be predicted, what was, and what was hidden."""

import numpy as np

from glacierjax.datasets.ssl4sar.optical import RED_GREEN_BLUE

GAP_PX = 4
HIDDEN_COLOUR = (213, 94, 0)  # vermilion, unlike any grey
BRIGHTEST = 99  # percentile of the target that is shown as white


def panels(sar: np.ndarray, target: np.ndarray, predicted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """SAR, target, prediction and the SAR image with its hidden patches coloured, side by side.

    Args: sar (H, W, 1), target and predicted (H, W, bands) in [0, 1], 14 bands (shown as red, green, blue) or one; mask
    (H, W) bool, true = hidden. Returns (H, 4 W + gaps, 3) uint8.
    """
    colours = RED_GREEN_BLUE if target.shape[-1] > max(RED_GREEN_BLUE) else (0, 0, 0)
    shown_target, shown_prediction = target[..., colours], predicted[..., colours]
    # The same stretch for both, so that too dark a prediction looks too dark.
    white = max(float(np.percentile(shown_target, BRIGHTEST)), 1e-3)
    grey = _bytes(np.repeat(sar, 3, axis=-1))
    hidden = np.where(mask[..., None], np.array(HIDDEN_COLOUR, np.uint8), grey)
    gap = np.full((sar.shape[0], GAP_PX, 3), 255, np.uint8)
    images = [grey, _bytes(shown_target / white), _bytes(shown_prediction / white), hidden]
    return np.concatenate([part for image in images for part in (image, gap)][:-1], axis=1)


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.rint(np.nan_to_num(image).clip(0, 1) * 255).astype(np.uint8)
