"""Small rasters in the layouts of Sentinel-1 products: dark sea in the east, bright ice in the west."""

import numpy as np
import rasterio
from rasterio.transform import Affine

SPACING_M = 20.0
LEFT, TOP = 500_000.0, 7_650_000.0


def power(shape=(40, 50), seed=0):
    """Linear backscatter float32: speckle, ten times brighter in the western half."""
    speckle = np.random.default_rng(seed).gamma(4, 0.25, shape)
    return (speckle * np.where(np.arange(shape[1]) < shape[1] // 2, 0.2, 0.02)).astype(np.float32)


def write(
    path, values, left=LEFT, top=TOP, crs="EPSG:32622", nodata=None, descriptions=(), spacing_m=SPACING_M, **profile
):
    """Writes bands (H, W) or (B, H, W) as GeoTIFF, or as the driver that `profile` names; returns the path as text."""
    stack = values if values.ndim == 3 else values[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {"driver": "GTiff", "crs": crs, "transform": Affine(spacing_m, 0, left, 0, -spacing_m, top)} | profile
    count, height, width = stack.shape
    with rasterio.open(
        path, "w", count=count, height=height, width=width, dtype=stack.dtype, nodata=nodata, **settings
    ) as dataset:
        dataset.write(stack)
        for band, text in enumerate(descriptions, 1):
            dataset.set_band_description(band, text)
    return str(path)
