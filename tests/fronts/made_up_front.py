"""The indicators of a front that nothing is wrong with, but for what is changed."""

from glacierjax.fronts.indicators import Indicators


def front(entropy=0.5, **others):
    values = {
        "blur_m": 100.0,
        "deviation": 0.1,
        "pieces": 1,
        "gap_share": 0.0,
        "sinuosity": 1.1,
        "closed_share": 0.5,
        "rim_share": 0.0,
    }
    return Indicators(**{"entropy": entropy, "length_m": 2000.0, **values, **others})
