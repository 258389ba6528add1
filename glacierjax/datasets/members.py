"""Files of a data set that lies in a folder or in a zip file, read without unpacking."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from glacierjax.core.errors import InputError
from glacierjax.core.files import require_folder, user_path


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
    """The files of a folder and its subfolders, hidden ones left out."""

    def __init__(self, root: Path):
        self.root = root
        found = []
        for folder, subfolders, files in os.walk(root):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            below = Path(folder).relative_to(root)
            found.extend((below / name).as_posix() for name in files if not name.startswith("."))
        self.names = sorted(found)

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
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{root}: not a whole zip file ({error}); download or copy it again") from error
        visible = (name for name in self._zip.namelist() if not name.endswith("/"))
        # macOS adds `__MACOSX/._NAME` twins to the archives that it writes
        self.names = sorted(n for n in visible if not any(p.startswith((".", "__MACOSX")) for p in n.split("/")))

    def where(self, name: str) -> str:
        return f"{self.root}:{name}"

    def read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        # RuntimeError: encrypted or an unknown compression; EOFError and zlib.error: damaged
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError, KeyError) as error:
            raise InputError(f"{self.where(name)}: cannot be read ({error}); download or copy the zip again") from error


def open_members(path: str | os.PathLike, what: str) -> Members:
    """The files below a folder or in a zip file. `what` says in errors what was expected at `path`."""
    path = user_path(path)
    if path.is_file():
        return ZipMembers(path)
    return FolderMembers(require_folder(path, what))


def find_prefix(members: Members, folder: str) -> str | None:
    """What stands before the topmost `folder/` in the member names (\"\" or \"some/where/\"); None without that folder.

    Archives are unpacked one level too deep or too high all the time; the data set is the same.
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
