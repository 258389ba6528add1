"""Reads files that users give and writes files atomically: a reader never sees a half-written one."""

import contextlib
import glob
import io
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from glacierjax.core.errors import InputError

Image.MAX_IMAGE_PIXELS = 1 << 28  # Pillow takes a scene of 10,000 x 10,000 for an attack; twice this is refused
IMAGE_FORMATS = ("PNG", "TIFF", "JPEG")  # other content is not opened, whatever the file is called
HUB_SCHEME = r"hf:/{1,2}"  # pathlib leaves one slash of two
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
OPAQUE_FROM = 128  # of an alpha channel of 0..255


def user_path(path: str | os.PathLike) -> Path:
    """The path with `~` and `~name` at its start replaced by the home folder, as a shell does."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser raises for a folder that is named ~x)


def is_hub_name(path: str | os.PathLike) -> bool:
    """Whether this is no path, but the name of a network on the hub (`glacierjax.checkpoints.hub`)."""
    return re.match(HUB_SCHEME, str(path)) is not None


def absolute_path(path: str | os.PathLike) -> Path:
    """The path from the root, without `.` and `..`; links are not followed, they are names too."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (Path.resolve follows links, Path.absolute keeps `..`)


def is_hidden(path: str | os.PathLike) -> bool:
    """Whether a file is hidden, as `.DS_Store` and the `._NAME` twins that macOS leaves on foreign disks."""
    return Path(path).name.startswith(".")


def named_paths(pattern: str | os.PathLike) -> list[Path]:
    """The files and folders that a path or pattern names, in order, without hidden ones; ** stands for any folders.

    What exists is what it names, whatever signs are in its name.
    """
    path = user_path(pattern)
    if path.exists():
        return [path]
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 (Path.glob takes no pattern that begins with /)
    return [Path(match) for match in sorted(matches) if not is_hidden(match)]


def visible_files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files of a folder with one of `suffixes` (lower case), in the order of their names, without hidden ones."""
    files = (file for file in sorted(folder.iterdir()) if not is_hidden(file) and not file.is_dir())
    return [file for file in files if file.suffix.lower() in suffixes]


@contextlib.contextmanager
def write_beside(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path beside `path`; on success it is renamed to `path`, on any error removed.

    The file is created with the permissions that the umask leaves, so no chmod is needed: many network disks refuse it.
    """
    path = user_path(path)
    temporary = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another output folder") from error
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise InputError(f"{path}: {what}; free some space or choose another folder") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(target: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary folder beside `target`; on success it is renamed to `target`, on any error removed.

    Raises `InputError` when `target` exists and is not an empty folder, or when it cannot be written.
    """
    target = user_path(target)
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise InputError(f"{target}: exists already; choose another output folder or remove it")
    temporary = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); choose another output folder") from error
    try:
        yield temporary
        temporary.replace(target)  # replaces an empty folder; any other one raises OSError
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); choose another output folder") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a UTF-8 text file atomically."""
    with write_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def encode_png(array: UInt8[np.ndarray, "height width *channels"]) -> bytes:
    """An array (H, W), (H, W, 3) or (H, W, 4) as the bytes of a PNG file."""
    encoded = io.BytesIO()
    # Higher levels take several times as long, and speckle gets hardly smaller.
    Image.fromarray(array).save(encoded, format="PNG", compress_level=1)
    return encoded.getvalue()


def write_png(path: str | os.PathLike, array: UInt8[np.ndarray, "height width *channels"]) -> None:
    """Writes an array (H, W), (H, W, 3) or (H, W, 4) as a PNG file, atomically."""
    with write_beside(path) as temporary:
        temporary.write_bytes(encode_png(array))


def read_grey_png(source: str | os.PathLike | bytes, where: str | None = None) -> UInt8[np.ndarray, "height width"]:
    """Grey values (H, W) uint8 of an 8-bit grey image file or its bytes, 0 where it is transparent.

    A colour file whose channels are all equal counts as grey. Raises `InputError` naming the file when it is missing,
    truncated, not an image, or not 8-bit grey.
    """
    where = where or str(source)
    try:
        data = source if isinstance(source, bytes) else user_path(source).read_bytes()
        with Image.open(io.BytesIO(_pixel_chunks(data)), formats=IMAGE_FORMATS) as image:
            grey, opaque = grey_of_picture(image, where)
            return np.where(opaque, grey, 0).astype(np.uint8)
    except FileNotFoundError:
        raise InputError(f"{where}: no such file") from None
    except InputError:
        raise
    except Exception as error:  # Pillow raises exceptions of any type for damaged files
        raise InputError(f"{where}: not a readable image ({error}); copy or download it again") from error


def png_shape(data: bytes, where: str) -> tuple[int, int]:
    """(rows, columns) of a PNG, without decoding its pixels. Raises `InputError` naming `where` if it is none."""
    start = len(PNG_SIGNATURE) + 8  # length and name of the first chunk, which begins with width and height
    if not data.startswith(PNG_SIGNATURE) or len(data) < start + 8:
        raise InputError(f"{where}: not a PNG; copy or download it again")
    return int.from_bytes(data[start + 4 : start + 8]), int.from_bytes(data[start : start + 4])


def grey_of_picture(
    image: Image.Image, where: str
) -> tuple[UInt8[np.ndarray, "height width"], Bool[np.ndarray, "height width"]]:
    """Grey values (H, W) uint8 of an 8-bit picture, and where it is opaque (H, W) bool. Raises `InputError` for colours."""
    if image.mode not in ("L", "RGB", "RGBA", "P", "PA", "LA", "1"):
        raise InputError(f"{where}: pixel format {image.mode}; expected 8-bit grey")
    if image.mode == "L" and "transparency" not in image.info:
        grey = np.array(image)
        return grey, np.ones(grey.shape, bool)
    channels = np.asarray(image.convert("RGBA"))
    opaque = channels[..., 3] >= OPAQUE_FROM
    colours = channels[opaque][:, :3]
    if (colours != colours[:, :1]).any():
        raise InputError(f"{where}: a colour image; expected 8-bit grey")
    return channels[..., 0].copy(), opaque


def _pixel_chunks(data: bytes) -> bytes:
    """A PNG without what is not its pixels: texts and colour profiles, which may be huge. Other files as they are."""
    if not data.startswith(PNG_SIGNATURE):
        return data
    kept, start = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    while start < len(data):
        kind, length = data[start + 4 : start + 8], int.from_bytes(data[start : start + 4])
        end = start + 12 + length  # length, kind, content, checksum
        if kind in PIXEL_CHUNKS:
            kept.append(data[start:end])
        start = end
    return b"".join(kept)


def require_folder(path: str | os.PathLike, what: str) -> Path:
    """The path, if it is a folder with something in it; else an `InputError` that says what was expected there."""
    path = user_path(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected {what}")
    if all(is_hidden(entry) for entry in path.iterdir()):
        raise InputError(f"{path}: the folder is empty; expected {what}")
    return path
