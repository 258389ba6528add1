"""Configuration files: finding them, loading them, and the `config.json` of a workdir."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from glacierjax.core.errors import InputError
from glacierjax.core.files import user_path, write_text

CONFIG_JSON = "config.json"
# What may change when a run goes on: its length, and how it is read, logged and looked at.
FREE_FIELDS = (
    "num_epochs", "log_every", "checkpoint_every", "keep", "skip_nonfinite", "parallel", "profile_steps",
    "data.workers", "data.dir", "data.cache",
)  # fmt: skip
# What holds for a workdir from before a field existed.
_BEFORE = {"early_stop_epochs": 0, "model.remat": False}
CACHE = "cache"  # folder of the workdir

_OVERRIDE = re.compile(r"--?config\.([^=\[]+)")
_PACKAGE = Path(__file__).resolve().parents[1]


def find_config(path: str) -> Path:
    """A relative path is looked for in the working directory, then in the copy that the package carries."""
    candidates = [Path(path)]
    if not candidates[0].is_absolute():
        # Installed, the folder configs/ lies inside the package; in a source checkout beside it.
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
    """The `get_config()` of a configuration file, unlocked."""
    file = find_config(path)
    spec = importlib.util.spec_from_file_location(f"glacierjax_config_{file.stem}", file)
    assert spec is not None and spec.loader is not None  # a .py file that exists has both
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "get_config"):
        raise InputError(f"{file}: not a configuration file; it has no function get_config()")
    return module.get_config().unlock()


def to_plain(config: ConfigDict) -> dict[str, Any]:
    """The configuration as JSON holds it (tuples as lists)."""
    return json.loads(config.to_json_best_effort())


def from_workdir(workdir: Path) -> ConfigDict:
    """The configuration that a workdir was trained with."""
    file = workdir / CONFIG_JSON
    if not file.exists():
        raise InputError(f"{workdir}: no {CONFIG_JSON} there, so no run to go on with; give --config=configs/NAME.py")
    return ConfigDict(_tuples(_read_json(file)))


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def is_trained(workdir: Path) -> bool:
    """Whether a workdir has a checkpoint to go on from."""
    from glacierjax.checkpoints.native import CHECKPOINTS, RESUME  # imported here: flags are checked without Orbax

    return any(step.name.isdigit() for folder in (CHECKPOINTS, RESUME) for step in (workdir / folder).glob("*"))


def locate(config: Any) -> None:
    """Makes the paths of a configuration absolute, so that its run can be gone on with and evaluated from any folder."""
    config.data.dir = str(user_path(config.data.dir).absolute())
    if config.data.get("cache"):
        config.data.cache = str(user_path(config.data.cache).absolute())
    if config.init.checkpoint:
        config.init.checkpoint = str(user_path(config.init.checkpoint).absolute())


def cache_folder(config: Any, workdir: Path) -> Path:
    """Where a run keeps its decoded scenes: in the workdir, unless the configuration names a faster or larger disk."""
    return Path(config.data.get("cache") or workdir / CACHE)


def settle(config: ConfigDict, workdir: Path, writes: bool = True) -> None:
    """Writes `config.json`; where a workdir has checkpoints, checks that they were trained with the same configuration.

    `writes` False: only checks.
    Raises `InputError` listing what differs (fields in `FREE_FIELDS` may). A run without a checkpoint starts anew, so
    whatever stopped it can be set right.
    """
    file = workdir / CONFIG_JSON
    wanted = to_plain(config)
    if file.exists() and is_trained(workdir):
        before = {**_BEFORE, **_flat(_read_json(file))}
        now = _flat(wanted)
        different = [
            f"{key}: {before.get(key, 'not set')} -> {now.get(key, 'not set')}"
            for key in sorted(before.keys() | now.keys())
            if before.get(key) != now.get(key) and key not in FREE_FIELDS
        ]
        if different:
            raise InputError(
                f"{workdir}: was trained with another configuration ({'; '.join(different)}); use a new --workdir or "
                "the old settings"
            )
    if writes:
        write_text(file, json.dumps(wanted, indent=1) + "\n")


def _read_json(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{file}: not readable as JSON ({error}); use a new --workdir") from error


def _flat(tree: dict, prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def resolved(argv: list[str]) -> list[str]:
    """Command-line arguments with the value of --config replaced by the file that it means.

    Raises `InputError` for a field (`--config.a.b`) that this file does not have, or that has no file to belong to.
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
    for field in fields:
        _check_field(load_config(str(file)), field)
    return out


def _check_field(config: Any, field: str) -> None:
    """Raises `InputError` unless the configuration has the field `a.b`, naming its nearest relatives."""
    parent = "--config"
    for name in field.split("."):
        there = list(config.keys()) if isinstance(config, ConfigDict) else []
        if name not in there:
            raise InputError(
                f"--config.{field}: no such field; {parent} has: {', '.join(sorted(there)) or 'no fields'}"
            )
        config = config[name]
        parent += f".{name}"
