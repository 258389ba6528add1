"""Writes maps atomically: as GeoTIFF if the scene is georeferenced, else as PNG."""

import warnings
from pathlib import Path

import numpy as np
import rasterio
from jaxtyping import Shaped
from rasterio.errors import RasterioError
from rasterio.transform import Affine

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_beside, write_png
from glacierjax.core.grey import GREY_MAX
from glacierjax.geo.georeference import Georeference

TILE_PX = 256


def raster_path(folder: Path, name: str, georeference: Georeference | None) -> Path:
    """Where `write_raster` puts the map of a scene."""
    return folder / f"{name}.{'png' if georeference is None else 'tif'}"


def write_raster(
    path: Path,
    array: Shaped[np.ndarray, "height width"],
    georeference: Georeference | None,
    description: str,
    nodata: float | None = None,
) -> None:
    """Writes a map (H, W). A GeoTIFF keeps uint8 and float32; in a PNG, float32 in 0..1 becomes grey 0..255."""
    if georeference is None:
        write_png(path, array if array.dtype == np.uint8 else np.round(array * GREY_MAX).astype(np.uint8))
        return
    profile = {
        "driver": "GTiff",
        "dtype": array.dtype,
        "count": 1,
        "height": array.shape[0],
        "width": array.shape[1],
        "crs": georeference.crs,
        "transform": Affine(*georeference.transform),
        "nodata": nodata,
        "compress": "deflate",
        "predictor": 3 if array.dtype == np.float32 else 1,
        "BIGTIFF": "IF_SAFER",
    }
    if min(array.shape) >= TILE_PX:
        profile |= {"tiled": True, "blockxsize": TILE_PX, "blockysize": TILE_PX}
    with write_beside(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
        try:
            with rasterio.open(temporary, "w", **profile) as dataset:
                dataset.write(array, 1)
                dataset.set_band_description(1, description)
        except RasterioError as error:
            raise InputError(f"{path}: cannot be written ({error}); choose another output folder") from error
