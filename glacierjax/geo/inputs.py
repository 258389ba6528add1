"""What `--input` means: files, folders, patterns, links and STAC items become a list of sources, each of them one scene."""

import logging
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from glacierjax.core.errors import ArgumentError, some_names
from glacierjax.core.files import is_hidden, named_paths, user_path
from glacierjax.core.products import product_of_name
from glacierjax.geo.layers import FOLDERS_INSIDE, IMAGE_SUFFIXES, Found, sources_of_files
from glacierjax.geo.passes import join_passes
from glacierjax.geo.sources import Source, gdal_path, is_virtual, whole_path
from glacierjax.geo.stac import sources_of_stac

log = logging.getLogger(__name__)

STAC_SUFFIXES = (".json", ".geojson")
# Rasters of formats that are not read; others of a folder are no scenes.
UNREAD_SUFFIXES = (".jp2", ".jpg", ".jpeg", ".nc", ".h5", ".hdf5", ".hdf", ".he5", ".n1", ".e1", ".e2", ".grd", ".ntf")
SAFE, SNAP, SNAP_DATA, ZIP = ".safe", ".dim", ".data", ".zip"


def find_sources(patterns: Sequence[str], polarisation: str | None = None, asset: str | None = None) -> list[Source]:
    """The scenes that files, folders, glob patterns, links and STAC files name, in order, none twice.

    Args:
      patterns: paths, patterns, links (https://, s3://, /vsicurl/...), JSON files of a STAC item or item collection. Of a
        folder all images in it, and in the folders below it that are products by their name; no hidden files.
      polarisation: of products that hold several; None: the co-polarised one.
      asset: of STAC items; None: by polarisation.

    Layers of a product that are no images are left out; pieces of one pass become one source. A product that cannot be
    read is a source with a problem. Raises `InputError` for a pattern that names nothing.
    """
    found: dict[str, Found] = {}
    ready: list[Source] = []
    for pattern in patterns:
        if _names_items(pattern):
            for file in named_paths(pattern) or [Path(pattern)]:
                ready += sources_of_stac(file, polarisation, asset)
            continue
        _tell_what_is_left_out(pattern)
        before = len(found) + len(ready)
        for file in _files(pattern):
            if file.problem:
                ready.append(Source(file.path, (), problem=file.problem))
            else:
                found.setdefault(whole_path(file.path), file)
        if len(found) + len(ready) == before and not _is_known(pattern, found):
            raise ArgumentError("input", pattern, f"no {', '.join(IMAGE_SUFFIXES)} file in this folder")
    sources = join_passes([*sources_of_files(list(found.values()), polarisation), *ready])
    if not sources:
        raise ArgumentError(
            "input",
            patterns[0],
            f"only layers that are no images by their names ({len(found)} files); name one of the files itself if it is an "
            "image",
        )
    return sources


def _tell_what_is_left_out(pattern: str) -> None:
    """Logs what may be scenes in a folder that is named, but is not read."""
    folder = user_path(pattern)
    if is_virtual(pattern) or not folder.is_dir() or _is_product(folder):
        return
    entries = sorted(entry for entry in folder.iterdir() if not is_hidden(entry))
    # Of products and beside an image of the same name they are metadata, or a picture to look at.
    images = {entry.stem for entry in entries if _has(entry, IMAGE_SUFFIXES)}
    unread = [entry for entry in entries if _has(entry, UNREAD_SUFFIXES)]
    other = [entry for entry in unread if product_of_name(entry.name) is None and entry.stem not in images]
    below = [entry for entry in entries if entry.is_dir() and not _is_product(entry) and _holds_images(entry)]
    if other:
        names = some_names([entry.name for entry in other])
        log.warning("%s: left out, as these formats are not read: %s; convert them to GeoTIFF", folder, names)
    if below:
        names = some_names([entry.name for entry in below])
        log.warning("%s: subfolders are not searched: %s; name them too, or give '%s/**/*.tif'", folder, names, folder)


def _has(path: Path, suffixes: tuple[str, ...]) -> bool:
    return path.suffix.lower() in suffixes and not path.is_dir()


