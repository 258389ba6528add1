"""Where CaFFe's scenes lie on the map: `meta_data.csv`, which torchgeo distributes beside the archive.

Source: Hugging Face data set torchgeo/caffe. Semicolons, Latin-1, a row a scene. Cells are found by what is in them: the
scene's name (with or without a suffix), EPSG:3031, and BoundingBox(left=..., bottom=..., right=..., top=...).
"""

import csv
import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.scene_names import SceneId

META_DATA = "meta_data.csv"
IMAGE_FOLDER_DEPTH = 2  # data_raw/sar_images/SPLIT/NAME.png: from the image's folder up to data_raw
LARGEST_DEGREES = 360  # bounds up to here may be degrees, whose pixels need not be square
SQUARE_WITHIN = 0.02  # of a pixel's sides
# Pixel spacings in names are whole metres: 6.7 m is called 7 m or 6 m.
SPACING_WITHIN, SPACING_WITHIN_M = 0.15, 1.0

_NAME = re.compile(r"[^_\s]+_\d{4}-\d{2}-\d{2}_[^_]+_\d+_\d+_[^_.\s]+")
_EPSG = re.compile(r"\s*(?:EPSG\s*:\s*)?(\d{4,6})\s*", re.IGNORECASE)
_CRS_COLUMN = re.compile(r"coordinate.?system|epsg|crs", re.IGNORECASE)
_BOUNDS = re.compile(r"left\s*=([^,]+),\s*bottom\s*=([^,]+),\s*right\s*=([^,]+),\s*top\s*=([^,)]+)", re.IGNORECASE)
MEND = "mend it, or take the file away to go on without map coordinates"


class _Row(NamedTuple):
    line: int
    bounds: MapBounds | None


class MetaData:
    """The rows of one file by scene; what is wrong with a row is told when its scene is asked for."""

    def __init__(self, where: str, rows: Mapping[str, list[_Row]]):
        self.where, self._rows = where, rows

    def by_name(self) -> dict[str, MapBounds | None]:
        """The bounds of all scenes, unchecked; None: no single row that can be read."""
        return {name: rows[0].bounds if len(rows) == 1 else None for name, rows in self._rows.items()}

    def bounds(self, scene: SceneId, shape: tuple[int, int]) -> MapBounds:
        """The bounds of a scene with an image of `shape`.

        Raises `InputError` naming file and row if there is no row or more than one, or none that can be read, or if the
        bounds contradict the image or the scene's name.
        """
        rows = self._rows.get(scene.name, [])
        if len(rows) != 1:
            lines = ", ".join(str(row.line) for row in rows)
            found = f"{len(rows)} rows ({lines})" if rows else "no row"
            raise InputError(f"{self.where}: {found} for the scene {scene.name}, expected one; {MEND}")
        where = f"{self.where}, row {rows[0].line}: {scene.name}"
        bounds = rows[0].bounds
        if bounds is None:
            what = "no EPSG code and bounds (left=, bottom=, right=, top=) that can be read"
            raise InputError(f"{where}: {what}; {MEND}")
        _check(bounds, scene, shape, where)
        return bounds


def read_meta_data(path: Path) -> MetaData:
    """Reads the file. Raises `InputError` if it is unreadable or not of this kind."""
    try:
        text = (
            path.read_bytes().decode("latin-1").removeprefix("\xef\xbb\xbf")
        )  # a byte order mark, as Latin-1 shows it
        lines = list(csv.reader(io.StringIO(text), delimiter=";"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except csv.Error as error:
        raise InputError(f"{path}: not a table with semicolons ({error}); download it again") from error
    crs_columns = {i for i, title in enumerate(lines[0] if lines else []) if _CRS_COLUMN.search(title)}
    rows: dict[str, list[_Row]] = {}
    for number, cells in enumerate(lines, 1):
        if name := next((match[0] for cell in cells if (match := _NAME.match(cell.strip()))), None):
            rows.setdefault(name, []).append(_Row(number, _bounds_of(cells, crs_columns)))
    if not any(row.bounds for same in rows.values() for row in same):
        what = "a row a scene, semicolons between name, EPSG code and bounds (left=, bottom=, right=, top=)"
        raise InputError(f"{path}: no row that can be read; expected {what}")
    return MetaData(str(path), rows)


def find_meta_data(data_raw: Path) -> MetaData | None:
    """The table in or beside `data_raw` (folder or zip file); None if there is none."""
    folders = [data_raw] if data_raw.is_dir() else []
    path = next((f for folder in (*folders, data_raw.absolute().parent) if (f := folder / META_DATA).is_file()), None)
    return read_meta_data(path) if path else None


def meta_data_of_image(image: Path, image_folder: str) -> MetaData | None:
    """The table of an image data_raw/`image_folder`/SPLIT/NAME.png; None for images that lie elsewhere, or without table."""
    above = image.absolute().parents
    if len(above) <= IMAGE_FOLDER_DEPTH or above[1].name != image_folder:
        return None
    return find_meta_data(above[IMAGE_FOLDER_DEPTH])


def write_meta_data(data_raw: Path, bounds: Mapping[str, MapBounds]) -> None:
    """Writes the table of these scenes, by name, into the folder `data_raw`."""
    text = io.StringIO()
    table = csv.writer(text, delimiter=";", lineterminator="\n")
    table.writerow(["image_name", "Coordinate system", "Bounding box coordinates"])
    for name, (crs, left, bottom, right, top) in sorted(bounds.items()):
        table.writerow([name, crs, f"BoundingBox(left={left!r}, bottom={bottom!r}, right={right!r}, top={top!r})"])
    write_text(data_raw / META_DATA, text.getvalue())


def _bounds_of(cells: list[str], crs_columns: set[int]) -> MapBounds | None:
    corners = next((match for cell in cells if (match := _BOUNDS.search(cell))), None)
    codes = [
        match[1]
        for column, cell in enumerate(cells)
        if (match := _EPSG.fullmatch(cell)) and (column in crs_columns or "epsg" in cell.lower())
    ]
    if corners is None or len(codes) != 1:
        return None
    try:
        return MapBounds(f"EPSG:{codes[0]}", *(float(corner) for corner in corners.groups()))
    except ValueError:
        return None


def is_spacing_of(named_m: int, measured_m: float) -> bool:
    """Whether pixels may have the spacing in whole metres that the scene's name says."""
    return abs(measured_m - named_m) <= max(SPACING_WITHIN * named_m, SPACING_WITHIN_M)


def _check(bounds: MapBounds, scene: SceneId, shape: tuple[int, int], where: str) -> None:
    """Raises `InputError` for bounds that cannot be those of the scene."""
    height, width = shape
    if not all(map(math.isfinite, bounds[1:])) or bounds.left >= bounds.right or bounds.bottom >= bounds.top:
        raise InputError(
            f"{where}: its bounds hold no area (left {bounds.left:g}, right {bounds.right:g}, ...); {MEND}"
        )
    if max(map(abs, bounds[1:])) <= LARGEST_DEGREES:
        return
    sides_m = (bounds.right - bounds.left) / width, (bounds.top - bounds.bottom) / height
    spacing_m = scene.pixel_spacing_m
    square = abs(sides_m[0] / sides_m[1] - 1) <= SQUARE_WITHIN
    if not square or not all(is_spacing_of(spacing_m, side) for side in sides_m):
        raise InputError(
            f"{where}: its bounds contradict its image of {width} x {height} pixels: a pixel would be {sides_m[0]:.3g} m x "
            f"{sides_m[1]:.3g} m, {spacing_m} m by its name; {MEND}"
        )
