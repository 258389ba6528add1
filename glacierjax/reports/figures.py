"""Pictures of fronts on their scenes. Drawn with Pillow alone: fast, no display, no global state."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from glacierjax.core.boxes import BoundingBox
from glacierjax.fronts.scores import pixels_of

# Okabe-Ito colours, told apart with any common colour vision and unlike any grey.
TRUE_COLOUR = (86, 180, 233)  # sky blue
PREDICTED_COLOUR = (213, 94, 0)  # vermilion
BOTH_COLOUR = (240, 228, 66)  # yellow
MISSED_COLOUR = (0, 114, 178)  # blue
FALSE_COLOUR = (204, 121, 167)  # reddish purple
BOX_COLOUR = (255, 255, 255)
PAPER, INK = (255, 255, 255), (30, 30, 30)

# Viridis (matplotlib), every 64th of its colours: even steps in brightness, read by everybody.
UNCERTAINTY_COLOURS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
LARGEST_DEVIATION = 0.5  # of numbers between 0 and 1

NEAR_M = 200.0  # what has the other front no nearer than this is drawn as missed or false; people differ by some 40 m
PICTURE_PX = 900  # longest side of the scene in an overlay
LARGEST_ZOOM = 4
BORDER_PX = 4  # of missed and false parts, on both sides of the line
MARGIN_PX = 10
TEXT_PX = 17
LINE_HEIGHT_PX = 24
LEGEND = {
    "true front": TRUE_COLOUR,
    "predicted": PREDICTED_COLOUR,
    "both": BOTH_COLOUR,
    "missed": MISSED_COLOUR,
    "false": FALSE_COLOUR,
}
NOTHING = np.zeros((0, 2), int)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def overlay(
    image: np.ndarray,
    true_front: np.ndarray,
    predicted_front: np.ndarray,
    box: BoundingBox | None,
    pixel_spacing_m: float,
    name: str,
    mde_text: str,
    missed_rc: np.ndarray = NOTHING,
    false_rc: np.ndarray = NOTHING,
) -> np.ndarray:
    """A scene in grey with its true and predicted front, box, scale bar and legend.

    Args:
      image: grey values (H, W) uint8.
      true_front, predicted_front: masks (H, W) bool.
      box: where a front may be, pixels; dashed in white. None: not drawn.
      pixel_spacing_m: metres a pixel, for the scale bar.
      name, mde_text: the two texts above the picture.
      missed_rc, false_rc: pixels (n, 2) of the true front that were missed, and of the predicted one that are false; they
        get a broad border, so that they are told from the rest by width too.

    Returns:
      (rows, columns, 3) uint8, the scene's longest side at most `PICTURE_PX` pixels.
    """
    scene, zoom = _shrunk(image, PICTURE_PX)
    size = (scene.shape[1], scene.shape[0])
    for part_rc, colour in ((missed_rc, MISSED_COLOUR), (false_rc, FALSE_COLOUR)):
        scene[_thick_line(part_rc, zoom, size, 2 + BORDER_PX)] = colour
    true_line, predicted_line = (
        _thick_line(pixels_of(front), zoom, size, max(1, round(zoom / 2))) for front in (true_front, predicted_front)
    )
    scene[true_line] = TRUE_COLOUR
    scene[predicted_line] = PREDICTED_COLOUR
    scene[true_line & predicted_line] = BOTH_COLOUR

    font = ImageFont.load_default(TEXT_PX)
    header = [name, mde_text]
    text_width = max(_text_width(font, line) for line in header)
    legend_width = sum(_text_width(font, item) + 40 for item in LEGEND) + 160
    page, top = _page(scene, header, max(text_width, legend_width))
    draw = ImageDraw.Draw(page)
    if box is not None:
        _dashed_box(draw, [c * zoom for c in box], (MARGIN_PX, top), size)
    below = top + size[1] + MARGIN_PX
    x = _legend(draw, font, below, LEGEND)
    _scale_bar(draw, font, (x + 10, below), pixel_spacing_m / zoom)
    return np.asarray(page)


def front_picture(
    image: np.ndarray, front: np.ndarray, area: np.ndarray | None, pixel_spacing_m: float, name: str, text: str
) -> np.ndarray:
    """A scene (H, W) uint8 in grey with a front (H, W) bool of which no truth is known: (rows, columns, 3) uint8.

    `area` bool (H, W): where a front may be, outlined in white. `name` and `text` stand above the picture.
    """
    scene, zoom = _shrunk(image, PICTURE_PX)
    size = (scene.shape[1], scene.shape[0])
    if area is not None:
        scene[_thick_line(pixels_of(area ^ ndimage.binary_erosion(area)), zoom, size, 1)] = BOX_COLOUR
    scene[_thick_line(pixels_of(front), zoom, size, max(1, round(zoom / 2)))] = PREDICTED_COLOUR
    font = ImageFont.load_default(TEXT_PX)
    page, top = _page(scene, [name, text], max(300, *(_text_width(font, line) for line in (name, text))))
    draw = ImageDraw.Draw(page)
    below = top + size[1] + MARGIN_PX
    x = _legend(draw, font, below, {"predicted": PREDICTED_COLOUR})
    _scale_bar(draw, font, (x + 10, below), pixel_spacing_m / zoom)
    return np.asarray(page)


def uncertainty_picture(image: np.ndarray, deviation: np.ndarray, pixel_spacing_m: float, name: str) -> np.ndarray:
    """A scene (H, W) uint8 in grey and beside it, dark to bright, where an ensemble disagrees: (rows, columns, 3) uint8.

    `deviation` (H, W): standard deviation of a probability, 0 to 0.5.
    """
    scene, zoom = _shrunk(image, PICTURE_PX // 2)
    size = (scene.shape[1], scene.shape[0])
    resampling = Image.Resampling.BOX if zoom < 1 else Image.Resampling.NEAREST
    shrunk = np.asarray(Image.fromarray(deviation.astype(np.float32)).resize(size, resampling))
    gap = np.full((size[1], MARGIN_PX, 3), PAPER, np.uint8)
    font = ImageFont.load_default(TEXT_PX)
    header = [name, "standard deviation of the class probabilities, largest of the classes"]
    both = np.concatenate([scene, gap, _coloured(shrunk)], axis=1)
    page, top = _page(both, header, max(_text_width(font, line) for line in header))
    draw = ImageDraw.Draw(page)
    below = top + size[1] + MARGIN_PX
    ramp = _coloured(np.tile(np.linspace(0, LARGEST_DEVIATION, 120, dtype=np.float32), (12, 1)))
    page.paste(Image.fromarray(ramp), (MARGIN_PX + 16, below + 5))
    draw.text((MARGIN_PX, below), "0", INK, font)
    draw.text((MARGIN_PX + 142, below), f"{LARGEST_DEVIATION:g}", INK, font)
    _scale_bar(draw, font, (MARGIN_PX + 200, below), pixel_spacing_m / zoom)
    return np.asarray(page)


def contact_sheet(pictures: Sequence[np.ndarray], columns: int = 3, tile_px: int = 480) -> np.ndarray:
    """Pictures (h, w, 3) uint8 side by side, each shrunk to fit a square of `tile_px`: (rows, columns, 3) uint8.

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


