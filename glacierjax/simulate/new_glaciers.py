"""Glaciers unlike the benchmark's, on which a network that was trained on those fails.

Narrow and wide fjords instead of middling ones, broader flow lines, bright rock, a satellite of its own with more speckle that
looks from one side only, and winters whose mélange looks like the ice. What helps at a new glacier can be tried on them.
"""

import dataclasses

import numpy as np

from glacierjax.simulate.sensors import Sensor
from glacierjax.simulate.terrain import Landscape

_HALF_WIDTHS_M = ((1700.0, 2000.0), (430.0, 520.0))  # of wide and narrow fjords, in turn
_SENSOR = Sensor("PAZ", (15,), (2018, 2024), 1.3, (38, 48))


def made_new(rng: np.random.Generator, landscape: Landscape, number: int) -> Landscape:
    """The landscape with properties that no glacier of the benchmark has; `number` of the glacier, from 0."""
    return dataclasses.replace(
        landscape,
        half_width_m=rng.uniform(*_HALF_WIDTHS_M[number % len(_HALF_WIDTHS_M)]),
        flow_line_width=rng.uniform(3.0, 4.0),
        rock_brightness=rng.uniform(1.6, 2.0),
        sensors=(_SENSOR,),
        looks_east=0.0,
        icy_melange=rng.uniform(0.9, 1.0),
    )