def _holds_images(folder: Path) -> bool:
    try:
        return any(_has(entry, IMAGE_SUFFIXES) and not is_hidden(entry) for entry in folder.iterdir())
    except OSError:  # it cannot be looked into
        return False


def require_items(patterns: Sequence[str], asset: str | None) -> None:
    """Raises `ArgumentError` for an asset where no pattern names STAC items."""
    if asset is not None and not any(map(_names_items, patterns)):
        raise ArgumentError("asset", asset, "of STAC items (.json), and none are given; leave it out")


def _names_items(pattern: str) -> bool:
    return Path(pattern).suffix.lower() in STAC_SUFFIXES and not is_virtual(pattern)


def _is_known(pattern: str, found: dict[str, Found]) -> bool:
    """Whether another pattern has named its files already."""
    return any(whole_path(file.path) in found for file in _files(pattern))


def _files(pattern: str) -> Iterator[Found]:
    """The files of one pattern; what looks like a product but cannot be read, with its problem."""
    if is_virtual(pattern):
        yield Found(gdal_path(pattern), named=True)
        return
    path = user_path(pattern)
    if path.is_dir():
        yield from _inside(path)
    elif path.exists():
        yield from _file(path, named=True)
    else:
        chosen = [match for match in named_paths(path) if not match.is_dir() or _is_product(match)]
        if not chosen:
            raise ArgumentError("input", pattern, "no such file or folder, and no file that fits it as a pattern")
        for match in chosen:
            yield from _inside(match) if match.is_dir() else _file(match)


def _inside(folder: Path) -> Iterator[Found]:
    """The files of a folder that may be images, and of the products below it."""
    if folder.suffix.lower() == SAFE and "_SLC_" in folder.name:
        yield Found(str(folder), problem=_say(folder, "single-look complex, in radar geometry; order it as RTC"))
        return
    try:
        entries = sorted(entry for entry in folder.iterdir() if not is_hidden(entry))
    except OSError as error:
        yield Found(str(folder), problem=_say(folder, f"cannot be read ({error.strerror}); look at its permissions"))
        return
    count = 0
    for entry in entries:
        below = _inside(entry) if entry.is_dir() and _is_product(entry) else _file(entry) if not entry.is_dir() else ()
        for file in below:
            count += 1
            yield file
    if not count and folder.suffix.lower() == SAFE:
        yield Found(str(folder), problem=_say(folder, "no measurement/*.tiff in it; copy or download it again"))


def _is_product(path: Path) -> bool:
    if not path.is_dir():
        return False
    return (
        path.suffix.lower() in (SAFE, SNAP_DATA)
        or path.name in FOLDERS_INSIDE
        or product_of_name(path.name) is not None
    )


def _file(path: Path, named: bool = False) -> Iterator[Found]:
    """The file, if it may be an image; a named one always, since it is told what is wrong with it when it is read."""
    suffix = path.suffix.lower()
    if not named and path.exists() and not (path.is_file() or path.is_dir()):
        return  # a pipe or a device would be waited for
    if suffix == SNAP:
        data = path.with_suffix(SNAP_DATA)
        if not data.is_dir():
            yield Found(str(path), problem=_say(path, f"its folder {data.name} is not beside it; copy both"))
        elif named:
            yield from _inside(data)
    elif suffix == ZIP:
        if named or product_of_name(path.name) is not None:
            yield from _inside_zip(path)
    elif named or suffix in IMAGE_SUFFIXES:
        yield Found(str(path), named=named)


def _inside_zip(path: Path) -> Iterator[Found]:
    """The files of a zip that may be images, which GDAL reads where they are."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(member for member in archive.namelist() if Path(member).suffix.lower() in IMAGE_SUFFIXES)
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        yield Found(str(path), problem=_say(path, f"not a readable zip ({error}); copy or download it again"))
        return
    members = [member for member in members if not any(part.startswith(".") for part in member.split("/"))]
    for member in members:
        yield Found(f"/vsizip/{path.absolute().as_posix()}/{member}")
    if not members:
        yield Found(str(path), problem=_say(path, "no image in it; give the folder or the files of a product"))


def _say(path: Path, problem: str) -> str:
    return f"{path}: {problem}"
