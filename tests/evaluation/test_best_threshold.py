"""The threshold of the grey-value baseline, compared with a search over all thresholds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from glacierjax.core.zones import Zone
from glacierjax.evaluation.baselines import GreyThreshold, best_threshold


def ocean_iou(threshold, ocean_counts, other_counts):
    greys = np.arange(256, dtype=np.uint8)[None]
    found = threshold(greys)[0] == Zone.OCEAN_ICE_MELANGE
    return ocean_counts[found].sum() / max(ocean_counts.sum() + other_counts[found].sum(), 1)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_no_threshold_beats_the_chosen_one(seed):
    generator = np.random.default_rng(seed)
    ocean, other = generator.integers(0, 50, (2, 256)) * (generator.random((2, 256)) < 0.2)
    chosen = ocean_iou(best_threshold(ocean, other), ocean, other)
    tried = [ocean_iou(GreyThreshold(level, dark), ocean, other) for level in range(257) for dark in (True, False)]
    assert chosen == max(tried)
