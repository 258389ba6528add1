"""`Source`: the files or links that make up one scene, its masks and name, and what is known before it is opened."""

import dataclasses
import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import numpy as np
import shapely
from jaxtyping import Bool, Shaped

from glacierjax.core.files import absolute_path
from glacierjax.core.scene_names import NameFacts

# Where GDAL finds what other programs write with a scheme.
_VIRTUAL = {"http": "/vsicurl/http://", "https": "/vsicurl/https://", "s3": "/vsis3/", "gs": "/vsigs/", "az": "/vsiaz/"}
_SCHEME = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+]*)://(?P<rest>.*)", re.DOTALL)
_REMOTE = re.compile(r"/vsi(?:curl|s3|gs|az|adls|oss|swift|webhdfs|hdfs)(?:_streaming)?[/?]")
_ZIPPED = re.compile(r"/vsizip/(?P<archive>(?!vsi).*?\.zip)/(?P<inside>.*)", re.DOTALL | re.IGNORECASE)
_QUERY = re.compile(r"\?.*", re.DOTALL)

# Values of the 8-bit layers that tell where terrain hides the ground or folds it. GAMMA's map, in HyP3: the sum of 1 (tested),
# 2 and 4 (layover), 8 and 16 (shadow). OPERA's and SNAP's: 1 to 3 for one of them or both; OPERA's 255: outside.
GAMMA_AFFECTED = tuple(value for value in range(32) if value & 0b11110)
MASK_AFFECTED = (1, 2, 3)
_NOTHING_KNOWN = NameFacts()


@dataclasses.dataclass(frozen=True)
class MaskLayer:
    """A band of a file whose values `affected` mean layover or shadow."""

    path: str
    affected: tuple[int, ...]
    band: int = 1

    def is_affected(self, values: Shaped[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
        return np.isin(values, self.affected)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Where a file lies by a catalogue, so that it need not be opened: `polygons` of longitude (-180..180) and latitude;
    `pixel_spacing_m`, None: it does not tell."""

    polygons: shapely.Polygon | shapely.MultiPolygon
    pixel_spacing_m: float | None = None


@dataclasses.dataclass(frozen=True)
class Tile:
    """A file, as GDAL opens it, that holds a scene or a part of it; `mask`: of layover and shadow; `coverage` None: not told."""

    path: str
    mask: MaskLayer | None = None
    coverage: Coverage | None = dataclasses.field(default=None, compare=False)


@dataclasses.dataclass(frozen=True)
class Source:
    """`name` of the scene and its results; `tiles` that are mosaicked; `facts`, as far as they are known; `problem`: why it
    cannot be read, in one line."""

    name: str
    tiles: tuple[Tile, ...]
    facts: NameFacts = _NOTHING_KNOWN
    problem: str = ""

    @property
    def where(self) -> str:
        """For messages and tables."""
        first = shown_path(self.tiles[0].path) if self.tiles else self.name
        return first if len(self.tiles) < 2 else f"{first} (and {len(self.tiles) - 1} more)"

    @property
    def paths(self) -> tuple[str, ...]:
        """All files and links that are read, masks too, without their signatures."""
        masks = (tile.mask.path for tile in self.tiles if tile.mask)
        return tuple(dict.fromkeys(shown_path(path) for path in (*(tile.path for tile in self.tiles), *masks)))


def gdal_path(text: str) -> str:
    """What GDAL opens for a path or link: https://host/x.tif is read through /vsicurl/, file:// is a file."""
    match = _SCHEME.fullmatch(text)
    if match is None:
        return text
    scheme = match["scheme"].lower()
    if scheme == "file":
        return unquote("/" + match["rest"].partition("/")[2])  # between the slashes may stand the name of this machine
    return _VIRTUAL[scheme] + match["rest"] if scheme in _VIRTUAL else text


def whole_path(text: str) -> str:
    """The same for a file or link however it is named, and from any folder: what GDAL opens for it, from the root."""
    path = gdal_path(text)
    zipped = split_archive(path)
    if zipped is not None:
        return f"/vsizip/{absolute_path(zipped[0]).as_posix()}/{zipped[1]}"
    return path if is_virtual(path) else str(absolute_path(path))


def is_virtual(text: str) -> bool:
    """A link or one of GDAL's virtual files, not a file of this machine."""
    return text.startswith("/vsi") or _SCHEME.fullmatch(text) is not None


def split_archive(path: str) -> tuple[str, str] | None:
    """The zip file and the path inside it of a file that GDAL reads there; None for other files."""
    match = _ZIPPED.fullmatch(path)
    return (match["archive"], match["inside"]) if match else None


def is_remote(path: str) -> bool:
    """Read over a network, so that every request counts."""
    return _REMOTE.search(path) is not None


def shown_path(path: str) -> str:
    """The path without what is secret in it: links end with signatures."""
    if not is_remote(gdal_path(path)):
        return path
    return _QUERY.sub("", path.removeprefix("/vsicurl/"))


def stem_of(path: str) -> str:
    """The name of a file or link without its suffix."""
    return PurePosixPath(shown_path(path)).stem if is_virtual(path) else Path(path).stem
