"""Paths in settings: written relative to the workdir where they were given relative, so that both may move together."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from glacierjax.core.files import is_hub_name, user_path
from glacierjax.core.settings.fields import Settings

S = TypeVar("S", bound=Settings)


def paths_for_workdir(settings: S, workdir: Path) -> S:
    """Settings as they are stored: paths that are relative to the working directory become relative to `workdir`.

    Absolute paths, and names of networks on the hub, stay as given.
    """
    base = workdir.absolute()
    return _map_paths(settings, lambda path: os.path.relpath(Path.cwd() / path, base))


def paths_from_workdir(settings: S, workdir: Path) -> S:
    """Undoes `paths_for_workdir`: paths that are relative to `workdir` become relative to the working directory."""
    base = workdir.absolute()
    return _map_paths(settings, lambda path: os.path.relpath(base / path))


def _map_paths(settings: S, move: Callable[[str], str]) -> S:
    changed = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Settings):
            changed[field.name] = _map_paths(value, move)
        elif field.metadata.get("is_path") and value and not (is_hub_name(value) or user_path(value).is_absolute()):
            changed[field.name] = move(value)
    return dataclasses.replace(settings, **changed)
