"""The curvilinear box: a strip of one width along a centreline, for bending fjords (Lea et al. 2014, doi 10.3189/2014JoG13J061).

The area of a strip is its width times its length along the centreline, however it bends. So the area of the glacier in it,
divided by its width, is the mean position of the front along the centreline.
"""

import numpy as np
import shapely
from jaxtyping import Float

from glacierjax.core.errors import InputError
from glacierjax.terminus.box import Box

SHARPEST = 0.02  # a strip whose area differs by more than this from width times length covers itself in a bend
TANGENT_STEP = 1e-3  # by the length of the centreline, before and behind a point


def box_along(centreline: Float[np.ndarray, "point 2"], width_m: float, where: str) -> Box:
    """The strip of this width around a centreline (n, 2) in metres, from its first to its last point.

    Raises `InputError` naming `where`, the centreline's file, if it bends more sharply than the strip is wide.
    """
    path = shapely.LineString(centreline)
    strip = path.buffer(width_m / 2, cap_style="flat", join_style="round")
    covers_itself = abs(strip.area / (path.length * width_m) - 1) > SHARPEST
    if not isinstance(strip, shapely.Polygon) or strip.interiors or covers_itself:
        raise InputError(
            f"{where}: bends more sharply than a box of {width_m:g} m is wide; draw it smoother and with more points, or choose "
            "a smaller `width_m`"
        )
    return Box(strip, width_m, np.asarray(centreline, float))


def straightened(
    centreline: Float[np.ndarray, "point 2"], points: Float[np.ndarray, "place 2"]
) -> Float[np.ndarray, "place 2"]:
    """Distance along the centreline, and to the left of it, of points (n, 2) in metres."""
    path = shapely.LineString(centreline)
    along = shapely.line_locate_point(path, shapely.points(points))
    step = path.length * TANGENT_STEP
    before, at, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(path, np.clip(place, 0, path.length)))
        for place in (along - step, along, along + step)
    )
    (ahead_x, ahead_y), (aside_x, aside_y) = (after - before).T, (points - at).T
    distance = np.hypot(aside_x, aside_y)
    return np.column_stack([along, np.copysign(distance, ahead_x * aside_y - ahead_y * aside_x)])
