"""Reads a scene to predict, whatever GDAL opens: to grey, what is data, and where it lies."""

import contextlib
import dataclasses
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from glacierjax.core.choices import AUTO
from glacierjax.core.errors import ArgumentError, InputError
from glacierjax.core.files import user_path
from glacierjax.core.grey import CAFFE_GREY, GreyRule
from glacierjax.core.products import POLARISATIONS, product_of_name
from glacierjax.core.scene_names import NameFacts, facts_of_name, parse_name
from glacierjax.datasets.caffe.archive import IMAGES
from glacierjax.datasets.caffe.meta_data import meta_data_of_image
from glacierjax.geo.bands import Band, choose_band, descriptions_of
from glacierjax.geo.control_points import advice
from glacierjax.geo.georeference import Georeference, PixelSize, georeference_of_bounds, pixel_size
from glacierjax.geo.grey import Grey
from glacierjax.geo.layers import IMAGE_SUFFIXES, PNG_SUFFIXES, VRT, source_of_file
from glacierjax.geo.mosaic import georeference_of, open_raster
from glacierjax.geo.pixels import read_grey
from glacierjax.geo.rasters import MADE_BY
from glacierjax.geo.regions import Interest, Region
from glacierjax.geo.sources import Source, is_virtual
from glacierjax.geo.values import ValueOptions

log = logging.getLogger(__name__)

# What of `Scene.reading` stands in tables.
READING = ("band", "files", "layover_shadow_masks", "scale", "nodata", "grey_0", "grey_255", "guessed")
MOST_PIXELS = 1 << 30
LARGE_PIXELS, MOST_COMPRESSED = 1 << 26, 2000  # pixels that a byte of a large file may stand for, holes left out
# GDAL's short cut for PNGs passes over damage.
READ_ALL_OF_PNG: dict[str, Any] = {"GDAL_PNG_WHOLE_IMAGE_OPTIM": "NO"}


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
    """One whole scene (H, W).

    `image` uint8 grey values; `valid` bool, false where there are no data; `georeference` None: only pixels are known;
    `warnings`: what may spoil the result, in words; `known`: facts that do not come from the name; `inner`: the part that
    was asked for, the rest is context for the network, None: all; `reading`: what was chosen or guessed while it
    was read, by name; `pixel_sides_m`: along a row and along a column, None: pixels are square.
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
    pixel_sides_m: tuple[float, float] | None = None

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


class Outline(NamedTuple):
    """A scene before its pixels are read. `place`: None: only pixels are known; `shape`: (rows, columns)."""

    place: Georeference | None
    shape: tuple[int, int]
    pixel_spacing_m: float


@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """`pixel_spacing_m`: instead of what the file or its name say; `band` of a GeoTIFF, from 1, None: by `polarisation`;
    `scale`, `nodata`: see `ValueOptions`; `polarisation` of products that hold several, None: the co-polarised one."""

    pixel_spacing_m: float | None = None
    band: int | None = None
    scale: str = AUTO
    nodata: float | str = AUTO
    polarisation: str | None = None

    def __post_init__(self):
        spacing_m = self.pixel_spacing_m
        if spacing_m is not None and (isinstance(spacing_m, str) or not 0 < spacing_m < float("inf")):
            raise ArgumentError("pixel_spacing_m", spacing_m, "give a number of metres above 0")
        if self.band is not None and self.band < 1:
            raise ArgumentError("band", self.band, "bands are counted from 1")
        ValueOptions(self.scale, self.nodata)  # checks itself
        if self.polarisation is not None and self.polarisation not in POLARISATIONS:
            raise ArgumentError("polarisation", self.polarisation, f"choose one of {', '.join(POLARISATIONS)}")
        if self.polarisation is not None and self.band is not None:
            raise InputError(f"`polarisation`={self.polarisation}, `band`={self.band}: give one of them")

    @property
    def values(self) -> ValueOptions:
        return ValueOptions(self.scale, self.nodata)


def read_scene(
    source: Source | str | Path,
    options: ReadOptions | None = None,
    interest: Interest | None = None,
    rule: GreyRule = CAFFE_GREY,
) -> Scene:
    """The scene of a source or in a file in the grey of `rule`, with the mask of layover and shadow that lies beside it.

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
    return _read_raster(source, options, interest, rule, _check_files(source, interest))


def outline_of(source: Source, options: ReadOptions, interest: Interest | None = None) -> Outline:
    """Where and how large a scene is, without reading its pixels. Arguments and errors as of `read_scene`."""
    is_png = _check_files(source, interest)
    with _reading(source, is_png), open_raster(source, interest) as raster:
        dataset = raster.dataset
        _check_dataset(dataset, source)
        georeference, size = _place(source, dataset, is_png)
        return Outline(georeference, dataset.shape, _spacing_m(source, options, dataset, size))


def _check_files(source: Source, interest: Interest | None) -> bool:
    """Whether a source is a PNG. Raises `InputError` for files that are not read, and for PNGs of which a part is wanted."""
    for tile in source.tiles:
        if not is_virtual(tile.path) and Path(tile.path).suffix.lower() not in IMAGE_SUFFIXES:
            raise InputError(
                f"{tile.path}: not a file type that is read; convert it to one of {', '.join(IMAGE_SUFFIXES)}"
            )
    is_png = any(Path(tile.path).suffix.lower() in PNG_SUFFIXES for tile in source.tiles)
    if is_png and interest is not None:
        raise InputError(
            f"{source.where}: a PNG has no map grid of its own, so `aoi` cannot be found in it; leave it out"
        )
    return is_png


