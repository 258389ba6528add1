"""Files (members) of a data set in a folder, a zip or a tar archive, read without unpacking."""

import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from glacierjax.core.errors import InputError
from glacierjax.core.files import require_folder, user_path

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
ARCHIVE_SUFFIXES = (*TAR_SUFFIXES, ".zip")
# What the readers raise for damaged files, strange names and lengths, encryption (RuntimeError) and what they do not know
# (NotImplementedError).
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
    OverflowError,
    IndexError,
)


class Members(Protocol):
    """Read access to the files below one root; names are relative, with `/`."""

    root: Path

    @property
    def names(self) -> list[str]: ...

    def read(self, name: str) -> bytes: ...

    def where(self, name: str) -> str:
        """What an error message calls the file."""
        ...


class FolderMembers:
    """The files of a folder and its subfolders, links to folders among them; hidden ones are left out."""

    def __init__(self, root: Path):
        self.root = root
        names = []
        for folder, subfolders, files in os.walk(root, followlinks=True):
            here = Path(folder)
            above = {path.resolve() for path in (here, *here.absolute().parents)}
            shown = (name for name in subfolders if not name.startswith("."))
            subfolders[:] = [name for name in shown if (here / name).resolve() not in above]  # else round and round
            below = here.relative_to(root)
            names.extend((below / name).as_posix() for name in files if not name.startswith("."))
        self.names = sorted(names)

    def where(self, name: str) -> str:
        return str(self.root / name)

    def read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error.strerror})") from error


class ZipMembers:
    """The files of a zip archive, read one by one and never extracted to disk."""

    def __init__(self, root: Path):
        self.root = root
        try:
            self._zip = zipfile.ZipFile(root)
        except DAMAGE as error:
            raise InputError(f"{root}: not a whole zip file ({error}); download or copy it again") from error
        visible = (name for name in self._zip.namelist() if not name.endswith("/"))
        # macOS adds `__MACOSX/._NAME` twins to the archives that it writes
        self.names = sorted(n for n in visible if not any(p.startswith((".", "__MACOSX")) for p in n.split("/")))

    def where(self, name: str) -> str:
        return f"{self.root}:{name}"

    def read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except DAMAGE as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error}); download or copy the zip again") from error


class TarMembers:
    """The regular files of a tar archive, compressed or not. `names` are in the archive's order.

    Reading the files in that order reads the archive once. Reading an earlier file starts again from the beginning of
    the archive. Links, devices and hidden files are left out.
    """

    def __init__(self, root: Path):
        self.root = root
        self._stream: tarfile.TarFile | None = None
        try:
            with tarfile.open(root) as archive:
                files = [member.name for member in archive if member.isreg()]
        except DAMAGE as error:
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
        except DAMAGE as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error}); download or copy it again") from error
        raise InputError(f"{self.where(name)}: no longer in the archive; was it changed meanwhile?")

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def open_members(path: str | os.PathLike, what: str) -> Members:
    """The files below a folder or in a zip file; `what`, in error messages, says what was expected at `path`."""
    path = user_path(path)
    if path.is_file():
        return ZipMembers(path)
    return FolderMembers(require_folder(path, what))


def find_prefix(members: Members, folder: str) -> str | None:
    """The part of the member names before the topmost `folder/` (\"\" or \"outer/inner/\"); None without that folder.

    Users often unpack an archive one level too deep or too high; the data set is the same.
    """
    prefixes = set()
    for name in members.names:
        parts = name.split("/")[:-1]
        if folder in parts:
            prefixes.add("".join(f"{part}/" for part in parts[: parts.index(folder)]))
    if not prefixes:
        return None
    shortest = min(prefixes, key=lambda prefix: (prefix.count("/"), prefix))
    if any(prefix.count("/") == shortest.count("/") for prefix in prefixes - {shortest}):
        both = ", ".join(sorted(prefixes))
        raise InputError(f"{members.root}: several data sets side by side ({both}); name the folder of one of them")
    return shortest


def open_archive_file(path: Path) -> Members:
    """The files in a zip or tar archive."""
    return ZipMembers(path) if path.suffix == ".zip" else TarMembers(path)


def archive_stem(path: Path) -> str:
    """The archive's name without its suffix: `a.tar.gz` -> `a`."""
    suffix = next(s for s in sorted(ARCHIVE_SUFFIXES, key=len, reverse=True) if path.name.endswith(s))
    return path.name.removesuffix(suffix)


def _plain(name: str) -> str:
    return name.removeprefix("./")
