"""Reads a scene to predict: PNG or GeoTIFF, in any number type, to grey, what is data, and where it lies."""

import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png
from glacierjax.core.scene_names import facts_of_name
from glacierjax.geo.georeference import Georeference, pixel_size
from glacierjax.geo.grey import AUTO, SCALES, fit_rule, grey_from_array, sample_step

PNG_SUFFIXES = (".png",)
TIFF_SUFFIXES = (".tif", ".tiff")
SUFFIXES = PNG_SUFFIXES + TIFF_SUFFIXES
BLOCK_PIXELS = 16_000_000  # read at a time: a scene is in memory as grey only


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """One whole scene (H, W).

    `image` uint8 grey values; `valid` bool, false where there are no data; `georeference` None: only pixels are known;
    `warnings`: what may spoil the result, in words.
    """

    name: str
    image: np.ndarray
    valid: np.ndarray
    pixel_spacing_m: float
    georeference: Georeference | None = None
    warnings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """`pixel_spacing_m`: instead of what the file or its name say; `band` of a GeoTIFF, from 1; `scale`: see `grey`."""

    pixel_spacing_m: float | None = None
    band: int = 1
    scale: str = AUTO

    def __post_init__(self):
        if self.pixel_spacing_m is not None and not 0 < self.pixel_spacing_m < float("inf"):
            raise InputError(f"--pixel_spacing_m={self.pixel_spacing_m}: give a number of metres above 0")
        if self.band < 1:
            raise InputError(f"--band={self.band}: bands are counted from 1")
        if self.scale not in SCALES:
            raise InputError(f"--scale={self.scale}: choose one of {', '.join(SCALES)}")


def read_scene(path: str | Path, options: ReadOptions | None = None) -> Scene:
    """The scene in a file. Raises `InputError` naming the file if it cannot be read or its pixel spacing is not known."""
    path, options = Path(path), options or ReadOptions()
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix.lower() in PNG_SUFFIXES:
        image, valid = _read_png(path, options)
        return Scene(path.stem, image, valid, spacing_without_map(path.stem, str(path), options.pixel_spacing_m))
    if path.suffix.lower() in TIFF_SUFFIXES:
        return _read_tiff(path, options)
    raise InputError(f"{path}: not a file type that is read; convert it to one of {', '.join(SUFFIXES)}")


def spacing_without_map(name: str, where: str, given_m: float | None) -> float:
    """The pixel spacing that was given, or that a scene's name says."""
    spacing_m = given_m or facts_of_name(name).pixel_spacing_m
    if spacing_m is None:
        raise InputError(
            f"{where}: neither georeference nor name tells the pixel spacing; give --pixel_spacing_m=METRES"
        )
    return float(spacing_m)


def _read_png(path: Path, options: ReadOptions) -> tuple[np.ndarray, np.ndarray]:
    try:
        with Image.open(path) as picture:
            deep = np.asarray(picture) if picture.mode.startswith("I") else None
    except OSError as error:
        raise InputError(f"{path}: not a readable image ({error}); copy or download it again") from error
    if deep is not None:
        return grey_from_array(deep, options.scale, str(path))
    return grey_from_array(read_grey_png(path))


def _read_tiff(path: Path, options: ReadOptions) -> Scene:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told in our own words, or not needed
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
            with rasterio.open(path) as dataset:
                georeference = _georeference(dataset)
                size = pixel_size(georeference, dataset.shape) if georeference else None
                spacing_m = options.pixel_spacing_m or (size.spacing_m if size else None)
                spacing_m = spacing_m or _spacing_from_name(path, dataset)
                image, valid = _grey(dataset, path, options)
    except RasterioError as error:
        raise InputError(f"{path}: not a readable GeoTIFF ({error}); copy or download it again") from error
    except InputError as error:
        raise error if str(error).startswith(str(path)) else InputError(f"{path}: {error}") from error
    notes = []
    if size and not size.is_square:
        notes.append(
            f"pixels of {size.sides_m[0]:.3g} m x {size.sides_m[1]:.3g} m are not square, networks are trained on square "
            "ones; warp the scene to a projected reference system first"
        )
    return Scene(path.stem, image, valid, spacing_m, georeference, tuple(notes))


def _georeference(dataset: rasterio.DatasetReader) -> Georeference | None:
    if dataset.crs is None or dataset.transform.is_identity:
        return None
    transform = tuple(dataset.transform)[:6]
    if abs(dataset.transform.determinant) == 0 or not np.isfinite(transform).all():
        raise InputError("its geotransform puts all pixels on one line; georeference it again")
    return Georeference(dataset.crs, transform)


def _spacing_from_name(path: Path, dataset: rasterio.DatasetReader) -> float:
    points = len(dataset.gcps[0])
    where = str(path)
    if points:
        where += f": only {points} ground control points, no map grid (gdalwarp or SNAP's terrain correction makes one)"
    return spacing_without_map(path.stem, where, None)


def _grey(dataset: rasterio.DatasetReader, path: Path, options: ReadOptions) -> tuple[np.ndarray, np.ndarray]:
    if options.band > dataset.count:
        raise InputError(f"--band={options.band}: {path} has {dataset.count} band(s)")
    kind = np.dtype(dataset.dtypes[options.band - 1])
    image, valid = np.zeros(dataset.shape, np.uint8), np.zeros(dataset.shape, bool)
    if kind == np.uint8:
        for rows, values, has_data in _blocks(dataset, options.band):
            image[rows], valid[rows] = np.where(has_data, values, 0), has_data
        return image, valid
    step = sample_step(dataset.shape)
    sample = ((v[::step, ::step], d[::step, ::step]) for _, v, d in _blocks(dataset, options.band))
    rule = fit_rule(sample, options.scale, str(path))
    for rows, values, has_data in _blocks(dataset, options.band):
        image[rows], valid[rows] = rule.apply(values, has_data)
    return image, valid


def _blocks(dataset: rasterio.DatasetReader, band: int) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """(rows, values, whether they are data) of whole rows, from top to bottom."""
    height, width = dataset.shape
    rows_at_once = max(1, BLOCK_PIXELS // width)
    for top in range(0, height, rows_at_once):
        count = min(rows_at_once, height - top)
        window = Window(0, top, width, count)  # pyright: ignore[reportCallIssue]
        yield slice(top, top + count), dataset.read(band, window=window), dataset.read_masks(band, window=window) > 0
