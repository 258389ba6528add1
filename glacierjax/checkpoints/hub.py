"""Networks on the Hugging Face hub, named `hf://OWNER/NAME` or `hf://OWNER/NAME@REVISION` (a branch, tag or commit).

Downloads lie in the cache of huggingface_hub (extra [hub]) and are whole or not there. HF_ENDPOINT names another server.
"""

import hashlib
import re
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from glacierjax.checkpoints.calibration_file import CALIBRATION
from glacierjax.checkpoints.safetensors_file import WEIGHTS
from glacierjax.core.errors import InputError
from glacierjax.core.files import HUB_SCHEME
from glacierjax.core.version import version

CARD = "README.md"  # the name under which hubs show a card
FILES = (WEIGHTS, CALIBRATION, CARD)  # of a network that was handed on; no others are read or written
LONGEST_REASON = 150  # characters; servers answer with whole pages
ATTEMPTS = 2  # of a download whose files are not whole; huggingface_hub itself goes on after a lost connection
_NAME = re.compile(HUB_SCHEME + r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?", re.ASCII)
_IN_CACHE = re.compile(r"models--(?P<owner>[\w.-]+?)--(?P<name>[\w.-]+)/snapshots/(?P<commit>\w+)$", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class HubName(NamedTuple):
    """`repository`: OWNER/NAME; `revision`: a branch, tag or commit, None: the main branch."""

    repository: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"hf://{self.repository}" + (f"@{self.revision}" if self.revision else "")


def parse_hub_name(text: str | Path) -> HubName:
    """Raises `InputError` for what is no name on the hub."""
    found = _NAME.fullmatch(str(text))
    if found is None:
        raise InputError(
            f"{text}: no name of a network on the hub; expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION"
        )
    return HubName(found["repository"], found["revision"])


def shown_checkpoint(folder: str | Path) -> str:
    """A checkpoint as others know it: of one from the hub name and commit instead of its place in the cache."""
    found = _IN_CACHE.search(Path(folder).as_posix())
    return str(HubName(f"{found['owner']}/{found['name']}", found["commit"])) if found else str(folder)


def download(text: str | Path) -> Path:
    """The folder of a network on the hub, downloaded unless it is in the cache.

    Raises `InputError` with what to do if there is no such network, no connection, or a file does not arrive whole.
    """
    name = parse_hub_name(text)
    hub = _require_hub(name)
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            folder = Path(
                hub.snapshot_download(
                    name.repository,
                    revision=name.revision,
                    allow_patterns=list(FILES),
                    library_name="glacierjax",
                    library_version=version(),
                )
            )
        except Exception as error:  # of huggingface_hub and its HTTP client, which have no common base class
            if (told := _told(hub, name, error)) is not None:
                raise InputError(told) from None
            reason = _first_line(error)
            continue
        if not (folder / WEIGHTS).is_file():
            raise InputError(f"{name}: no {WEIGHTS} in it; choose a network that glacierjax export wrote")
        damaged = [file for file in FILES if not _is_whole(folder / file)]
        if not damaged:
            return folder
        reason = f"{', '.join(damaged)} does not have the hash that the hub tells"
    raise InputError(f"{name}: the download is not whole after {ATTEMPTS} attempts ({reason}); try again later")


def upload(folder: Path, text: str, private: bool) -> HubName:
    """Uploads the files of a network that was handed on, and returns its name with the commit.

    Makes the repository where there is none; `private`: only its owner sees it. Raises `InputError` with what to do.
    """
    name = parse_hub_name(text)
    if name.revision:
        raise InputError(f"{name}: uploads go to the main branch; leave @{name.revision} out")
    hub = _require_hub(name)
    api = hub.HfApi(library_name="glacierjax", library_version=version())
    try:
        api.create_repo(name.repository, private=private or None, exist_ok=True)
        files = [hub.CommitOperationAdd(file, folder / file) for file in FILES if (folder / file).is_file()]
        commit = api.create_commit(name.repository, files, commit_message=f"Network of glacierjax {version()}")
    except Exception as error:  # as in `download`
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        told = _told(hub, name, error) or _told(hub, name, cause)
        raise InputError(told or f"{name}: not uploaded ({_first_line(cause)}); push it again") from None
    return name._replace(revision=commit.oid)


def _require_hub(name: HubName) -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
    except ImportError:
        raise InputError(f"{name}: needs the extra [hub]; pip install 'glacierjax[hub]'") from None
    return huggingface_hub


def _told(hub: Any, name: HubName, error: Exception) -> str | None:
    """What went wrong and what to do; None: a part of a download did not arrive, which may go well another time."""
    errors = hub.errors
    server = hub.constants.ENDPOINT
    login = "log in (hf auth login), or set HF_TOKEN"
    if isinstance(error, errors.GatedRepoError):
        return f"{name}: its owner gives access on request; ask for it on {server}/{name.repository}, then {login}"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{name}: not on {server}, or private; check the name, or {login}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{name}: {name.repository} has no branch, tag or commit {name.revision}; choose another one"
    if isinstance(error, errors.LocalTokenNotFoundError):
        return f"{name}: nobody is logged in; {login}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"{name}: {server} refuses it ({_first_line(error)}); {login}"
    if status is not None:
        return f"{name}: {server} answers {status} ({_first_line(error)}); try again later"
    if isinstance(error, errors.LocalEntryNotFoundError | ConnectionError) or "connect" in type(error).__name__.lower():
        return f"{name}: {server} cannot be reached; check the network connection"
    if isinstance(error, errors.HFValidationError):
        return f"{name}: no name of a network on the hub ({_first_line(error)})"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{name}: cannot be written ({error.strerror}); free some space, or set HF_HOME to another folder"
    return None


def _first_line(error: Exception) -> str:
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return textwrap.shorten(line, LONGEST_REASON).rstrip(".")


def _is_whole(file: Path) -> bool:
    """Whether a downloaded file has the hash after which the cache names it; a damaged one is removed from the cache.

    Small files are named after another kind of hash, and were checked by their size.
    """
    content = file.resolve()
    if not _SHA256.fullmatch(content.name):
        return True
    with content.open("rb") as stream:
        whole = hashlib.file_digest(stream, "sha256").hexdigest() == content.name
    if not whole:
        file.unlink()
        content.unlink()
    return whole
