"""Pictures that stand alone: a scene with its fronts or an ensemble's deviation, with title, legend and scale bar."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal
from matplotlib.patheffects import Stroke as Outline
from matplotlib.textpath import TextPath
from PIL import Image

from glacierjax.core.boxes import BoundingBox
from glacierjax.core.drawing import picture_of
from glacierjax.datasets.caffe.scene import LabelledScene
from glacierjax.reports.maps import (
    DEVIATION_COLOURS,
    FRONT_LEGEND,
    LABEL_TINTS,
    LARGEST_DEVIATION,
    NO_PIXELS,
    OUTLINE_COLOUR,
    PREDICTED_STROKE,
    Colour,
    Mask,
    Pixels,
    Stroke,
    compared_fronts,
    deviation_map,
    display_zoom,
    grey_map,
    laid_over,
    single_front,
    tinted_zones,
)

Picture = UInt8[np.ndarray, "_ _ 3"]

PAPER, INK = (255, 255, 255), (30, 30, 30)
PICTURE_PX = 900  # longest side of the scene
MARGIN_PX = 10
TEXT_PX = 17
LINE_HEIGHT_PX = 26
FOOT_PX = 46  # below the scene: legend and scale bar
SCALE_BAR_PX = 90  # longest
LEGEND_START_PX = MARGIN_PX + SCALE_BAR_PX + 70  # right of the scale bar and its length
HANDLE_LENGTH, HANDLE_PAD, COLUMN_GAP = 1.4, 0.4, 1.0  # of a legend, in sizes of its text
DEVIATION_SCALE_PX = 160
PIXELS_PER_INCH = 72  # so that sizes of text in points are pixels


def overlay(
    image: UInt8[np.ndarray, "height width"],
    true_front: Mask,
    predicted_front: Mask,
    box: BoundingBox | None,
    pixel_spacing_m: float,
    name: str,
    mde_text: str,
    missed_rc: Pixels = NO_PIXELS,
    false_rc: Pixels = NO_PIXELS,
) -> Picture:
    """A scene in grey with its true and predicted front, box, scale bar and legend.

    Args:
      image: grey values.
      true_front, predicted_front: masks.
      box: where a front may be, pixels; dashed. None: not drawn.
      pixel_spacing_m: metres a pixel, for the scale bar.
      name, mde_text: the two lines above the scene.
      missed_rc, false_rc: pixels of the true front that were missed, and of the predicted front that are false.

    Returns:
      The picture; the scene's longest side in it is at most `PICTURE_PX` pixels.
    """
    zoom = display_zoom(image.shape, PICTURE_PX)
    scene = laid_over(
        grey_map(image, zoom), compared_fronts(true_front, predicted_front, box, zoom, missed_rc, false_rc)
    )
    return _framed(scene, [name, mde_text], pixel_spacing_m / zoom, FRONT_LEGEND)


def front_picture(
    image: UInt8[np.ndarray, "height width"],
    front: Mask,
    area: Mask | None,
    pixel_spacing_m: float,
    name: str,
    text: str,
) -> Picture:
    """A scene in grey with a front of which no truth is known; `name` and `text` stand above it.

    `area`: where a front may be, outlined in white. None: everywhere.
    """
    zoom = display_zoom(image.shape, PICTURE_PX)
    scene = laid_over(grey_map(image, zoom), single_front(front, area, zoom))
    return _framed(scene, [name, text], pixel_spacing_m / zoom, {"predicted": (PREDICTED_STROKE,)})


def label_picture(scene: LabelledScene) -> Picture:
    """A scene in grey with its labels to be checked: zones tinted where they are labelled, the front, the box dashed."""
    zoom = display_zoom(scene.image.shape, PICTURE_PX)
    labelled = np.ones(scene.zones.shape, bool) if scene.valid is None else scene.valid
    tinted = tinted_zones(scene.image, scene.zones, labelled, zoom)
    nothing = np.zeros(scene.front.shape, bool)
    picture = laid_over(tinted, compared_fronts(scene.front, nothing, scene.box, zoom))
    share = f"{labelled.mean():.0%} labelled: {', '.join(LABEL_TINTS)}; grey: not labelled"
    spacing_m = scene.id.pixel_spacing_m / zoom
    return _framed(picture, [scene.id.name, share], spacing_m, {"true front": FRONT_LEGEND["true front"]})


def deviation_picture(
    image: UInt8[np.ndarray, "height width"],
    deviation: Float[np.ndarray, "height width"],
    pixel_spacing_m: float,
    name: str,
) -> Picture:
    """A scene in grey and beside it, dark to bright, where an ensemble disagrees.

    `deviation`: standard deviation of a probability, 0 to `LARGEST_DEVIATION`.
    """
    zoom = display_zoom(image.shape, PICTURE_PX // 2)
    grey = np.repeat(grey_map(image, zoom)[..., None], 3, axis=-1)
    gap = np.full((len(grey), MARGIN_PX, 3), PAPER, np.uint8)
    both = np.concatenate([grey, gap, deviation_map(deviation, zoom)], axis=1)
    header = [name, "right: standard deviation of the zone probabilities (largest over the zones)"]
    return _framed(both, header, pixel_spacing_m / zoom, {}, with_deviation_scale=True)


def contact_sheet(pictures: Sequence[Picture], columns: int = 3, tile_px: int = 480) -> Picture:
    """Pictures side by side, each shrunk to fit a square of `tile_px`.

    A row is as high as its highest picture, a column as wide as the widest of all.
    """
    tiles = [Image.fromarray(picture) for picture in pictures]
    for tile in tiles:
        tile.thumbnail((tile_px - MARGIN_PX, tile_px - MARGIN_PX))
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    heights = [max(tile.height for tile in row) + MARGIN_PX for row in rows]
    width = max(tile.width for tile in tiles) + MARGIN_PX
    sheet = Image.new("RGB", (len(rows[0]) * width, sum(heights)), PAPER)
    for number, row in enumerate(rows):
        for column, tile in enumerate(row):
            sheet.paste(tile, (column * width + MARGIN_PX // 2, sum(heights[:number]) + MARGIN_PX // 2))
    return np.asarray(sheet)


def round_down(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above a positive value."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step * power for step in (1, 2, 5) if step * power <= value))


def length_text(length_m: float) -> str:
    """A length in metres as text, in kilometres from one kilometre on."""
    return f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"


def _framed(
    picture: Picture,
    header: Sequence[str],
    metres_a_pixel: float,
    legend: Mapping[str, Sequence[Stroke]],
    with_deviation_scale: bool = False,
) -> Picture:
    """The picture on white paper, pixel by pixel, the lines of `header` above it, legend and scale bar below."""
    rows, columns = picture.shape[:2]
    widths = [columns, *map(_text_width, header), _foot_width(legend, with_deviation_scale)]
    width = max(widths) + 2 * MARGIN_PX
    top = MARGIN_PX + len(header) * LINE_HEIGHT_PX
    height = top + rows + FOOT_PX
    # Half a pixel more, because matplotlib rounds down.
    size = ((width + 0.5) / PIXELS_PER_INCH, (height + 0.5) / PIXELS_PER_INCH)
    figure = Figure(size, dpi=PIXELS_PER_INCH, facecolor="white")
    ink = _shade(INK)
    for number, line in enumerate(header):
        y = 1 - (MARGIN_PX + number * LINE_HEIGHT_PX) / height
        figure.text(MARGIN_PX / width, y, line, fontsize=TEXT_PX, va="top", color=ink, parse_math=False)
    figure.figimage(picture, MARGIN_PX, FOOT_PX)
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height), facecolor="none")
    page.axis("off")
    middle = FOOT_PX / 2
    length_m = round_down(SCALE_BAR_PX * metres_a_pixel)
    bar = MARGIN_PX, MARGIN_PX + length_m / metres_a_pixel
    page.plot(bar, (middle, middle), color=ink, linewidth=4, solid_capstyle="butt")
    page.text(bar[1] + 6, middle, length_text(length_m), fontsize=TEXT_PX, va="center", color=ink)
    if legend:
        page.legend(
            [tuple(_line(stroke) for stroke in strokes) for strokes in legend.values()],
            list(legend),
            handler_map={tuple: HandlerTuple(ndivide=1)},
            loc="center left",
            bbox_to_anchor=(LEGEND_START_PX, middle),
            bbox_transform=page.transData,
            ncols=len(legend),
            fontsize=TEXT_PX,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
            columnspacing=COLUMN_GAP,
            handlelength=HANDLE_LENGTH,
            handletextpad=HANDLE_PAD,
        )
    if with_deviation_scale:
        scale = figure.add_axes(
            ((LEGEND_START_PX + 20) / width, (middle - 2) / height, DEVIATION_SCALE_PX / width, 14 / height)
        )
        colours = ScalarMappable(Normalize(0, LARGEST_DEVIATION), DEVIATION_COLOURS)
        bar_axis = figure.colorbar(colours, cax=scale, orientation="horizontal", ticks=[0, LARGEST_DEVIATION])
        bar_axis.ax.tick_params(labelsize=TEXT_PX - 3, length=0, colors=ink)
    return picture_of(figure)


def _foot_width(legend: Mapping[str, Sequence[Stroke]], with_deviation_scale: bool) -> int:
    """Pixels that the scale bar and what stands right of it need, without the margins of the page."""
    texts = sum(_text_width(label) + 1 for label in legend)
    gaps = TEXT_PX * (len(legend) * (HANDLE_LENGTH + HANDLE_PAD) + max(0, len(legend) - 1) * COLUMN_GAP)
    scale = 20 + DEVIATION_SCALE_PX + TEXT_PX if with_deviation_scale else 0
    return LEGEND_START_PX - MARGIN_PX + max(texts + math.ceil(gaps), scale)


def _line(stroke: Stroke) -> Line2D:
    """A line of the legend, as wide as the stroke on the picture."""
    outline = [Outline(linewidth=stroke.width_px + 2, foreground=_shade(OUTLINE_COLOUR)), Normal()]
    return Line2D(
        [],
        [],
        color=_shade(stroke.colour),
        linewidth=stroke.width_px,
        solid_capstyle="butt",
        path_effects=outline if stroke.outlined else None,
    )


def _shade(colour: Colour) -> tuple[float, float, float]:
    """A colour of 0..255 as matplotlib takes it."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255


def _text_width(text: str) -> int:
    escaped = text.replace("$", r"\$")  # a dollar sign would begin a formula
    return round(TextPath((0, 0), escaped, size=TEXT_PX).get_extents().width) + 1 if text else 0
