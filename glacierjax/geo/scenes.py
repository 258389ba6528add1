"""Reads a scene to predict, whatever GDAL opens: to grey, what is data, and where it lies."""

import dataclasses
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from glacierjax.core.errors import InputError
from glacierjax.core.files import read_grey_png, user_path
from glacierjax.core.products import POLARISATIONS, product_of_name
from glacierjax.core.scene_names import NameFacts, facts_of_name
from glacierjax.geo.bands import Band, choose_band, descriptions_of
from glacierjax.geo.control_points import advice
from glacierjax.geo.georeference import Georeference, pixel_size
from glacierjax.geo.grey import AUTO, SCALES, fit_rule, grey_from_array, sample_step
from glacierjax.geo.layers import IMAGE_SUFFIXES, PNG_SUFFIXES, source_of_file
from glacierjax.geo.mosaic import Raster, georeference_of, open_raster
from glacierjax.geo.regions import Interest, Region
from glacierjax.geo.sources import Source, is_virtual

READING = ("band", "files", "layover_shadow_masks")  # what of `Scene.reading` stands in tables
BLOCK_PIXELS = 16_000_000  # read at a time: a scene is in memory as grey only


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """One whole scene (H, W).

    `image` uint8 grey values; `valid` bool, false where there are no data; `georeference` None: only pixels are known;
    `warnings`: what may spoil the result, in words; `known`: facts that do not come from the name; `inner`: the part that
    was asked for, the rest is context for the network, None: all; `reading`: what was chosen while it was read, by name.
    """

    name: str
    image: np.ndarray
    valid: np.ndarray
    pixel_spacing_m: float
    georeference: Georeference | None = None
    warnings: tuple[str, ...] = ()
    known: NameFacts | None = None
    inner: Region | None = None
    reading: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def facts(self) -> NameFacts:
        """Date, satellite and orbit."""
        return self.known or facts_of_name(self.name)

    def without_context(self) -> "Scene":
        """The part that was asked for."""
        if self.inner is None:
            return self
        image, valid = self.image[self.inner.slices], self.valid[self.inner.slices]
        place = self.georeference and self.georeference.moved(self.inner.left, self.inner.top)
        return dataclasses.replace(self, image=image, valid=valid, georeference=place, inner=None)


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """`pixel_spacing_m`: instead of what the file or its name say; `band` of a GeoTIFF, from 1, None: by `polarisation`;
    `scale`: see `grey`; `polarisation` of products that hold several, None: the co-polarised one."""

    pixel_spacing_m: float | None = None
    band: int | None = None
    scale: str = AUTO
    polarisation: str | None = None

    def __post_init__(self):
        if self.pixel_spacing_m is not None and not 0 < self.pixel_spacing_m < float("inf"):
            raise InputError(f"--pixel_spacing_m={self.pixel_spacing_m}: give a number of metres above 0")
        if self.band is not None and self.band < 1:
            raise InputError(f"--band={self.band}: bands are counted from 1")
        if self.scale not in SCALES:
            raise InputError(f"--scale={self.scale}: choose one of {', '.join(SCALES)}")
        if self.polarisation is not None and self.polarisation not in POLARISATIONS:
            raise InputError(f"--polarisation={self.polarisation}: choose one of {', '.join(POLARISATIONS)}")
        if self.polarisation is not None and self.band is not None:
            raise InputError(f"--polarisation={self.polarisation}, --band={self.band}: give one of them")


def read_scene(
    source: Source | str | Path, options: ReadOptions | None = None, interest: Interest | None = None
) -> Scene:
    """The scene of a source or in a file, with the mask of layover and shadow that lies beside it.

    `interest`: what of it is wanted; None: all. Raises `InputError` naming the file if it cannot be read or its pixel
    spacing is not known.
    """
    options = options or ReadOptions()
    if not isinstance(source, Source):
        if not is_virtual(str(source)):
            source = user_path(source)
            if not source.is_file():
                raise InputError(f"{source}: no such file")
        source = source_of_file(source)
    for tile in source.tiles:
        if not is_virtual(tile.path) and Path(tile.path).suffix.lower() not in IMAGE_SUFFIXES:
            raise InputError(
                f"{tile.path}: not a file type that is read; convert it to one of {', '.join(IMAGE_SUFFIXES)}"
            )
    path = Path(source.tiles[0].path) if source.tiles else Path()
    if path.suffix.lower() in PNG_SUFFIXES and not is_virtual(str(path)):
        if interest is not None:
            raise InputError(f"{path}: not georeferenced, so --aoi cannot be found in it; leave it out")
        image, valid = _read_png(path, options)
        spacing_m = spacing_without_map(source.name, str(path), options.pixel_spacing_m)
        return Scene(source.name, image, valid, spacing_m, known=source.facts)
    return _read_raster(source, options, interest)


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


