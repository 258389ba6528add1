"""Opens what a scene is read from as one raster: a file, a part of it, or tiles of one pass on a common grid.

Files that need cutting or mosaicking are joined by a virtual raster of GDAL (VRT), so that pixels are read once, from where
they lie, and only those of the region. Tiles on another grid are resampled to the nearest pixel, half a pixel off at most:
means would smooth their speckle.
"""

import contextlib
import dataclasses
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

import numpy as np
import rasterio
from jaxtyping import Bool, Float
from rasterio.crs import CRS
from rasterio.dtypes import dtype_rev, typename_fwd
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.shutil import copy
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from glacierjax.core.errors import InputError
from glacierjax.geo.bands import descriptions_of, mask_band
from glacierjax.geo.control_points import advice
from glacierjax.geo.georeference import Georeference, reproject
from glacierjax.geo.regions import Interest, Region, around
from glacierjax.geo.sources import MASK_AFFECTED, MaskLayer, Source, Tile, is_remote, is_virtual, shown_path

log = logging.getLogger(__name__)

# Of links: no look around for files beside them, and an end to waiting. Tokens and keys stand in the environment, if needed.
REMOTE: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_CONNECTTIMEOUT": "10",
    "GDAL_HTTP_LOW_SPEED_TIME": "20",
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1000",
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "1",
    "VSI_CACHE": "TRUE",
}
DRIVERS = {".vrt": "VRT", ".img": "ENVI", ".png": "PNG"}  # what is opened by the suffix of a name
TEXTS = (".vrt", ".img")  # they are described by a text: itself, and the .hdr beside it
USUAL_DRIVER = "GTiff"
STRUCTURE = "IMAGE_STRUCTURE"  # GDAL's name for tags on how values are stored
BORDER_POINTS = 21
SAME_PIXEL = 1e-3  # grids whose pixels lie over each other to this share of a pixel are one grid
LARGEST_GAP = 4.0  # most times that a mosaic may be as large as its tiles together


@dataclasses.dataclass(frozen=True)
class Raster:
    """`dataset` holds the region that is read, on its own grid; `inner`: the part of it that was asked for, the rest is
    context, None: all; `masks`: of layover and shadow, on the same grid."""

    dataset: rasterio.DatasetReader
    inner: Region | None = None
    masks: tuple[tuple[WarpedVRT, MaskLayer], ...] = ()

    def is_affected(self, window: Window) -> Bool[np.ndarray, "height width"] | None:
        """bool (h, w): layover or shadow, in any of the masks; None without masks."""
        affected = [layer.is_affected(mask.read(layer.band, window=window)) for mask, layer in self.masks]
        return np.logical_or.reduce(affected) if affected else None


@dataclasses.dataclass(frozen=True)
class _Placed:
    """A tile on the common grid: `path` of a raster on that grid, of which `region` of the grid is filled."""

    path: str
    dataset: Any
    tile: Tile
    region: Region


@contextlib.contextmanager
def open_raster(source: Source, interest: Interest | None = None) -> Iterator[Raster]:
    """The raster of a source, cut to the area of interest.

    Raises `InputError` for a source with a problem, and where area and scene do not meet;
    `RasterioError` if a file cannot be read.
    """
    if source.problem:
        raise InputError(source.problem)
    with contextlib.ExitStack() as stack:
        if any(is_remote(tile.path) for tile in source.tiles):
            stack.enter_context(rasterio.Env(**REMOTE))
        datasets = [stack.enter_context(_open(tile.path)) for tile in source.tiles]
        if len(datasets) == 1 and interest is None:
            dataset, inner, used = datasets[0], None, source.tiles
        else:
            dataset, inner, used = _cut(datasets, source, interest, stack)
        opened = dict(zip(source.tiles, datasets, strict=True))
        layers = [layer for tile in used if (layer := _mask_layer(tile, opened[tile]))]
        yield Raster(dataset, inner, tuple((_on_grid_of(dataset, layer, stack), layer) for layer in layers))


def georeference_of(dataset: rasterio.DatasetReader) -> Georeference | None:
    """Where a raster lies; None for one without map grid. Raises `InputError` for a grid without area."""
    if dataset.crs is None or dataset.transform.is_identity:
        return None
    transform = tuple(dataset.transform)[:6]
    if abs(dataset.transform.determinant) == 0 or not np.isfinite(transform).all():
        raise InputError("its geotransform puts all pixels on one line; georeference it again")
    return Georeference(dataset.crs, transform)


def _open(path: str) -> rasterio.DatasetReader:
    """The raster, opened with the driver that its suffix names: other drivers of GDAL may follow links to other files."""
    suffix = PurePosixPath(shown_path(path)).suffix.lower()
    if not is_virtual(path):
        _check_text(Path(path) if suffix == ".vrt" else Path(path).with_suffix(".hdr"), suffix)
    return rasterio.open(path, driver=DRIVERS.get(suffix, USUAL_DRIVER))


