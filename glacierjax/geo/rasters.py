"""Writes maps atomically: as cloud-optimised GeoTIFF if the scene is georeferenced, else as PNG."""

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
from jaxtyping import Shaped
from rasterio.errors import RasterioError
from rasterio.transform import Affine

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_beside, write_png, write_text
from glacierjax.core.grey import GREY_MAX
from glacierjax.geo.georeference import Georeference

SIDECAR = ".aux.xml"  # what GDAL and QGIS read beside a file
MADE_BY = "glacierjax"  # tag of maps that this program found, with its version


@dataclasses.dataclass(frozen=True)
class RasterLook:
    """What a GeoTIFF says of its values.

    `step`: a float map is stored in 8 bits in steps of it, with this as its scale; `colours` (red, green, blue) and `categories`
    by value; `tags`: of the file, such as where it comes from.
    """

    description: str
    nodata: float | None = None
    step: float | None = None
    colours: Mapping[int, tuple[int, int, int]] = dataclasses.field(default_factory=dict)
    categories: Mapping[int, str] = dataclasses.field(default_factory=dict)
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)


def raster_path(folder: Path, name: str, georeference: Georeference | None) -> Path:
    """Where `write_raster` puts the map of a scene."""
    return folder / f"{name}.{'png' if georeference is None else 'tif'}"


def write_sidecar(path: Path, georeference: Georeference | None) -> None:
    """Writes beside a PNG where it lies on the map, so that a GIS opens it there. None: removes what is there."""
    sidecar = path.with_name(path.name + SIDECAR)
    if georeference is None:
        sidecar.unlink(missing_ok=True)
        return
    root = ElementTree.Element("PAMDataset")
    ElementTree.SubElement(root, "SRS").text = georeference.crs.to_wkt()
    a, b, c, d, e, f = georeference.transform
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(repr(float(value)) for value in (c, a, b, f, d, e))
    write_text(sidecar, ElementTree.tostring(root, encoding="unicode"))


def write_raster(
    path: Path,
    array: Shaped[np.ndarray, "height width"],
    georeference: Georeference | None,
    look: RasterLook | str,
) -> list[Path]:
    """Writes a map (H, W) and returns its files. `look`: a description says enough of plain values.

    A GeoTIFF keeps uint8 and float32, or has 8 bits (`RasterLook.step`); in a PNG, float32 in 0..1 becomes grey 0..255. Names
    of categories stand in a file beside the GeoTIFF.
    """
    if georeference is None:
        write_png(path, array if array.dtype == np.uint8 else np.round(array * GREY_MAX).astype(np.uint8))
        return [path]
    look = RasterLook(look) if isinstance(look, str) else look
    if look.step is not None:
        array = np.round(array / look.step).clip(0, GREY_MAX).astype(np.uint8)
    profile = {
        "driver": "COG",
        "dtype": array.dtype,
        "count": 1,
        "height": array.shape[0],
        "width": array.shape[1],
        "crs": georeference.crs,
        "transform": Affine(*georeference.transform),
        "nodata": look.nodata,
        "compress": "deflate",
        "PREDICTOR": "FLOATING_POINT" if array.dtype == np.float32 else "NO",
        "BIGTIFF": "IF_SAFER",
        "OVERVIEW_RESAMPLING": "NEAREST" if look.colours else "AVERAGE",
    }
    with write_beside(path) as temporary, rasterio.MemoryFile() as memory, warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
        try:
            # In memory, because GDAL does not tell of a disk that is full when the last bytes are written.
            with memory.open(**profile) as dataset:
                dataset.write(array, 1)
                dataset.set_band_description(1, look.description)
                dataset.update_tags(**look.tags)
                if look.step is not None:
                    dataset.scales = (look.step,)
                if look.colours:
                    dataset.write_colormap(1, dict(look.colours))
        except RasterioError as error:
            raise InputError(f"{path}: cannot be written ({error}); choose another output folder") from error
        temporary.write_bytes(memory.getbuffer())
    if not look.categories:
        return [path]
    sidecar = path.with_name(path.name + SIDECAR)
    write_text(sidecar, _category_names(look.categories))
    return [path, sidecar]


def _category_names(categories: Mapping[int, str]) -> str:
    """Names by value, as GDAL stores them: one for each value from 0 on."""
    root = ElementTree.Element("PAMDataset")
    names = ElementTree.SubElement(ElementTree.SubElement(root, "PAMRasterBand", band="1"), "CategoryNames")
    for value in range(max(categories) + 1):
        ElementTree.SubElement(names, "Category").text = categories.get(value, "")
    return ElementTree.tostring(root, encoding="unicode") + "\n"
