"""Pictures of a pretraining: the SAR image, the target, the prediction, and the hidden patches."""

import numpy as np
from jaxtyping import Bool, Float, UInt8

from glacierjax.datasets.ssl4sar.optical import RED_GREEN_BLUE

GAP_PX = 4
HIDDEN_COLOUR = (213, 94, 0)  # vermilion, unlike any grey
BRIGHTEST = 99  # percentile of the target that is shown as white


def panels(
    sar: Float[np.ndarray, "height width 1"],
    target: Float[np.ndarray, "height width bands"],
    predicted: Float[np.ndarray, "height width bands"],
    mask: Bool[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "height columns 3"]:
    """SAR, target, prediction and the SAR image with its hidden patches coloured, side by side.

    All values are in [0, 1]; 14 bands are shown as red, green and blue, one band in grey; `mask` is true where hidden.
    """
    colours = RED_GREEN_BLUE if target.shape[-1] > max(RED_GREEN_BLUE) else (0, 0, 0)
    shown_target, shown_prediction = target[..., colours], predicted[..., colours]
    # Both are stretched alike, so that a prediction that is too dark looks too dark.
    white = max(float(np.percentile(shown_target, BRIGHTEST)), 1e-3)
    grey = _bytes(np.repeat(sar, 3, axis=-1))
    hidden = np.where(mask[..., None], np.array(HIDDEN_COLOUR, np.uint8), grey)
    gap = np.full((sar.shape[0], GAP_PX, 3), 255, np.uint8)
    images = [grey, _bytes(shown_target / white), _bytes(shown_prediction / white), hidden]
    return np.concatenate([part for image in images for part in (image, gap)][:-1], axis=1)


def _bytes(image: Float[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    return np.rint(np.nan_to_num(image).clip(0, 1) * 255).astype(np.uint8)
