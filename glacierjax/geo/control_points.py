"""What to run for images that have ground control points and no map grid, as ESA delivers Sentinel-1."""

import numpy as np
import rasterio
from jaxtyping import Float

from glacierjax.core.products import product_of_name
from glacierjax.geo.georeference import usual_map
from glacierjax.geo.sources import shown_path

# Pixel spacing of ESA's ground range products, by mode and resolution (high or medium).
_SPACING_M = {("IW", "GRDH"): 10, ("EW", "GRDH"): 25, ("EW", "GRDM"): 40, ("IW", "GRDM"): 40}
_USUAL_SPACING_M = 10
UTM_LIMITS = (-80.0, 84.0)  # latitudes where UTM ends


def advice(dataset: rasterio.DatasetReader, path: str) -> str:
    """The line to run for a file with control points only, with a colon before it; empty for other files."""
    points, crs = dataset.gcps
    if not points or dataset.crs is not None:
        return ""
    first = f": only {len(points)} ground control points"
    source = product_folder(path)
    product = product_of_name(source) or product_of_name(path)
    if product is not None and (product.type.startswith("SLC") or dataset.dtypes[0].startswith("complex")):
        return f"{first}, single-look complex; order it as RTC or take the GRD product"
    spacing_m = _SPACING_M.get((product.mode, product.type), _USUAL_SPACING_M) if product else _USUAL_SPACING_M
    projection = (
        _projection(np.array([(point.x, point.y) for point in points])) if crs and crs.is_geographic else "EPSG:..."
    )
    return (
        f"{first}; run SNAP's terrain correction: gpt Terrain-Correction -PmapProjection={projection} "
        f"-PpixelSpacingInMeter={spacing_m} -PnodataValueAtSea=false -t OUT.tif -f GeoTIFF-BigTIFF '{source}'; or, without "
        f"terrain: gdalwarp -tps -t_srs {projection} -tr {spacing_m} {spacing_m} -dstnodata 0 '{shown_path(path)}' OUT.tif"
    )


def product_folder(path: str) -> str:
    """The .SAFE folder that a file lies in, or the file."""
    begin, found, _ = shown_path(path).rpartition(".SAFE/")
    return begin + found.rstrip("/") if found else shown_path(path)


def _projection(lonlat: Float[np.ndarray, "point 2"]) -> str:
    """The UTM zone in the middle of points (n, 2), or the polar grid."""
    longitude = float(np.degrees(np.angle(np.exp(1j * np.radians(lonlat[:, 0])).mean())))
    return usual_map(longitude, float(lonlat[:, 1].mean()), UTM_LIMITS).to_string()
