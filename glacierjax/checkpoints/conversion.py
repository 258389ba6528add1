"""Checkpoints to and from files of other programs (PyTorch, safetensors), with the pixel spacing and sizes a network needs."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from glacierjax.checkpoints import native, safetensors_file, torch_file, torch_import, torch_names, torch_writer
from glacierjax.checkpoints.record import network_of
from glacierjax.core.choices import FORMATS, WHICH
from glacierjax.core.errors import ArgumentError, InputError, some_names
from glacierjax.core.files import user_path
from glacierjax.core.grey import RECORD_KEY
from glacierjax.core.json_values import Json
from glacierjax.core.settings import PRESETS, DataSettings, NetworkSettings
from glacierjax.core.zones import NUM_ZONES
from glacierjax.model import flax_fields, preset, settings_of
from glacierjax.model.pretraining import OPTICAL_BANDS

NAMES_SHOWN = 5
SCENE_FIELDS = ("pixel_spacing_m", "context_px")  # of config.data
HEAD_FIELDS = {"num_classes": NUM_ZONES, "bands": OPTICAL_BANDS}
MODEL_FIELDS = ("window_size", "num_groups")  # that tensors do not hold, or not always


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What tensors do not contain; None: as recorded in the file. Metres per pixel (0: any), pixels, tokens, groups."""

    pixel_spacing_m: float | None = None
    context_px: int | None = None
    window_size: int | None = None
    num_groups: int | None = None

    def __post_init__(self):
        for name in (*SCENE_FIELDS, *MODEL_FIELDS):
            value = getattr(self, name)
            least = 0 if name == "pixel_spacing_m" else 1
            if value is not None and not least <= value < float("inf"):
                raise ArgumentError(name, value, f"give a number of at least {least}")

    def fields(self, names: Sequence[str]) -> Json:
        """Those of the fields that are given."""
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def convert(
    source: Path, output: Path, to: str, model: str | None, sizes: str | None, which: str, wanted: Wanted
) -> list[str]:
    """`from_file` where `to` is "glacierjax", else `to_file`; raises `InputError` for what the other way would need."""
    if to == FORMATS[0]:
        if which != WHICH[0]:
            raise ArgumentError("which", which, "is of a training folder that `to` writes; leave it out")
        return from_file(source, output, model, sizes, wanted)
    if given := wanted.fields((*SCENE_FIELDS, *MODEL_FIELDS)):
        useless = ", ".join(f"`{name}`" for name in given)
        raise ArgumentError("to", to, f"the checkpoint records them; leave {useless} out")
    if sizes is not None:
        raise ArgumentError("preset", sizes, "the checkpoint records the sizes of its network; leave it out")
    return to_file(source, output, to, model, which)


def from_file(source: Path, output: Path, model: str | None, sizes: str | None, wanted: Wanted) -> list[str]:
    """Writes the checkpoint folder `output` of a PyTorch or safetensors file; returns a report, as lines.

    Args:
      source: the official code's file, Microsoft's, or one of `to_file`; a safetensors file by its suffix.
      output: a new folder.
      model: a name of `torch_names.MODELS`; None: detected by the tensors' names.
      sizes: a preset's name; None: from the file's record, or from the tensors' shapes.
      wanted: takes precedence over the file.

    Raises:
      InputError: the file cannot be read or is of another model, or `output` exists.
    """
    if user_path(output).exists():
        raise ArgumentError("output", output, "exists already; choose a new folder or remove it")
    if sizes is not None and sizes not in PRESETS:
        raise ArgumentError("preset", sizes, f"choose one of {', '.join(PRESETS)}")
    if source.suffix == safetensors_file.SUFFIX:
        mapping, given = safetensors_file.read_safetensors(source)
    else:
        mapping, given = torch_file.read_torch(source), torch_file.read_record(source)
    try:
        model = model or torch_import.detect_model(mapping)
        inferred = torch_import.infer_fields(mapping, model)
        fields = preset(sizes) if sizes else inferred if given is None else _recorded_fields(given, inferred)
        fields |= wanted.fields(MODEL_FIELDS)
        for name, size in HEAD_FIELDS.items():
            if fields.get(name, size) != size:
                raise InputError(f"its last layer has {fields[name]} {name}; the networks here have {size}")
        params, report = torch_import.params_from_torch(mapping, model, fields)
    except ArgumentError:
        raise
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    for names, problem in ((report.missing, "lacks"), (report.unknown, "holds what is unknown to")):
        if names:
            raise InputError(f"{source}: {problem} {model}: {_shown(names)}; choose another `model` or another file")
    spec = torch_names.model_named(model)
    record: dict[str, Any] = {
        **{name: value for name, value in (given or {}).items() if name in ("config", "metrics", RECORD_KEY)},
        "task": spec.task,
        "model": settings_of(spec.build(fields)).to_json(),
        "source": {"file": source.name, "model": model},
    }
    if scenes := wanted.fields(SCENE_FIELDS):
        config = record.setdefault("config", {})
        config["data"] = {**config.get("data", {}), **scenes}
    native.save_checkpoint(output, params, record)
    lines = [f"{source}: {model}, {', '.join(f'{name} {value}' for name, value in record['model'].items())}"]
    if report.prefix:
        lines.append(f"  names begin with {report.prefix!r}, which was cut off")
    lines += [
        f"  taken: {len(report.taken)} tensors",
        f"  recomputed: {len(report.recomputed)} ({_shown(report.recomputed)})",
        f"  known to be of no use: {len(report.never_used)} ({_shown(report.never_used)})",
    ]
    if given is not None:
        lines.append(f"  recorded in the file: {_scenes_text(record)}")
    known = {*record.get("config", {}).get("data", {}), *wanted.fields(MODEL_FIELDS), *inferred}
    if sizes or given is not None:  # they name the sizes
        known.update(MODEL_FIELDS)
    lines += _assumed([name for name in (*SCENE_FIELDS, *MODEL_FIELDS) if name not in known], record["model"])
    return [*lines, f"written: {output}"]


