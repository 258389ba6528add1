"""The frame of each scene: name, date and grid, without its pixels."""

import dataclasses
import datetime
import warnings
from collections.abc import Sequence

import numpy as np
import shapely
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning

from glacierjax.core.boxes import MapBounds
from glacierjax.core.errors import InputError
from glacierjax.core.scene_names import NameFacts, facts_of_name
from glacierjax.geo.georeference import WGS84, Georeference, pixel_size, reproject
from glacierjax.geo.mosaic import georeference_of, open_raster
from glacierjax.geo.registration import Footprint
from glacierjax.geo.sources import Source

SAME_SPACING = 0.05  # whole metres in names are rounded


@dataclasses.dataclass(frozen=True)
class Frame:
    """A scene that is not read yet. `shape` (rows, columns)."""

    source: Source
    georeference: Georeference
    shape: tuple[int, int]
    facts: NameFacts

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def where(self) -> str:
        return self.source.where

    @property
    def date(self) -> datetime.date | None:
        return self.facts.date

    def to_pixels(self, lonlat: np.ndarray) -> np.ndarray:
        """Column and row (n, 2) of points (n, 2) of longitude and latitude."""
        return self.georeference.to_pixels(reproject(lonlat, WGS84, self.georeference.crs))

    def share_inside(self, lines_lonlat: Sequence[np.ndarray]) -> float:
        """Which share of the points of lines lies in the scene; 0 where its map cannot show them."""
        try:
            points = np.concatenate([self.to_pixels(line) for line in lines_lonlat])
        except InputError:
            return 0.0
        height, width = self.shape
        return float(((points >= 0) & (points <= (width, height))).all(1).mean())

    def outline(self, crs: CRS) -> shapely.Polygon:
        """The scene's border in another reference system."""
        return Footprint(self.georeference, self.shape).outline(
            Footprint(Georeference(crs, (1, 0, 0, 0, 1, 0)), (1, 1))
        )

    @property
    def pixel_m(self) -> float:
        """Side of its middle pixel."""
        return pixel_size(self.georeference, self.shape).spacing_m


def bounds_of(frame: Frame, spacing_m: int) -> MapBounds | None:
    """Where a scene lies, as `meta_data.csv` has it; None for what that cannot say.

    It knows scenes with north up in reference systems with an EPSG code, whose pixels are as large on the map as their names
    say (`spacing_m`): not Web Mercator, in which they are larger than on the ground.
    """
    place, (height, width) = frame.georeference, frame.shape
    a, b, left, d, e, top = place.transform
    code = place.crs.to_epsg()
    if code is None or b or d or a <= 0 or e >= 0:
        return None
    is_metric = place.crs.is_projected and place.crs.linear_units_factor[1] == 1
    if not is_metric or abs(a / spacing_m - 1) > SAME_SPACING:
        return None
    return MapBounds(f"EPSG:{code}", left, top + e * height, left + a * width, top)


def read_frames(sources: Sequence[Source]) -> tuple[list[Frame], list[str]]:
    """The frames of sources, and what is wrong with those that have none."""
    frames, problems = [], []
    for source in sources:
        try:
            frames.append(_frame(source))
        except InputError as error:
            problems.append(str(error))
    return frames, problems


def _frame(source: Source) -> Frame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told in our own words
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
            with open_raster(source) as raster:
                georeference, shape = georeference_of(raster.dataset), raster.dataset.shape
    except InputError as error:
        raise InputError(str(error) if source.where in str(error) else f"{source.where}: {error}") from error
    except Exception as error:  # GDAL's exceptions have no public base class
        raise InputError(f"{source.where}: not a readable image ({error}); copy or download it again") from error
    if georeference is None:
        raise InputError(f"{source.where}: not georeferenced, so lines on Earth cannot be laid over it; give a GeoTIFF")
    return Frame(source, georeference, (shape[0], shape[1]), source.facts.filled_from(facts_of_name(source.name)))
