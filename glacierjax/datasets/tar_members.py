"""Files of a data set in a tar archive, compressed or not, read without unpacking."""

import tarfile
import zlib
from pathlib import Path

from glacierjax.core.errors import InputError
from glacierjax.datasets.members import Members, ZipMembers

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
ARCHIVE_SUFFIXES = (*TAR_SUFFIXES, ".zip")


class TarMembers:
    """The regular files of a tar archive (`glacierjax.datasets.members.Members`). `names` are in the archive's order.

    Read in that order, the archive is walked once, whether it is compressed or not; a step back in a compressed one
    starts it anew. Links, devices and hidden files are left out.
    """

    def __init__(self, root: Path):
        self.root = root
        self._stream: tarfile.TarFile | None = None
        try:
            with tarfile.open(root) as archive:
                files = [member.name for member in archive if member.isreg()]
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise InputError(f"{root}: not a whole tar file ({error}); download or copy it again") from error
        visible = [name for name in files if not any(part.startswith(".") for part in _plain(name).split("/"))]
        self.names = list(dict.fromkeys(_plain(name) for name in visible))
        self._number = {name: number for number, name in enumerate(self.names)}
        self._next = 0  # number of the member that the stream comes to next

    def where(self, name: str) -> str:
        return f"{self.root}:{name}"

    def read(self, name: str) -> bytes:
        number = self._number[name]
        try:
            if self._stream is None or number < self._next:
                self.close()
                self._stream = tarfile.open(self.root, "r|*")  # noqa: SIM115 (kept open between the members)
                self._next = 0
            for member in self._stream:
                self._next = self._number.get(_plain(member.name), self._next - 1) + 1
                if member.isreg() and _plain(member.name) == name:
                    file = self._stream.extractfile(member)
                    assert file is not None  # of a regular file there is one
                    return file.read()
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error}); download or copy it again") from error
        raise InputError(f"{self.where(name)}: no longer in the archive; was it changed meanwhile?")

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def open_archive_file(path: Path) -> Members:
    """The files in a zip or tar archive."""
    return ZipMembers(path) if path.suffix == ".zip" else TarMembers(path)


def archive_stem(path: Path) -> str:
    """The archive's name without its suffix: `a.tar.gz` -> `a`."""
    suffix = next(s for s in sorted(ARCHIVE_SUFFIXES, key=len, reverse=True) if path.name.endswith(s))
    return path.name.removesuffix(suffix)


def _plain(name: str) -> str:
    return name.removeprefix("./")
