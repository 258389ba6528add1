"""Arrays that may be too large for memory: in files that are gone afterwards."""

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from glacierjax.core.errors import InputError

FROM_BYTES = 1 << 24  # smaller arrays stay in memory


class Spool:
    """A temporary folder for arrays, removed at the end of the `with` block; `folder`: where, None: as the system has it."""

    def __init__(self, folder: Path | None = None):
        self._parent = folder
        self._folder: tempfile.TemporaryDirectory | None = None
        self._count = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def array(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """A new array, zero everywhere. Raises `InputError` where the disk has no room for it."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if size < FROM_BYTES:
            return np.zeros(shape, dtype)
        try:
            if self._folder is None:
                if self._parent is not None:
                    self._parent.mkdir(parents=True, exist_ok=True)
                self._folder = tempfile.TemporaryDirectory(
                    prefix=".spool-", dir=self._parent, ignore_cleanup_errors=True
                )
            path = Path(self._folder.name) / str(self._count)
            self._count += 1
            with path.open("wb") as file:
                if hasattr(os, "posix_fallocate"):  # a full disk is told now, not as a crash while pixels are written
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
        except OSError as error:
            where = self._parent or tempfile.gettempdir()
            raise InputError(
                f"{where}: no room for {size >> 20} MiB of a series ({error.strerror}); free some space"
            ) from error
        return np.memmap(path, dtype, "r+", shape=shape)

    def keep(self, array: np.ndarray) -> np.ndarray:
        """The array, copied into a file if it is large."""
        if array.nbytes < FROM_BYTES or isinstance(array, np.memmap):
            return array
        kept = self.array(array.shape, array.dtype)
        kept[...] = array
        return kept