def _shrunk(image: np.ndarray, longest_px: int) -> tuple[np.ndarray, float]:
    """The scene (H, W) uint8 in grey (h, w, 3), its longest side at most `longest_px`, and by how much it was enlarged."""
    height, width = image.shape
    zoom = min(LARGEST_ZOOM, longest_px / max(height, width))
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    resampling = Image.Resampling.BOX if zoom < 1 else Image.Resampling.BICUBIC
    return np.repeat(np.asarray(Image.fromarray(image).resize(size, resampling))[..., None], 3, axis=2), zoom


def _page(picture: np.ndarray, header: Sequence[str], text_width: int) -> tuple[Image.Image, int]:
    """White paper with the lines of `header`, the picture, and a line left free below; the row where the picture begins."""
    top = MARGIN_PX + len(header) * LINE_HEIGHT_PX
    height, width = picture.shape[:2]
    size = (max(width, text_width) + 2 * MARGIN_PX, top + height + LINE_HEIGHT_PX + 2 * MARGIN_PX)
    page = Image.new("RGB", size, PAPER)
    page.paste(Image.fromarray(picture), (MARGIN_PX, top))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(TEXT_PX)
    for number, line in enumerate(header):
        draw.text((MARGIN_PX, MARGIN_PX // 2 + number * LINE_HEIGHT_PX), line, INK, font)
    return page, top


def _coloured(deviation: np.ndarray) -> np.ndarray:
    """(h, w) in 0..`LARGEST_DEVIATION` as colours (h, w, 3) uint8."""
    steps = np.linspace(0, LARGEST_DEVIATION, len(UNCERTAINTY_COLOURS))
    channels = [np.interp(deviation, steps, channel) for channel in zip(*UNCERTAINTY_COLOURS, strict=True)]
    return np.stack(channels, -1).round().astype(np.uint8)


def _thick_line(front_rc: np.ndarray, zoom: float, size: tuple[int, int], grow_px: int) -> np.ndarray:
    """The front's pixels (n, 2) at the size of the picture, `grow_px` broader on each side: none is lost in shrinking."""
    line = np.zeros((size[1], size[0]), bool)
    rows, columns = ((front_rc + 0.5) * zoom).astype(int).T
    line[np.minimum(rows, size[1] - 1), np.minimum(columns, size[0] - 1)] = True
    return ndimage.maximum_filter(line, 2 * grow_px + 1)


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


def _legend(draw: ImageDraw.ImageDraw, font: Font, y: int, items: Mapping[str, tuple[int, int, int]]) -> int:
    x = MARGIN_PX
    for item, colour in items.items():
        thickness_px = 2 + (BORDER_PX if colour in (MISSED_COLOUR, FALSE_COLOUR) else 0)
        draw.rectangle([x, y + 10 - thickness_px, x + 18, y + 10 + thickness_px], colour, outline=INK)
        draw.text((x + 24, y), item, INK, font)
        x += _text_width(font, item) + 40
    return x


def _scale_bar(
    draw: ImageDraw.ImageDraw,
    font: Font,
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


def _text_width(font: Font, text: str) -> int:
    return int(font.getlength(text)) + 1
