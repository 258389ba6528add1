"""A predictor with known answers, without a network: bright is glacier, dark is ocean."""

import numpy as np

from glacierjax.core.zones import NUM_ZONES, Zone
from glacierjax.prediction.ensemble import Predictor, SeriesPredictor

BRIGHT = 128


def bright_is_glacier(certainty):
    """images (N, H, W) uint8 -> probabilities (N, H, W, K): `certainty` for the zone, the rest shared by the others."""

    def network(images):
        zones = np.where(np.asarray(images) >= BRIGHT, Zone.GLACIER, Zone.OCEAN_ICE_MELANGE)
        rest = (1 - certainty) / (NUM_ZONES - 1)
        return np.where(zones[..., None] == np.arange(NUM_ZONES), certainty, rest).astype(np.float32)

    return network


def make_series_predictor(*certainties, frames=3, needs_dates=False, mode="tiled", context_px=64, pixel_spacing_m=0):
    """Every frame gets what it shows itself; certain of it."""

    def of_series(network):
        return lambda images, days: network(images)

    networks = [of_series(bright_is_glacier(one)) for one in certainties]
    sources = [f"run{number}" for number in range(1, len(networks) + 1)]
    common = (networks, (0,), mode, context_px, 1, None, sources, pixel_spacing_m)
    return SeriesPredictor(*common, frames=frames, needs_dates=needs_dates)


def make_predictor(*certainties):
    networks = [bright_is_glacier(certainty) for certainty in certainties]
    sources = [f"run{number}" for number in range(1, len(networks) + 1)]
    return Predictor(networks, (0,), "whole", 64, 1, None, sources)
