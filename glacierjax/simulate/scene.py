"""One scene of a plan: its image, its zones and its front, if it is worth taking."""

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.zones import Zone
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.fronts.extract import ocean_glacier_border
from glacierjax.simulate.composition import Plan, draw_front, front_box, lay_ground, sea_leaves_scene
from glacierjax.simulate.sar import take_image
from glacierjax.simulate.surfaces import make_surface
from glacierjax.simulate.terrain import Landscape

_MIN_SHARE = 0.08  # of the scene that is sea, and that is not


def take_scene(rng: np.random.Generator, landscape: Landscape, plan: Plan) -> LabelledScene | None:
    """The scene of a plan; None where it does not show a whole front. `rng` decides all that the plan does not."""
    ground = lay_ground(landscape, plan)
    box = front_box(landscape, plan)
    if not _shows_front(ground.zones[plan.window], box, plan):
        return None
    image, zones = take_image(rng, plan, ground, make_surface(rng, landscape, plan, ground))
    front = draw_front(zones, box, plan.id.pixel_spacing_m)
    # The swath's end may have cut off a short piece of the front, which would then carry no label.
    if front.any() and (front == ocean_glacier_border(zones)).all():
        return LabelledScene(plan.id, image, zones, front, box)
    return None


def shows_front(landscape: Landscape, plan: Plan) -> bool:
    """Whether sea and land have their share of the plan's window, the sea is open, and all of its border with ice is front."""
    return _shows_front(lay_ground(landscape, plan).zones[plan.window], front_box(landscape, plan), plan)


def _shows_front(zones: UInt8[np.ndarray, "height width"], box: BoundingBox, plan: Plan) -> bool:
    sea = (zones == Zone.OCEAN_ICE_MELANGE).mean()
    front = draw_front(zones, box, plan.id.pixel_spacing_m)
    if not (_MIN_SHARE < sea < 1 - _MIN_SHARE and sea_leaves_scene(zones)):
        return False
    return bool(front.any() and (front == ocean_glacier_border(zones)).all())
