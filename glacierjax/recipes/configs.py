"""Config files: finding, loading, and conversion between `ConfigDict` and typed settings."""

import difflib
import importlib.util
import itertools
import re
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path
from glacierjax.core.settings import FineTuning, Pretraining, Settings, settings_from_json
from glacierjax.core.settings.table import help_lines

_OVERRIDE = re.compile(r"--?config\.([^=\[]+)")
_PACKAGE = Path(__file__).resolve().parents[1]


def config_of(settings: FineTuning | Pretraining) -> Any:
    """All fields of the settings as a `ConfigDict`, which a config file can change. Fields cannot be added.

    (Type checkers know a `ConfigDict`'s fields by no type, hence `Any`.)
    """
    return ConfigDict(_plain(settings)).lock()


def _plain(settings: Settings) -> dict:
    return {name: _plain(value) if isinstance(value, Settings) else value for name, value in vars(settings).items()}


def settings_of(config: ConfigDict) -> FineTuning | Pretraining:
    """The typed settings of a configuration. Raises `InputError` that names the first field with an invalid value."""
    return settings_from_json(config.to_dict())


def find_config(path: str) -> Path:
    """The path of a config file; a relative one is searched in the working directory, then in the package."""
    candidates = [user_path(path)]
    if not candidates[0].is_absolute():
        # The folder configs/ is inside an installed package, but beside the package in a source checkout.
        candidates += [_PACKAGE / path, _PACKAGE.parent / path]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.absolute()
    shipped = sorted(
        f"configs/{file.name}" for root in (_PACKAGE, _PACKAGE.parent) for file in root.glob("configs/*.py")
    )
    shipped = [name for name in dict.fromkeys(shipped) if not name.endswith("__init__.py")]
    raise InputError(f"--config={path}: no such file; the package carries {', '.join(shipped)}")


def load_config(path: str) -> ConfigDict:
    """The configuration that a config file returns. Raises `InputError` for a file without `get_config()` or with mistakes."""
    file = find_config(path)
    spec = importlib.util.spec_from_file_location(f"glacierjax_config_{file.stem}", file)
    assert spec is not None and spec.loader is not None  # a .py file that exists has both
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        if not hasattr(module, "get_config"):
            raise InputError(f"{file}: not a configuration file; it has no function get_config()")
        config = module.get_config()
    except InputError:
        raise
    except Exception as error:  # a program of the user can raise anything
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: get_config() fails ({type(error).__name__}: {reason}); correct the file") from error
    if not isinstance(config, ConfigDict):
        raise InputError(f"{file}: get_config() gives no ml_collections.ConfigDict; start from config_of(...)")
    return config


def fields_help(argv: list[str]) -> str:
    """The fields of the file that --config names, with its values, for `--help`; "" without --config."""
    file = ""
    for argument, following in itertools.zip_longest(argv, argv[1:], fillvalue=""):
        name, equals, value = argument.partition("=")
        if name in ("--config", "-config"):
            file = value if equals else following
    if not file:
        return ""
    return "\n".join([f"\n\nFields of {file}:", *help_lines(settings_of(load_config(file)))])


def checked_arguments(argv: list[str]) -> list[str]:
    """Command-line arguments with the value of --config replaced by the path of the file.

    Raises `InputError` for a file that does not load, and for a field (`--config.a.b`) that it does not have, or that has
    no file to belong to.
    """
    out = []
    file = None
    for i, argument in enumerate(argv):
        if argument.startswith(("--config=", "-config=")):
            file = find_config(argument.split("=", 1)[1])
            argument = f"--config={file}"
        elif i and argv[i - 1] in ("--config", "-config"):
            file = find_config(argument)
            argument = str(file)
        out.append(argument)
    fields = [match[1] for match in map(_OVERRIDE.match, argv) if match]
    if fields and file is None:
        raise InputError(f"--config.{fields[0]}: a field of no --config; give --config=configs/NAME.py too")
    if file is not None:
        config = load_config(str(file))
        for field in fields:
            check_field(config, field)
    return out


def check_field(config: ConfigDict, field: str) -> None:
    """Raises `InputError` that lists the existing fields unless the configuration has the field `a.b`."""
    parent = "--config"
    value: object = config
    for name in field.split("."):
        names = sorted(value.keys()) if isinstance(value, ConfigDict) else []
        if not isinstance(value, ConfigDict) or name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            meant = f"; did you mean {parent}.{close[0]}?" if close else ""
            raise InputError(f"--config.{field}: no such field{meant}; {parent} has: {', '.join(names) or 'no fields'}")
        value = value[name]
        parent += f".{name}"
