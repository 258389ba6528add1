"""The folder of a training: its settings and scenes, and which settings may change when a run is resumed."""

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from glacierjax.checkpoints.native import CHECKPOINTS, RESUME
from glacierjax.core.errors import InputError
from glacierjax.core.files import absolute_path, is_hub_name, user_path, write_text
from glacierjax.core.json_values import digest_of_json, read_earlier_json, read_json
from glacierjax.core.settings import (
    FineTuning,
    Pretraining,
    flat_fields,
    paths_for_workdir,
    paths_from_workdir,
    settings_from_json,
)
from glacierjax.core.version import version

CONFIG_JSON = "config.json"
VERSION = "version"  # of the program that wrote the file, beside the settings
DATA_JSON = "data.json"  # which scenes the training sees
CACHE = "cache"
LOCK = ".lock"  # held while a process trains

log = logging.getLogger(__name__)


def read_settings(workdir: Path) -> FineTuning | Pretraining:
    """The settings that a workdir was trained with."""
    file = workdir / CONFIG_JSON
    if not file.exists():
        raise InputError(
            f"{workdir}: no {CONFIG_JSON} there, so there is no run to resume; give `config`=configs/NAME.py"
        )
    try:
        values = read_json(file)
        settings = settings_from_json({name: value for name, value in values.items() if name != VERSION})
    except InputError as error:
        raise InputError(f"{file}: {error}; use a new `workdir`") from error
    except (ValueError, AttributeError) as error:
        raise InputError(f"{file}: not readable as JSON ({error}); use a new `workdir`") from error
    return paths_from_workdir(settings, workdir)


def is_trained(workdir: Path) -> bool:
    """Whether a workdir has a checkpoint to resume from."""
    return any(step.name.isdigit() for folder in (CHECKPOINTS, RESUME) for step in (workdir / folder).glob("*"))


def cache_folder(settings: FineTuning | Pretraining, workdir: Path) -> Path:
    """The folder for decoded scenes: in the workdir, or one of this run alone in the folder that the settings name.

    Runs that name the same folder may differ in what they decode.
    """
    if not settings.data.cache:
        return workdir / CACHE
    place = absolute_path(user_path(workdir))
    return user_path(settings.data.cache) / f"{place.name}-{digest_of_json(str(place))}"


@contextlib.contextmanager
def claimed(workdir: Path) -> Iterator[None]:
    """Keeps a workdir for this process inside the block, so that two starts do not write over each other's files.

    The lock ends with the process, however that ends. A disk without locks is not guarded. Raises `InputError` where another
    process is at work.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    file = user_path(workdir) / LOCK
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = file.open("a")
    except OSError as error:
        raise InputError(f"{workdir}: cannot be written ({error.strerror}); choose another `workdir`") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{workdir}: another process trains there; wait for its end, or choose another `workdir`"
            ) from None
        except OSError as error:
            log.info("%s: not guarded against a second start (%s)", workdir, error.strerror)
        yield


def _place(path: str) -> str:
    """A path of the settings as it compares with others."""
    return path if not path or is_hub_name(path) else str(user_path(path).resolve())


def write_or_check_config(settings: FineTuning | Pretraining, workdir: Path, writes: bool = True) -> None:
    """Writes `config.json`; if the workdir has checkpoints, checks first that they were trained with the same settings.

    `settings`: with the size of the micro-batches that 0 leads to on these devices. `writes` False: only checks.
    Raises `InputError` listing what differs, fields that `may_change` left out. A run without a checkpoint starts anew, so
    whatever stopped it can be set right.
    """
    file = workdir / CONFIG_JSON
    if file.exists() and is_trained(workdir):
        before, now = flat_fields(read_settings(workdir)), flat_fields(settings)
        different = []
        for name in sorted(before.keys() | now.keys()):
            (old, _), (new, metadata) = (fields.get(name, ("not set", {})) for fields in (before, now))
            if metadata.get("is_path"):
                old, new = (_place(value) for value in (old, new))
            if old != new and not metadata.get("may_change"):
                different.append(f"{name}: {old} -> {new}")
        if different:
            raise InputError(
                f"{workdir}: was trained with another configuration ({'; '.join(different)}); use a new `workdir` or "
                "the old settings"
            )
    if writes:
        values = {VERSION: version(), **paths_for_workdir(settings, workdir).to_json()}
        write_text(file, json.dumps(values, indent=1) + "\n")


def write_or_check_data(workdir: Path, digests: Mapping[str, str], writes: bool = True) -> None:
    """Writes which scenes a training sees (`RecordSplit.digest` by split); those of a workdir with checkpoints must be the same.

    `writes` False: only checks.
    Raises `InputError` for a data set that was built again with other scenes.
    """
    file = workdir / DATA_JSON
    if file.exists() and is_trained(workdir):
        before = read_earlier_json(file, dict, "remove it to go on without this check")
        if changed := [split for split, digest in digests.items() if before.get(split) != digest]:
            raise InputError(
                f"{workdir}: the scenes of the data set have changed since this training began ({', '.join(changed)}); use a "
                "new `workdir`, or build the earlier data set again"
            )
    if writes:
        write_text(file, json.dumps(dict(digests), indent=1) + "\n")
