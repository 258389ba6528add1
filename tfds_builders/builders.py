"""Finds a TFDS builder by its folder, and the configs of it that are to be built."""

import dataclasses
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path

PACKAGE = Path(__file__).resolve().parent


def find_builder(dataset: str) -> Path:
    """The folder of a builder: `dataset` itself, else `tfds_builders/NAME` (or NAME) in the installed package."""
    path = Path(dataset).expanduser()
    packaged = PACKAGE / path.name
    if path.is_dir():
        return path.resolve()
    is_short_name = str(path) in (path.name, f"{PACKAGE.name}/{path.name}")
    if is_short_name and (packaged / f"{path.name}_dataset_builder.py").is_file():
        return packaged
    known = sorted(f"{PACKAGE.name}/{file.parent.name}" for file in PACKAGE.glob("*/*_dataset_builder.py"))
    raise InputError(f"{dataset}: no such builder folder, here or in the package; there are: {', '.join(known)}")


def import_builder(folder: Path) -> Any:
    """The class `Builder` of the module `NAME_dataset_builder` in a folder `NAME`."""
    module = f"{folder.name}.{folder.name}_dataset_builder"
    if folder.parent == PACKAGE:
        return importlib.import_module(f"{PACKAGE.name}.{module}").Builder
    sys.path.insert(0, str(folder.parent))
    try:
        return importlib.import_module(module).Builder
    except (ImportError, AttributeError) as error:
        raise InputError(f"{folder}: no readable TFDS builder {folder.name}_dataset_builder.py ({error})") from error
    finally:
        sys.path.remove(str(folder.parent))


def pick_configs(
    builder_cls: Any,
    name: str | None,
    number: int | None,
    fields: Mapping[str, Any],
    where: tuple[str | None, str | None, str | None],
) -> list[Any]:
    """The configs to build: the one of this name or number, else all for which there are data; with `fields` changed.

    `where`: manual_dir, download_dir and data_dir, None for TFDS's default. A builder without configs gives [None].
    """
    known = builder_cls.builder_configs  # by name
    if name is not None and number is not None:
        raise InputError("--config and --config_idx: give one of them")
    if number is not None and not 0 <= number < len(known):
        raise InputError(f"--config_idx={number}: choose 0 to {len(known) - 1}")
    if name is not None and name not in known:
        raise InputError(f"--config={name}: unknown; choose one of {', '.join(known)}")
    if name is not None:
        configs = [known[name]]
    elif number is not None:
        configs = [builder_cls.BUILDER_CONFIGS[number]]
    elif hasattr(builder_cls, "configs_in"):
        configs = [known[name] for name in builder_cls.configs_in(_manual_dir(*where))]
    else:
        configs = list(known.values()) or [None]
    return [_with_fields(builder_cls.name, config, fields) for config in configs] if fields else configs


def _manual_dir(manual_dir: str | None, download_dir: str | None, data_dir: str | None) -> Path:
    """Where TFDS looks for the archive."""
    from tensorflow_datasets.core import constants

    downloads = user_path(download_dir or Path(data_dir or constants.DATA_DIR) / "downloads")
    return Path(manual_dir or downloads / "manual")


def _with_fields(builder: str, config: Any, fields: Mapping[str, Any]) -> Any:
    """The config with other values and a name that contains them, since TFDS tells data sets apart by name."""
    known = {field.name for field in dataclasses.fields(config)} if config else set()
    parts = [config.name] if config else []
    for field, value in fields.items():
        if field not in known:
            raise InputError(f"--{field}: not an option of {builder}")
        parts.append(field if value is True else f"{field}_{'_'.join([value] if isinstance(value, str) else value)}")
    return dataclasses.replace(config, name="-".join(parts), **fields)