def _read_raster(source: Source, options: ReadOptions, interest: Interest | None) -> Scene:
    where = source.where
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told in our own words, or not needed
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
            with open_raster(source, interest) as raster:
                dataset = raster.dataset
                georeference = georeference_of(dataset)
                size = pixel_size(georeference, dataset.shape) if georeference else None
                spacing_m = options.pixel_spacing_m or (size.spacing_m if size else None)
                spacing_m = spacing_m or _spacing_from_name(source, dataset)
                band = _band(dataset, source, options)
                image, valid = _grey(raster, band.number, where, options)
    except RasterioError as error:
        text = re.sub(r"\?[^\s'\"]*", "", str(error.__cause__ or error))  # links end with signatures
        raise InputError(f"{where}: not a readable GeoTIFF ({text}); copy or download it again") from error
    except InputError as error:
        known = (where, "--", *source.paths)
        raise error if source.problem or str(error).startswith(known) else InputError(f"{where}: {error}") from error
    notes = [band.note] if band.note else []
    if size and not size.is_square:
        notes.append(
            f"pixels of {size.sides_m[0]:.3g} m x {size.sides_m[1]:.3g} m are not square, networks are trained on square "
            "ones; warp the scene to a projected reference system first"
        )
    product = product_of_name(source.name)
    if product is not None and product.is_water_masked:
        notes.append("ordered with a water mask: there is no sea in it, so no front; order it without")
    named = source.facts.polarisation if dataset.count == 1 else None
    facts = dataclasses.replace(source.facts, polarisation=band.polarisation or named)
    reading: dict[str, Any] = dict(zip(READING, (band.number, len(source.tiles), len(raster.masks)), strict=True))
    return Scene(source.name, image, valid, spacing_m, georeference, tuple(notes), facts, raster.inner, reading)


def _band(dataset: rasterio.DatasetReader, source: Source, options: ReadOptions) -> Band:
    """The band to read."""
    first = source.tiles[0].path
    names = descriptions_of(dataset, first) if len(source.tiles) == 1 else dataset.descriptions
    return choose_band(names, source.where, source.name, options.band, options.polarisation)


def _spacing_from_name(source: Source, dataset: rasterio.DatasetReader) -> float:
    told = advice(dataset, source.tiles[0].path)
    if told and facts_of_name(source.name).pixel_spacing_m is None:
        raise InputError(f"{source.where}{told}")
    return spacing_without_map(source.name, source.where, None)


def _grey(raster: Raster, band: int, where: str, options: ReadOptions) -> tuple[np.ndarray, np.ndarray]:
    dataset = raster.dataset
    kind = np.dtype(dataset.dtypes[band - 1])
    image, valid = np.zeros(dataset.shape, np.uint8), np.zeros(dataset.shape, bool)
    if kind == np.uint8:
        for rows, values, has_data in _blocks(raster, band):
            image[rows], valid[rows] = np.where(has_data, values, 0), has_data
        return image, valid
    step = sample_step(dataset.shape)
    sample = ((v[::step, ::step], d[::step, ::step]) for _, v, d in _blocks(raster, band))
    rule = fit_rule(sample, options.scale, where)
    for rows, values, has_data in _blocks(raster, band):
        image[rows], valid[rows] = rule.apply(values, has_data)
    return image, valid


def _blocks(raster: Raster, band: int) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """(rows, values, whether they are data) of whole rows, from top to bottom."""
    dataset = raster.dataset
    height, width = dataset.shape
    rows_at_once = max(1, BLOCK_PIXELS // width)
    for top in range(0, height, rows_at_once):
        count = min(rows_at_once, height - top)
        window = Window(0, top, width, count)  # pyright: ignore[reportCallIssue]
        has_data = dataset.read_masks(band, window=window) > 0
        affected = raster.is_affected(window)
        if affected is not None:
            has_data &= ~affected
        yield slice(top, top + count), dataset.read(band, window=window), has_data