def _check_text(path: Path, suffix: str) -> None:
    """Raises `InputError` for a description of a raster that is no text: GDAL's messages would quote it."""
    if suffix in TEXTS and path.is_file():
        try:
            path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not a readable text file ({error}); copy or download it again") from None


def _cut(
    datasets: Sequence[rasterio.DatasetReader], source: Source, interest: Interest | None, stack: contextlib.ExitStack
) -> tuple[rasterio.DatasetReader, Region | None, list[Tile]]:
    """A virtual raster of the tiles, or of what is asked for of them; the part that is no context; the tiles in it."""
    grid = _common_grid(datasets, source)
    placed = [_place(dataset, tile, grid, stack) for dataset, tile in zip(datasets, source.tiles, strict=True)]
    whole = _union([part.region for part in placed])
    inner = None
    if interest is not None:
        asked = interest.inner(grid, whole)
        whole = asked.grown(interest.margin_px(grid, whole.shape)).common(whole)
        inner = asked.moved(-whole.top, -whole.left)
        placed = [part for part in placed if min(part.region.common(whole).shape) > 0]
    filled = sum(np.prod(part.region.common(whole).shape, dtype=float) for part in placed)
    if np.prod(whole.shape, dtype=float) > LARGEST_GAP * filled:
        raise InputError(f"its {len(placed)} tiles lie far apart; put them into folders of their own, or give `aoi`")
    text = _virtual_raster(placed, grid, whole)
    return stack.enter_context(rasterio.open(text)), inner, [part.tile for part in placed]


def _common_grid(datasets: Sequence[rasterio.DatasetReader], source: Source) -> Georeference:
    """The grid of the first tile in the reference system that most of them have."""
    grids = []
    for dataset, tile in zip(datasets, source.tiles, strict=True):
        georeference = georeference_of(dataset)
        if georeference is None:
            what = "the area of interest" if len(datasets) == 1 else "a mosaic"
            raise InputError(f"{shown_path(tile.path)}: no map grid, which {what} needs{advice(dataset, tile.path)}")
        if len(datasets) > 1 and dataset.tags(ns=STRUCTURE).get("MINISWHITE") == "YES":
            raise InputError(f"{shown_path(tile.path)}: inverted grey, which a mosaic cannot join; invert it first")
        grids.append(georeference)
    most = Counter(grid.crs.to_wkt() for grid in grids).most_common(1)[0][0]
    return next(grid for grid in grids if grid.crs.to_wkt() == most)


def _place(dataset: rasterio.DatasetReader, tile: Tile, grid: Georeference, stack: contextlib.ExitStack) -> _Placed:
    """The tile on the grid, as it is if its pixels lie on the grid's, else resampled."""
    if dataset.crs == grid.crs:
        steps = np.linalg.solve(_matrix(grid.transform), _matrix(dataset.transform))
        column, row = (round(step) for step in steps[:2, 2])
        off = (steps - np.array([[1, 0, column], [0, 1, row], [0, 0, 1]])) * (dataset.width, dataset.height, 1)
        if np.abs(off).max() <= SAME_PIXEL:
            return _Placed(tile.path, dataset, tile, Region(0, 0, *dataset.shape).moved(row, column))
    region = around(grid.to_pixels(_border_on(dataset, grid.crs)))
    place, empty = grid.moved(region.left, region.top), _empty(dataset)
    warped = stack.enter_context(_warped(dataset, tile.path, place, region.shape, src_nodata=empty, nodata=empty))
    memory = stack.enter_context(rasterio.MemoryFile(ext=".vrt"))
    copy(warped, memory.name, driver="VRT")
    log.info("%s: resampled to the grid of the other tiles", shown_path(tile.path))
    return _Placed(memory.name, warped, tile, region)


def _border_on(dataset: rasterio.DatasetReader, crs: CRS) -> Float[np.ndarray, "point 2"]:
    """Points (n, 2) along the border of a raster in another reference system, where its sides are bent."""
    along = np.linspace(0, 1, BORDER_POINTS)
    sides = [np.column_stack(side) for edge in (0 * along, 0 * along + 1) for side in ((along, edge), (edge, along))]
    own = Georeference(dataset.crs, tuple(dataset.transform)[:6])
    return reproject(own.to_crs(np.concatenate(sides) * (dataset.width, dataset.height)), dataset.crs, crs)


def _matrix(transform: Sequence[float]) -> Float[np.ndarray, "3 3"]:
    return np.array([*tuple(transform)[:6], 0, 0, 1]).reshape(3, 3)


def _union(regions: Sequence[Region]) -> Region:
    return Region(*np.min([r[:2] for r in regions], 0).tolist(), *np.max([r[2:] for r in regions], 0).tolist())


def _empty(dataset: Any) -> float:
    """What stands where a tile has no data: declared, or 0, which backscatter never is."""
    return 0.0 if dataset.nodata is None else dataset.nodata