def scene_of_grey(name: str, grey: Grey, spacing_m: float) -> Scene:
    """A scene of values that come from no file."""
    return Scene(name, grey.image, grey.valid, spacing_m, None, _notes(grey), reading=grey.reading.row())


def _notes(grey: Grey) -> tuple[str, ...]:
    guessed = "; ".join(grey.reading.guessed)
    return (f"guessed: {guessed}; `scale` and `nodata` override",) if guessed else ()


def spacing_without_map(name: str, where: str, given_m: float | None) -> float:
    """The pixel spacing that was given, or that a scene's name says."""
    spacing_m = given_m or facts_of_name(name).pixel_spacing_m
    if spacing_m is None:
        raise InputError(
            f"{where}: neither georeference nor name tells the pixel spacing; give `pixel_spacing_m`=METRES"
        )
    return float(spacing_m)


def _read_raster(
    source: Source, options: ReadOptions, interest: Interest | None, rule: GreyRule, is_png: bool
) -> Scene:
    with _reading(source, is_png), open_raster(source, interest) as raster:
        dataset = raster.dataset
        _check_dataset(dataset, source)
        georeference, size = _place(source, dataset, is_png)
        band = _band(dataset, source, options)
        chosen = band.number if options.band or band.polarisation else None
        grey = read_grey(dataset, chosen, options.values, rule, source.where, source.name, raster.is_affected)
        spacing_m = _spacing_m(source, options, dataset, size)
    notes = [band.note] if band.note else []
    sides_m = size.sides_m if size and not size.is_square else None
    if sides_m:
        notes.append(
            f"pixels of {sides_m[0]:.3g} m x {sides_m[1]:.3g} m are not square; the network sees the scene resampled"
        )
    product = product_of_name(source.name)
    if product is not None and product.is_water_masked:
        notes.append("ordered with a water mask: there is no sea in it, so no front; order it without")
    named = source.facts.polarisation if dataset.count == 1 else None
    facts = dataclasses.replace(source.facts, polarisation=band.polarisation or named)
    reading = {"band": band.number, "files": len(source.tiles), "layover_shadow_masks": len(raster.masks)}
    return Scene(
        source.name,
        grey.image,
        grey.valid,
        spacing_m,
        georeference,
        (*notes, *_notes(grey)),
        facts,
        raster.inner,
        {**reading, **grey.reading.row()},
        sides_m,
    )


@contextlib.contextmanager
def _reading(source: Source, is_png: bool) -> Iterator[None]:
    """Whatever is wrong with a file becomes an `InputError` that names it."""
    where = source.where
    try:
        with warnings.catch_warnings(), rasterio.Env(**READ_ALL_OF_PNG):
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told in our own words, or not needed
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # rasterio 1.4 with affine 3
            yield
    except ArgumentError:
        raise
    except InputError as error:
        known = (where, *source.paths)
        raise error if source.problem or str(error).startswith(known) else InputError(f"{where}: {error}") from error
    except MemoryError:
        raise
    except (
        Exception
    ) as error:  # damaged files: GDAL has exceptions without a public base class, and numbers that are none
        log.debug("%s", where, exc_info=True)
        text = re.sub(r"\?[^\s'\"]*", "", str(error.__cause__ or error))  # links end with signatures
        kind = "image" if is_png else "GeoTIFF"
        raise InputError(f"{where}: not a readable {kind} ({text}); copy or download it again") from error


def _place(
    source: Source, dataset: rasterio.DatasetReader, is_png: bool
) -> tuple[Georeference | None, PixelSize | None]:
    georeference = _place_of_png(source, dataset) if is_png else georeference_of(dataset)
    return georeference, pixel_size(georeference, dataset.shape) if georeference else None


def _spacing_m(source: Source, options: ReadOptions, dataset: rasterio.DatasetReader, size: PixelSize | None) -> float:
    return options.pixel_spacing_m or (size.spacing_m if size else None) or _spacing_from_name(source, dataset)


def _place_of_png(source: Source, dataset: rasterio.DatasetReader) -> Georeference | None:
    """Where a PNG of CaFFe's layout lies, by the table of its data set; None for other PNGs."""
    path = source.tiles[0].path
    table = None if is_virtual(path) else meta_data_of_image(Path(path), IMAGES)
    if table is None:
        return None
    return georeference_of_bounds(table.bounds(parse_name(Path(path).stem, path), dataset.shape), dataset.shape)


def _check_dataset(dataset: rasterio.DatasetReader, source: Source) -> None:
    """Raises `InputError` for a map that is a result, a scene that is too large, and one whose files cannot hold so much.

    A link and a file that only names others (VRT) do not tell how much the pixels take.
    """
    if MADE_BY in dataset.tags():
        raise InputError("a result of glacierjax, no scene; leave the folder of the results out")
    pixels = dataset.width * dataset.height
    files = [Path(tile.path) for tile in source.tiles]
    is_told = all(file.is_file() and file.suffix.lower() != VRT for file in files)
    size = sum(file.stat().st_size for file in files) if is_told else pixels
    if pixels > MOST_PIXELS or (pixels > LARGE_PIXELS and pixels > MOST_COMPRESSED * size):
        what = f"{dataset.width} x {dataset.height} pixels in {size} bytes"
        raise InputError(f"{what}; the file is damaged, or too large: `aoi` reads a part of it")


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
