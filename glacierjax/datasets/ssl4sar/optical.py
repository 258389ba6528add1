"""Optical images: which bands of a 20-band Sentinel-2 GeoTIFF are used, and how they are prepared.

Source: Gourmelon et al. 2025 (SSL4SAR), data set on Zenodo, record 14748506.
"""

import dataclasses
import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from glacierjax.core.errors import InputError

# All bands of the published files, in order; the used ones are the surface reflectances, water vapour, and scene class.
REFLECTANCES = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B11", "B12")
FILE_BANDS = (*REFLECTANCES, "AOT", "WVP", "SCL", "TCI_R", "TCI_G", "TCI_B", "MSK_CLDPRB", "MSK_SNWPRB")
BANDS = (*REFLECTANCES, "WVP", "SCL")
RED_GREEN_BLUE = tuple(BANDS.index(band) for band in ("B4", "B3", "B2"))
CLASS_BANDS = ("SCL",)  # codes, not quantities: never interpolated
UINT8_MAX = 255


@dataclasses.dataclass(frozen=True)
class Grid:
    """A pixel grid: its size and, where known, coordinate system (as WKT) and affine transform (a, b, c, d, e, f)."""

    height: int
    width: int
    crs: str | None = None
    transform: tuple[float, ...] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def is_georeferenced(self) -> bool:
        return self.crs is not None and self.transform is not None


@dataclasses.dataclass(frozen=True, eq=False)
class OpticalImage:
    """`bands` (H, W, 14) uint8, each band's own maximum at 255."""

    bands: UInt8[np.ndarray, "height width 14"]
    grid: Grid


def scale_band(band: Shaped[np.ndarray, "height width"], where: str) -> UInt8[np.ndarray, "height width"]:
    """A band (H, W) as uint8: NaN -> 0, divided by its maximum, times 255, rounded half to even.

    Negative values count as 0. Raises `InputError` naming `where` for a band that is constant or has no number in it.
    """
    exact = np.float32 if band.dtype == np.float32 else np.float64
    finite = np.isfinite(band)
    values = np.where(finite, band, 0).astype(exact).clip(min=0)
    if not finite.any():
        raise InputError(f"{where}: only NaN or nodata in this band; take another image")
    if values[finite].min() == values[finite].max():
        raise InputError(f"{where}: the band is constant ({band[finite][0]:g}); take another image")
    share = (values / values.max()).astype(np.float32)
    return np.rint(np.float32(UINT8_MAX) * share).astype(np.uint8)


def band_indices(descriptions: tuple[str | None, ...], count: int, where: str) -> list[int]:
    """1-based numbers of `BANDS` in a file: by band description where the file has them, else by position.

    Raises `InputError` naming `where` when bands are missing.
    """
    named = {_plain(text): number for number, text in reversed(list(enumerate(descriptions, 1))) if text}
    if any(band in named for band in BANDS):
        missing = [band for band in BANDS if band not in named]
        if missing:
            raise InputError(
                f"{where}: no band is described as {', '.join(missing)}; the image needs {', '.join(BANDS)}"
            )
        return [named[band] for band in BANDS]
    positions = [FILE_BANDS.index(band) + 1 for band in BANDS]
    if count < positions[-1]:
        raise InputError(
            f"{where}: {count} bands without descriptions; expected the {len(FILE_BANDS)} of Sentinel-2 "
            f"({FILE_BANDS[0]} ... {FILE_BANDS[-1]})"
        )
    return positions


def _plain(description: str) -> str:
    """One spelling for `B01`, `b1` and `B1`."""
    return re.sub(r"^B0(?=\d)", "B", description.strip().upper())


def read_optical(source: bytes | str | os.PathLike, where: str, onto: Grid | None = None) -> OpticalImage:
    """The used bands of a GeoTIFF (its path or its bytes), prepared; one band at a time is held as floats.

    `onto`: resample onto this grid (bilinear, class bands nearest); both must be georeferenced. Raises `InputError`
    naming `where` when the file cannot be read or does not have what is needed.
    """
    from rasterio.errors import RasterioError

    try:
        with _opened(source) as file:
            numbers = band_indices(file.descriptions, file.count, where)
            own = _grid(file)
            grid = own if onto is None else onto
            if onto is not None and not (own.is_georeferenced and onto.is_georeferenced):
                raise InputError(f"{where}: cannot be resampled, it or the SAR scene is not georeferenced")
            bands = np.empty((*grid.shape, len(BANDS)), np.uint8)
            for at, (name, number) in enumerate(zip(BANDS, numbers, strict=True)):
                band = _as_nan(file.read(number, masked=True))
                if onto is not None:
                    band = _resampled(band, own, onto, name)
                bands[..., at] = scale_band(band, f"{where}, band {number} ({name})")
    except (RasterioError, OSError) as error:
        raise InputError(f"{where}: not a readable GeoTIFF ({error}); copy or download it again") from error
    return OpticalImage(bands, grid)


def read_grid(source: bytes | str | os.PathLike, where: str) -> Grid:
    """Size and georeference of a raster file, without reading pixels."""
    from rasterio.errors import RasterioError

    try:
        with _opened(source) as file:
            return _grid(file)
    except (RasterioError, OSError) as error:
        raise InputError(f"{where}: not a readable raster file ({error}); copy or download it again") from error


def read_grey_geotiff(source: bytes, where: str) -> tuple[UInt8[np.ndarray, "height width"], Grid]:
    """Grey values (H, W) uint8 of a one-band 8-bit GeoTIFF, and its grid."""
    from rasterio.errors import RasterioError

    try:
        with _opened(source) as file:
            if file.count != 1 or file.dtypes[0] != "uint8":
                raise InputError(f"{where}: {file.count} band(s) of {file.dtypes[0]}; expected one of uint8")
            return file.read(1), _grid(file)
    except (RasterioError, OSError) as error:
        raise InputError(f"{where}: not a readable GeoTIFF ({error}); copy or download it again") from error


def _opened(source: bytes | str | os.PathLike) -> Any:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    from glacierjax.core.proj import make_proj_usable

    make_proj_usable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # such files are expected
        if isinstance(source, bytes):
            return rasterio.MemoryFile(source).open()
        return rasterio.open(Path(source))


def _grid(file: Any) -> Grid:
    if file.crs is None or file.transform.is_identity:
        return Grid(file.height, file.width)
    return Grid(file.height, file.width, file.crs.to_wkt(), tuple(file.transform)[:6])


def _as_nan(band: np.ma.MaskedArray) -> Float32[np.ndarray, "height width"]:
    """Nodata as NaN; a band without any keeps its type."""
    if not np.ma.is_masked(band):
        return np.asarray(band)
    kind = np.float32 if band.dtype == np.float32 else np.float64
    return np.where(np.ma.getmaskarray(band), np.nan, band.data).astype(kind)


def _resampled(
    band: Shaped[np.ndarray, "height width"], own: Grid, onto: Grid, name: str
) -> Shaped[np.ndarray, "rows columns"]:
    from rasterio import Affine
    from rasterio.warp import Resampling, reproject

    assert own.transform is not None and onto.transform is not None
    target = np.full(onto.shape, np.nan, np.float32)
    method = Resampling.nearest if name in CLASS_BANDS else Resampling.bilinear
    reproject(
        band.astype(np.float32),
        target,
        src_transform=Affine(*own.transform),
        src_crs=own.crs,
        src_nodata=np.nan,
        dst_transform=Affine(*onto.transform),
        dst_crs=onto.crs,
        dst_nodata=np.nan,
        resampling=method,
    )
    return target