def _virtual_raster(placed: Sequence[_Placed], grid: Georeference, whole: Region) -> str:
    """The text of a VRT with all bands of the tiles in a region of the grid; what lies over each other: the last one."""
    first = placed[0].dataset
    height, width = whole.shape
    root = ElementTree.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
    _describe_structure(root, first.tags(ns=STRUCTURE), ("MINISWHITE",))
    ElementTree.SubElement(root, "SRS").text = grid.crs.to_wkt()
    a, b, c, d, e, f = grid.moved(whole.left, whole.top).transform
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(repr(float(value)) for value in (c, a, b, f, d, e))
    several = len(placed) > 1
    for band in first.indexes:
        kind = typename_fwd[dtype_rev[first.dtypes[band - 1]]]
        element = ElementTree.SubElement(root, "VRTRasterBand", dataType=kind, band=str(band))
        _describe_structure(element, first.tags(band, ns=STRUCTURE), ("NBITS",))
        _describe(element, first, band, _empty(first) if several else first.nodata)
        for part in placed:
            _add_source(element, part, str(band), whole, _empty(part.dataset) if several else None)
    if (
        not several
        and MaskFlags.per_dataset in first.mask_flag_enums[0]
        and MaskFlags.alpha not in first.mask_flag_enums[0]
    ):
        band = ElementTree.SubElement(ElementTree.SubElement(root, "MaskBand"), "VRTRasterBand", dataType="Byte")
        _add_source(band, placed[0], "mask,1", whole, None)
    return ElementTree.tostring(root, encoding="unicode")


def _describe_structure(element: ElementTree.Element, tags: Mapping[str, str], names: Sequence[str]) -> None:
    """How stored values are to be understood: inverted, or of fewer bits than their type."""
    known = {name: tags[name] for name in names if name in tags}
    if known:
        domain = ElementTree.SubElement(element, "Metadata", domain=STRUCTURE)
        for name, value in known.items():
            ElementTree.SubElement(domain, "MDI", key=name).text = value


def _describe(element: ElementTree.Element, dataset: Any, band: int, nodata: float | None) -> None:
    """Writes the description, no-data value, scale and offset of a band."""
    if nodata is not None:
        ElementTree.SubElement(element, "NoDataValue").text = repr(float(nodata))
    if dataset.descriptions[band - 1]:
        ElementTree.SubElement(element, "Description").text = dataset.descriptions[band - 1]
    for name, value, neutral in (("Scale", dataset.scales[band - 1], 1), ("Offset", dataset.offsets[band - 1], 0)):
        if value != neutral:
            ElementTree.SubElement(element, name).text = repr(float(value))
    colour = dataset.colorinterp[band - 1]
    ElementTree.SubElement(element, "ColorInterp").text = colour.name.capitalize()
    if colour == ColorInterp.palette:
        table = ElementTree.SubElement(element, "ColorTable")
        for entry in dataset.colormap(band).values():
            ElementTree.SubElement(table, "Entry", {f"c{i}": str(value) for i, value in enumerate(entry, 1)})


def _add_source(element: ElementTree.Element, part: _Placed, band: str, whole: Region, empty: float | None) -> None:
    """The part of a tile that lies in the region; `empty`: value that lets other tiles show through."""
    common = part.region.common(whole)
    source = ElementTree.SubElement(element, "SimpleSource" if empty is None else "ComplexSource")
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="0", shared="0").text = part.path
    ElementTree.SubElement(source, "SourceBand").text = band
    for name, region in (("SrcRect", part.region), ("DstRect", whole)):
        place = common.moved(-region.top, -region.left)
        rows, columns = place.shape
        ElementTree.SubElement(
            source, name, xOff=str(place.left), yOff=str(place.top), xSize=str(columns), ySize=str(rows)
        )
    if empty is not None:
        ElementTree.SubElement(source, "NODATA").text = repr(float(empty))


def _mask_layer(tile: Tile, dataset: rasterio.DatasetReader) -> MaskLayer | None:
    """The tile's mask, a file beside it or one of its own bands."""
    band = mask_band(descriptions_of(dataset, tile.path))
    return tile.mask or (MaskLayer(tile.path, MASK_AFFECTED, band) if band else None)


def _on_grid_of(dataset: rasterio.DatasetReader, layer: MaskLayer, stack: contextlib.ExitStack) -> WarpedVRT:
    """A mask, resampled to the pixels of the scene."""
    mask = stack.enter_context(_open(layer.path))
    place = georeference_of(dataset)
    if georeference_of(mask) is None or place is None:
        raise InputError(f"{shown_path(layer.path)}: no map grid, so it cannot be laid over the scene; take it away")
    return stack.enter_context(_warped(mask, layer.path, place, dataset.shape))


def _warped(
    dataset: rasterio.DatasetReader, path: str, place: Georeference, shape: tuple[int, int], **rest: float
) -> WarpedVRT:
    """A raster resampled to the nearest pixel of a grid."""
    height, width = shape
    try:
        return WarpedVRT(
            dataset,
            crs=place.crs,
            transform=Affine(*place.transform),
            height=height,
            width=width,
            resampling=Resampling.nearest,
            **rest,
        )
    except Exception as error:  # GDAL's own exceptions have no public base class
        raise InputError(
            f"{shown_path(path)}: cannot be laid on the scene's grid ({error}); check its georeference"
        ) from error
