"""Writes SAR scenes and optical images in SSL4SAR's published layout (`glacierjax.datasets.ssl4sar.archive` reads it)."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from glacierjax.core.files import write_beside, write_png
from glacierjax.core.glaciers import SPELLINGS
from glacierjax.core.proj import make_proj_usable
from glacierjax.datasets.ssl4sar.archive import OPTICAL_FOLDER, SAR_FOLDERS
from glacierjax.datasets.ssl4sar.optical import FILE_BANDS, Grid


def write_sar_scene(root: str | os.PathLike, split: str, name: str, image: UInt8[np.ndarray, "height width"]) -> None:
    """Writes an unlabelled SAR scene as `NAME.png` into the folder of its split ("train" or "val")."""
    write_png(Path(root) / SAR_FOLDERS[split] / f"{name}.png", image)


def write_optical_image(
    root: str | os.PathLike, glacier: str, year: int, bands: Float32[np.ndarray, "20 height width"], grid: Grid
) -> None:
    """Writes the optical image of a glacier: the bands `FILE_BANDS` in Sentinel-2's units, NaN where there are no data.

    The file has the published spelling of the glacier's name: the optical image of COL is Columbia's.
    """
    spelled = SPELLINGS.get(glacier, (glacier,))[0]
    with write_beside(Path(root) / OPTICAL_FOLDER / f"{spelled}_{year}_S2.tif") as temporary:
        temporary.write_bytes(encode_geotiff(bands, grid, FILE_BANDS))


def encode_geotiff(
    bands: Shaped[np.ndarray, "bands height width"], grid: Grid, descriptions: Sequence[str] = ()
) -> bytes:
    """The bytes of a georeferenced GeoTIFF; in bands of floating point numbers NaN is nodata."""
    import rasterio
    from rasterio import Affine

    make_proj_usable()
    assert grid.transform is not None, "only georeferenced grids are written"
    is_float = np.issubdtype(bands.dtype, np.floating)
    profile = {
        "driver": "GTiff",
        "height": grid.height,
        "width": grid.width,
        "count": len(bands),
        "dtype": bands.dtype.name,
        "crs": grid.crs,
        "transform": Affine(*grid.transform),
        "nodata": float("nan") if is_float else None,
        "compress": "deflate",
        "predictor": 3 if is_float else 2,
    }
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(bands)
            if descriptions:
                file.descriptions = tuple(descriptions)
        return bytes(memory.read())
