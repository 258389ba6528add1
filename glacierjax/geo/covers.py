"""Masks on a scene's grid, such as rock, from polygons or a raster in any reference system."""

import dataclasses
import functools
import hashlib
import warnings
from pathlib import Path

import numpy as np
import rasterio
import shapely
from jaxtyping import Bool
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path
from glacierjax.geo.areas import Area, read_area
from glacierjax.geo.features import SUFFIXES, is_vector_file
from glacierjax.geo.georeference import WGS84, Georeference
from glacierjax.geo.layers import RASTER_SUFFIXES
from glacierjax.geo.mosaic import georeference_of
from glacierjax.geo.registration import Footprint

Mask = Bool[np.ndarray, "height width"]


@dataclasses.dataclass(frozen=True)
class Cover:
    """Polygons (`area`), or a raster whose values above 0 are covered. `where`: its file."""

    where: str
    area: Area | None = None

    def mask(self, shape: tuple[int, int], georeference: Georeference | None) -> Mask:
        """bool (H, W), true where the middle of a pixel is covered. Raises `InputError` without georeference."""
        if georeference is None:
            raise InputError(
                f"{self.where}: lies on Earth, but the scene is not georeferenced, so it cannot be laid over it"
            )
        if self.area is not None:
            return self.area.mask(shape, georeference)
        return _warped(self.where, shape, georeference)

    def meets(self, shape: tuple[int, int], georeference: Georeference) -> bool:
        """Whether it says anything of a scene: polygons cover a pixel of it, a raster shows a part of its ground."""
        if self.area is not None:
            return bool(self.mask(shape, georeference).any())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            with rasterio.open(user_path(self.where)) as dataset:
                place = georeference_of(dataset)
                own = place and Footprint(place, dataset.shape)
        try:
            outline = own and own.outline(Footprint(georeference, shape))
        except InputError:  # on the other side of the Earth
            outline = None
        return outline is not None and outline.intersects(shapely.box(0, 0, shape[1], shape[0]))

    @functools.cached_property
    def digest(self) -> str:
        """Tells one cover from another, wherever its file lies."""
        return self.area.digest if self.area else hashlib.sha256(user_path(self.where).read_bytes()).hexdigest()


def read_cover(path: str | Path) -> Cover:
    """The cover in a vector file with polygons, or in a raster with a reference system. Raises `InputError` naming the file."""
    if is_vector_file(path):
        return Cover(str(path), read_area(path))
    if user_path(path).suffix.lower() not in RASTER_SUFFIXES:
        raise InputError(
            f"{path}: neither polygons ({', '.join(SUFFIXES)}) nor a raster ({', '.join(RASTER_SUFFIXES)})"
        )
    if not user_path(path).is_file():
        raise InputError(f"{path}: no such file")
    # Whether it can be laid on a grid is found out now, not after the first scene.
    _warped(str(path), (1, 1), Georeference(WGS84, (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)))
    return Cover(str(path))


def _warped(path: str, shape: tuple[int, int], georeference: Georeference) -> Mask:
    """The first band of a raster, nearest pixel; what it does not show is not covered."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(user_path(path)) as dataset:
                if dataset.crs is None:
                    raise InputError(f"{path}: no reference system in it; save it again with one")
                grid = {
                    "crs": georeference.crs,
                    "transform": Affine(*georeference.transform),
                    "height": shape[0],
                    "width": shape[1],
                    "resampling": Resampling.nearest,
                    "add_alpha": dataset.nodata is None and ColorInterp.alpha not in dataset.colorinterp,
                }
                with WarpedVRT(dataset, **grid) as warped:
                    return (warped.read(1) > 0) & (warped.dataset_mask() > 0)
    except InputError:
        raise
    except Exception as error:  # GDAL's exceptions have no public base class
        raise InputError(f"{path}: not a readable raster ({error}); copy or download it again") from error
