"""Reading what users give us and writing what must never be left half-written."""

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from glacierjax.core.errors import InputError

Image.MAX_IMAGE_PIXELS = 1 << 28  # Pillow takes a scene of 10,000 x 10,000 for an attack; twice this is refused


@contextlib.contextmanager
def write_beside(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path beside `path`; on success it is renamed to `path`, on any error removed."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another output folder") from error
    os.close(handle)
    try:
        yield Path(temporary)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise InputError(f"{path}: {what}; free some space or choose another folder") from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a UTF-8 text file whole or not at all."""
    with write_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_png(path: str | os.PathLike, array: np.ndarray) -> None:
    """Writes a uint8 array (H, W) or (H, W, 3) as PNG, whole or not at all."""
    with write_beside(path) as temporary:
        Image.fromarray(array).save(temporary, format="PNG")


def read_grey_png(source: str | os.PathLike | bytes, where: str | None = None) -> np.ndarray:
    """Grey values (H, W) uint8 of an 8-bit grey image file or its bytes.

    A colour file whose channels are all equal counts as grey. Raises `InputError` naming the file when it is missing,
    truncated, not an image, or not 8-bit grey.
    """
    where = where or str(source)
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            image.load()
            if image.mode in ("RGB", "RGBA", "P", "LA", "1"):
                channels = np.asarray(image.convert("RGB"))
                if (channels != channels[..., :1]).any():
                    raise InputError(f"{where}: a colour image; expected 8-bit grey")
                return channels[..., 0].copy()
            if image.mode != "L":
                raise InputError(f"{where}: pixel format {image.mode}; expected 8-bit grey")
            return np.asarray(image).copy()
    except FileNotFoundError:
        raise InputError(f"{where}: no such file") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: not a readable image ({error}); copy or download it again") from error


def require_folder(path: str | os.PathLike, what: str) -> Path:
    """The path, if it is a folder with something in it; else an `InputError` that says what was expected there."""
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; expected {what}")
    if not any(path.iterdir()):
        raise InputError(f"{path}: the folder is empty; expected {what}")
    return path
