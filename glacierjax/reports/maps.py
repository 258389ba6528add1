"""Maps of a scene as pixels without text: the scene in grey, its zones, its fronts, and where an ensemble disagrees.

All maps of a scene are drawn at one zoom (`display_zoom`), so that they can be laid over each other.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from matplotlib import colormaps
from PIL import Image
from scipy import ndimage

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.zones import ZONE_COLOURS, Zone
from glacierjax.fronts.scores import pixels_of

Colour = tuple[int, int, int]
Pixels = Int[np.ndarray, "_ 2"]  # rows and columns
Mask = Bool[np.ndarray, "height width"]
Layer = UInt8[np.ndarray, "rows columns 4"]  # red, green, blue, opacity

# Okabe-Ito colours, which can be told apart with any common colour vision and differ from any grey. Without colour, the
# true front is the broad line, the predicted one the narrow line; where they agree the narrow one lies inside the broad one.
TRUE_COLOUR: Colour = (86, 180, 233)  # sky blue
PREDICTED_COLOUR: Colour = (213, 94, 0)  # vermilion
MISSED_COLOUR: Colour = (0, 114, 178)  # blue
FALSE_COLOUR: Colour = (240, 228, 66)  # yellow
BOX_COLOUR: Colour = (255, 255, 255)
OUTLINE_COLOUR: Colour = (0, 0, 0)

TRUE_WIDTH_PX, PREDICTED_WIDTH_PX, BAND_WIDTH_PX = 9, 3, 21
DASH_PX = 8
NEAR_M = (
    200.0  # a part of a front farther than this from the other front is missed or false; people differ by some 40 m
)

DEVIATION_COLOURS = "viridis"  # even steps in brightness, readable with any colour vision
LARGEST_DEVIATION = 0.5  # of numbers between 0 and 1
LARGEST_ZOOM = 4.0
TINT = 0.4  # opacity of a zone's colour over the scene
LABEL_TINTS = ("rock brown", "glacier white", "ocean blue")
NO_PIXELS: Pixels = np.zeros((0, 2), int)


class Stroke(NamedTuple):
    """How a line is drawn. The dark outline keeps it visible on bright and on dark ground."""

    colour: Colour
    width_px: int
    outlined: bool


TRUE_STROKE = Stroke(TRUE_COLOUR, TRUE_WIDTH_PX, True)
PREDICTED_STROKE = Stroke(PREDICTED_COLOUR, PREDICTED_WIDTH_PX, True)
MISSED_BAND = Stroke(MISSED_COLOUR, BAND_WIDTH_PX, False)
FALSE_BAND = Stroke(FALSE_COLOUR, BAND_WIDTH_PX, False)
AREA_STROKE = Stroke(BOX_COLOUR, 1, True)

FRONT_LEGEND: dict[str, tuple[Stroke, ...]] = {
    "true front": (TRUE_STROKE,),
    "predicted": (PREDICTED_STROKE,),
    "both": (TRUE_STROKE, PREDICTED_STROKE),
    "missed": (MISSED_BAND, TRUE_STROKE),
    "false": (FALSE_BAND, PREDICTED_STROKE),
}
"""Label -> strokes, the lowest first."""


def display_zoom(shape: tuple[int, int], longest_px: int) -> float:
    """The factor that makes the longest side of a scene (H, W) `longest_px` long, at most `LARGEST_ZOOM`."""
    return min(LARGEST_ZOOM, longest_px / max(shape))


def grey_map(image: UInt8[np.ndarray, "height width"], zoom: float) -> UInt8[np.ndarray, "rows columns"]:
    """The scene, averaged where it shrinks."""
    resampling = Image.Resampling.BOX if zoom < 1 else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(image).resize(_size(image.shape, zoom), resampling))


def zone_map(ids: UInt8[np.ndarray, "height width"], zoom: float) -> UInt8[np.ndarray, "rows columns 3"]:
    """Class ids 0..3 in the colours of the zones."""
    resized = Image.fromarray(ids).resize(_size(ids.shape, zoom), Image.Resampling.NEAREST)
    return np.array(ZONE_COLOURS, np.uint8)[np.asarray(resized)]


def tinted_zones(
    image: UInt8[np.ndarray, "height width"], ids: UInt8[np.ndarray, "height width"], labelled: Mask, zoom: float
) -> UInt8[np.ndarray, "rows columns 3"]:
    """The scene in grey, with a tint for each zone (`LABEL_TINTS`) where it is labelled."""
    grey = np.repeat(grey_map(image, zoom)[..., None], 3, axis=-1)
    shown = np.where(labelled, ids, np.uint8(Zone.NA))
    resized = Image.fromarray(shown).resize(_size(ids.shape, zoom), Image.Resampling.NEAREST)
    colours = np.array([ZONE_COLOURS[zone] for zone in Zone], np.float32)[np.asarray(resized)]
    tint = np.where((np.asarray(resized) == Zone.NA)[..., None], grey, colours)
    return np.round(grey * (1 - TINT) + tint * TINT).astype(np.uint8)


def deviation_map(deviation: Float[np.ndarray, "height width"], zoom: float) -> UInt8[np.ndarray, "rows columns 3"]:
    """Standard deviations of a probability, 0 (dark) to `LARGEST_DEVIATION` (bright)."""
    resampling = Image.Resampling.BOX if zoom < 1 else Image.Resampling.NEAREST
    resized = Image.fromarray(deviation.astype(np.float32)).resize(_size(deviation.shape, zoom), resampling)
    return colormaps[DEVIATION_COLOURS](np.asarray(resized) / LARGEST_DEVIATION, bytes=True)[..., :3]


def compared_fronts(
    true_front: Mask,
    predicted_front: Mask,
    box: BoundingBox | None,
    zoom: float,
    missed_rc: Pixels = NO_PIXELS,
    false_rc: Pixels = NO_PIXELS,
) -> Layer:
    """Both fronts of a scene as a layer to lay over `grey_map`.

    `missed_rc`: pixels of the true front that were missed; `false_rc`: pixels of the predicted front that are false; both
    get a broad band. `box`: where a front may be, in pixels, dashed; None: not drawn.
    """
    lines = [
        (missed_rc, MISSED_BAND),
        (false_rc, FALSE_BAND),
        (pixels_of(true_front), TRUE_STROKE),
        (pixels_of(predicted_front), PREDICTED_STROKE),
    ]
    layer = _line_layer(true_front.shape, zoom, lines)
    if box is not None:
        _dash(layer, [edge * zoom for edge in box])
    return layer


def single_front(front: Mask, area: Mask | None, zoom: float) -> Layer:
    """A predicted front, and the outline of the area where a front may be, as a layer to lay over `grey_map`."""
    outline = NO_PIXELS if area is None else pixels_of(area ^ ndimage.binary_erosion(area))
    return _line_layer(front.shape, zoom, [(outline, AREA_STROKE), (pixels_of(front), PREDICTED_STROKE)])


def laid_over(scene: UInt8[np.ndarray, "rows columns *colour"], layer: Layer) -> UInt8[np.ndarray, "rows columns 3"]:
    """The scene in grey or in colours with a layer, whose pixels are opaque or empty, on top."""
    return np.where(layer[..., 3:] > 0, layer[..., :3], scene if scene.ndim == 3 else scene[..., None])


def _size(shape: tuple[int, ...], zoom: float) -> tuple[int, int]:
    """Width and height of a map of a scene (H, W)."""
    return max(1, round(shape[1] * zoom)), max(1, round(shape[0] * zoom))


def _line_layer(shape: tuple[int, ...], zoom: float, lines: Iterable[tuple[Pixels, Stroke]]) -> Layer:
    width, height = _size(shape, zoom)
    layer = np.zeros((height, width, 4), np.uint8)
    for line_rc, stroke in lines:
        if not len(line_rc):
            continue
        away = np.ones((height, width), bool)
        rows, columns = ((line_rc + 0.5) * zoom).astype(int).T
        away[np.minimum(rows, height - 1), np.minimum(columns, width - 1)] = False
        distance_px = np.asarray(ndimage.distance_transform_edt(away))
        reach_px = max(stroke.width_px // 2, math.ceil(zoom / 2))  # no gaps between neighbours of an enlarged scene
        if stroke.outlined:
            layer[distance_px <= reach_px + 1] = (*OUTLINE_COLOUR, 255)
        layer[distance_px <= reach_px] = (*stroke.colour, 255)
    return layer


def _dash(layer: Layer, box: list[float]) -> None:
    """Draws a dashed rectangle into the layer: white with dark gaps, visible on bright ice as well."""
    height, width = layer.shape[:2]
    left, right = (int(min(max(x, 0), width - 1)) for x in (box[0], box[2]))
    top, bottom = (int(min(max(y, 0), height - 1)) for y in (box[1], box[3]))
    dashes = [np.array([OUTLINE_COLOUR, BOX_COLOUR], np.uint8)[_dash_of(n)] for n in (right - left, bottom - top)]
    opaque = [_opaque(dash) for dash in dashes]
    for row in (top, bottom):
        layer[row, left : right + 1] = opaque[0]
    for column in (left, right):
        layer[top : bottom + 1, column] = opaque[1]


def _dash_of(length_px: int) -> Int[np.ndarray, " pixels"]:
    """1 on a dash, 0 in a gap."""
    return 1 - np.arange(length_px + 1) // DASH_PX % 2


def _opaque(colours: UInt8[np.ndarray, "pixels 3"]) -> UInt8[np.ndarray, "pixels 4"]:
    return np.concatenate([colours, np.full((len(colours), 1), 255, np.uint8)], axis=1)
