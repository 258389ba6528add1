"""Rectangles: where in a scene a calving front may lie, and where on the map a whole scene lies."""

import re
from pathlib import Path
from typing import NamedTuple

from glacierjax.core.errors import InputError

_HEADER = "x,y of: left-upper (xmin,ymax); left-lower (xmin,ymin); right-lower (xmax,ymin); right-upper (xmax,ymax)"


class BoundingBox(NamedTuple):
    """Pixel coordinates (x = column, y = row); may reach beyond the image; upper bounds are exclusive."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


def read_box(text: str, where: str) -> BoundingBox:
    """Parses a CaFFe box file: a header, then (xmin,ymax) (xmin,ymin) (xmax,ymin) (xmax,ymax), one corner a line."""
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    corners = []
    for line in lines:
        numbers = re.split(r"[,;\s]+", line.strip().strip("()"))
        try:
            x, y = (float(number) for number in numbers)
        except ValueError:
            raise InputError(f"{where}: the line {line.strip()!r} is not a corner `x,y`") from None
        corners.append((x, y))
    if len(corners) != 4:
        raise InputError(f"{where}: {len(corners)} corners below the header line, a bounding box has four")
    (x0, y1), (x0b, y0), (x1, y0b), (x1b, y1b) = corners
    if (x0, y0, x1, y1) != (x0b, y0b, x1b, y1b) or x0 >= x1 or y0 >= y1:
        raise InputError(
            f"{where}: the corners are not (xmin,ymax) (xmin,ymin) (xmax,ymin) (xmax,ymax) of an upright box"
        )
    return BoundingBox(x0, y0, x1, y1)


def box_text(box: BoundingBox) -> str:
    """A box as CaFFe writes it: a header line, then one corner a line (`read_box` reads it)."""
    corners = ((box.xmin, box.ymax), (box.xmin, box.ymin), (box.xmax, box.ymin), (box.xmax, box.ymax))
    return "\n".join([_HEADER, *(f"{x},{y}" for x, y in corners)]) + "\n"


def match_box_files(scene_names: list[str], files: list[Path]) -> dict[str, Path]:
    """Box file of each scene: a file `NAME*.txt` belongs to the longest scene name that is its prefix."""
    by_length = sorted(scene_names, key=len, reverse=True)
    box_files: dict[str, Path] = {}
    for file in sorted(files):
        name = next((n for n in by_length if file.name.startswith(n) and not file.name[len(n)].isalnum()), None)
        if name is None:
            continue
        if name in box_files:
            raise InputError(f"{file}: a second bounding box for {name} beside {box_files[name].name}; keep one")
        box_files[name] = file
    return box_files


class MapBounds(NamedTuple):
    """Outer borders in units of the reference system `crs` ("EPSG:3031"); up is up on the map."""

    crs: str
    left: float
    bottom: float
    right: float
    top: float

    def transform(self, shape: tuple[int, int]) -> tuple[float, float, float, float, float, float]:
        """(a, b, c, d, e, f) of x = a column + b row + c, y = d column + e row + f for a scene of `shape` (rows, columns)."""
        height, width = shape
        return (self.right - self.left) / width, 0.0, self.left, 0.0, (self.bottom - self.top) / height, self.top