def to_file(source: Path, output: Path, kind: str, model: str | None, which: str) -> list[str]:
    """Writes a checkpoint as the file `output` with the official names; returns a report, as lines.

    `kind`: "torch" (the official code loads it) or "safetensors". Its record stands beside the tensors.

    Raises `InputError` when there is no such checkpoint, it has no PyTorch counterpart, or `output` exists.
    """
    if user_path(output).exists():
        raise ArgumentError("output", output, "exists already; choose a new file or remove it")
    checkpoint = native.load_checkpoint(source, which)
    recorded = torch_names.model_of_record(checkpoint.record)
    if recorded is None:
        raise InputError(f"{checkpoint.path}: its task {checkpoint.record['task']!r} has no PyTorch counterpart")
    if model not in (None, recorded):
        raise ArgumentError("model", model, f"{checkpoint.path} holds {recorded}; leave the flag out")
    try:
        state_dict, report = torch_import.params_to_torch(
            checkpoint.params, recorded, flax_fields(network_of(checkpoint))
        )
    except InputError as error:
        raise InputError(f"{checkpoint.path}: {error}") from error
    if kind == "torch":
        torch_writer.write_torch(output, state_dict, portable(checkpoint.record))
        place = f"{torch_file.RECORD} in the archive"
    else:
        safetensors_file.write_safetensors(output, state_dict, portable(checkpoint.record))
        place = f"{safetensors_file.RECORD_KEY} in the header"
    return [
        f"{checkpoint.path}: {recorded}, {len(report.given)} tensors",
        f"  recomputed by PyTorch: {', '.join(report.recomputed)}",
        f"  not in the file, because no output depends on them: {', '.join(report.never_used)}",
        "  so load it with load_state_dict(..., strict=False)",
        f"  beside the tensors, as {place}: {_scenes_text(checkpoint.record)}",
        f"written: {output}",
    ]


def portable(value: Any) -> Any:
    """A record as JSON for another machine: absolute paths, which have no meaning elsewhere, are empty; NaN and infinity None."""
    if isinstance(value, Mapping):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    is_path = isinstance(value, str) and (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute())
    return "" if is_path else value


def _recorded_fields(record: Json, inferred: Json) -> Json:
    """The model fields of a file's record, if they are those of its tensors and its settings are readable."""
    values = record.get("model")
    if not isinstance(values, Mapping):
        raise InputError("its record has no model; give the sizes with `preset`")
    try:
        sizes = {name: value for name, value in inferred.items() if name not in HEAD_FIELDS}
        fields = {**inferred, **flax_fields(NetworkSettings.from_json({**sizes, **values}))}
    except InputError as error:
        raise InputError(f"the model of its record is not readable ({error}); give `preset`") from error
    for name, value in inferred.items():
        if fields[name] != value:
            raise InputError(f"its record says {name} {fields[name]}, but its tensors {value}; give `preset`")
    config = record.get("config", {})
    if not isinstance(config, Mapping) or not isinstance(config.get("data", {}), Mapping):
        raise InputError("the settings in its record are not readable; export it again")
    return fields


def _scenes_text(record: Json) -> str:
    """What the network wants, as far as it is recorded."""
    data = record.get("config", {}).get("data", {})
    known = [f"{name} {data[name]}" for name in SCENE_FIELDS if name in data]
    return ", ".join([*known, *(f"{name} {record['model'].get(name)}" for name in MODEL_FIELDS)])


def _assumed(names: Sequence[str], model: Json) -> list[str]:
    if not names:
        return []
    of_model = {name: str(model[name]) for name in MODEL_FIELDS}
    taken = {"pixel_spacing_m": "scenes as they are", "context_px": str(DataSettings.context_px), **of_model}
    return [f"  not in the file, so assumed: {', '.join(f'`{name}` ({taken[name]})' for name in names)}"]


def _shown(names: Sequence[str]) -> str:
    return some_names(names, NAMES_SHOWN) or "none"
