"""Pictures of fronts on their scenes. Drawn with Pillow alone: fast, no display, no global state."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from glacierjax.core.boxes import BoundingBox

# Okabe-Ito colours, told apart with any common colour vision and unlike any grey.
TRUE_COLOUR = (86, 180, 233)  # sky blue
PREDICTED_COLOUR = (213, 94, 0)  # vermilion
BOTH_COLOUR = (240, 228, 66)  # yellow
BOX_COLOUR = (255, 255, 255)
PAPER, INK = (255, 255, 255), (30, 30, 30)

PICTURE_PX = 900  # longest side of the scene in an overlay
LARGEST_ZOOM = 4
MARGIN_PX = 10
TEXT_PX = 17
LINE_HEIGHT_PX = 24


def overlay(
    image: np.ndarray,
    true_front: np.ndarray | None,
    predicted_front: np.ndarray,
    box: BoundingBox | None,
    pixel_spacing_m: float,
    name: str,
    mde_text: str,
    area: np.ndarray | None = None,
) -> np.ndarray:
    """A scene in grey with its true and predicted front, box, scale bar and legend.

    Args:
      image: grey values (H, W) uint8.
      true_front, predicted_front: masks (H, W) bool; None: not known.
      box: where a front may be, pixels; dashed in white. None: not drawn.
      pixel_spacing_m: metres a pixel, for the scale bar.
      name, mde_text: the two texts above the picture.
      area: where a front may be, if it is no box: mask (H, W) bool, outlined in white. None: not drawn.

    Returns:
      (rows, columns, 3) uint8, the scene's longest side at most `PICTURE_PX` pixels.
    """
    height, width = image.shape
    zoom = min(LARGEST_ZOOM, PICTURE_PX / max(height, width))
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    resampling = Image.Resampling.BOX if zoom < 1 else Image.Resampling.BICUBIC
    scene = np.repeat(np.asarray(Image.fromarray(image).resize(size, resampling))[..., None], 3, axis=2)
    if area is not None:
        scene[_thick_line(area ^ ndimage.binary_erosion(area), zoom, size)] = BOX_COLOUR
    predicted_line = _thick_line(predicted_front, zoom, size)
    scene[predicted_line] = PREDICTED_COLOUR
    legend = [("predicted front", PREDICTED_COLOUR)]
    if true_front is not None:
        true_line = _thick_line(true_front, zoom, size)
        scene[true_line] = TRUE_COLOUR
        scene[true_line & predicted_line] = BOTH_COLOUR
        legend = [("true front", TRUE_COLOUR), *legend, ("both", BOTH_COLOUR)]

    font = ImageFont.load_default(TEXT_PX)
    header = [name, mde_text]
    text_width = max(_text_width(font, line) for line in header)
    legend_width = sum(_text_width(font, item) + 40 for item, _ in legend) + 160
    page_width = max(size[0], text_width, legend_width) + 2 * MARGIN_PX
    top = MARGIN_PX + len(header) * LINE_HEIGHT_PX
    page = Image.new("RGB", (page_width, top + size[1] + LINE_HEIGHT_PX + 2 * MARGIN_PX), PAPER)
    page.paste(Image.fromarray(scene), (MARGIN_PX, top))
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(header):
        draw.text((MARGIN_PX, MARGIN_PX // 2 + number * LINE_HEIGHT_PX), line, INK, font)
    if box is not None:
        _dashed_box(draw, [c * zoom for c in box], (MARGIN_PX, top), size)
    below = top + size[1] + MARGIN_PX
    x = _legend(draw, font, legend, below)
    _scale_bar(draw, font, (x + 10, below), pixel_spacing_m / zoom)
    return np.asarray(page)


def contact_sheet(pictures: Sequence[np.ndarray], columns: int = 3, tile_px: int = 480) -> np.ndarray:
    """Pictures (h, w, 3) uint8 side by side, each shrunk into a square tile: (rows, columns, 3) uint8."""
    rows = -(-len(pictures) // columns)
    columns = min(columns, len(pictures))
    sheet = Image.new("RGB", (columns * tile_px, rows * tile_px), PAPER)
    for number, picture in enumerate(pictures):
        tile = Image.fromarray(picture)
        tile.thumbnail((tile_px - MARGIN_PX, tile_px - MARGIN_PX))
        row, column = divmod(number, columns)
        sheet.paste(tile, (column * tile_px + MARGIN_PX // 2, row * tile_px + MARGIN_PX // 2))
    return np.asarray(sheet)


def _thick_line(front: np.ndarray, zoom: float, size: tuple[int, int]) -> np.ndarray:
    """The front at the size of the picture, 3 pixels wide: no pixel of it is lost in shrinking."""
    line = np.zeros((size[1], size[0]), bool)
    rows, columns = ((np.argwhere(front) + 0.5) * zoom).astype(int).T
    line[np.minimum(rows, size[1] - 1), np.minimum(columns, size[0] - 1)] = True
    return ndimage.binary_dilation(line, np.ones((3, 3), bool), iterations=max(1, round(zoom / 2)))


def _dashed_box(
    draw: ImageDraw.ImageDraw, box: Sequence[float], origin: tuple[int, int], size: tuple[int, int], dash_px: int = 8
) -> None:
    xmin, xmax = (min(max(x, 0), size[0] - 1) + origin[0] for x in (box[0], box[2]))
    ymin, ymax = (min(max(y, 0), size[1] - 1) + origin[1] for y in (box[1], box[3]))
    draw.rectangle([xmin, ymin, xmax, ymax], outline=INK)  # dark gaps: seen on bright ice as well
    for x in np.arange(xmin, xmax, 2 * dash_px):
        for y in (ymin, ymax):
            draw.line([(x, y), (min(x + dash_px, xmax), y)], BOX_COLOUR)
    for y in np.arange(ymin, ymax, 2 * dash_px):
        for x in (xmin, xmax):
            draw.line([(x, y), (x, min(y + dash_px, ymax))], BOX_COLOUR)


def _legend(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    items: Sequence[tuple[str, tuple[int, int, int]]],
    y: int,
) -> int:
    x = MARGIN_PX
    for item, colour in items:
        draw.rectangle([x, y + 8, x + 18, y + 12], colour, outline=INK)
        draw.text((x + 24, y), item, INK, font)
        x += _text_width(font, item) + 40
    return x


def _scale_bar(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    origin: tuple[int, int],
    metres_a_pixel: float,
    longest_px: int = 90,
) -> None:
    """A bar of 1, 2 or 5 times a power of ten metres, as long as fits `longest_px`."""
    longest_m = longest_px * metres_a_pixel
    power = 10 ** np.floor(np.log10(longest_m))
    length_m = max(step * power for step in (1, 2, 5) if step * power <= longest_m)
    x, y = origin
    draw.rectangle([x, y + 8, x + round(length_m / metres_a_pixel), y + 12], INK)
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    draw.text((x + round(length_m / metres_a_pixel) + 6, y), text, INK, font)


def _text_width(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, text: str) -> int:
    return int(font.getlength(text)) + 1
