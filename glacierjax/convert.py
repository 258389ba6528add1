"""Converts PyTorch weights to a glacierjax checkpoint, and back.

  python -m glacierjax.convert --input=swinv2_tiny_patch4_window16_256.pth --output=imagenet
  python -m glacierjax.convert --input=tyrion.ckpt --output=tyrion
  python -m glacierjax.convert --to=torch --input=WORKDIR --output=tyrion.pth

Reads Microsoft's Swin V2 files and the official Tyrion, OptSimMIM and OptTranslator checkpoints without PyTorch, and
runs nothing that they contain. Prints what became of each group of tensors.
"""

import sys
from pathlib import Path

from absl import flags

from glacierjax.core import cli
from glacierjax.core.errors import InputError
from glacierjax.model import preset

AUTO = "auto"
NAMES_SHOWN = 5

_INPUT = flags.DEFINE_string(
    "input", None, "PyTorch file; with --to=torch a glacierjax checkpoint or workdir.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "New checkpoint folder; with --to=torch the new file.", required=True)
_MODEL = flags.DEFINE_string(
    "model", AUTO, "tyrion, optsimmim, opttranslator, swin (encoder only), or auto: by its names."
)
_TO = flags.DEFINE_enum("to", "glacierjax", ["glacierjax", "torch"], "What to write.")
_PRESET = flags.DEFINE_string("preset", None, "Sizes of the network by name; without it the file's shapes tell them.")
_WHICH = flags.DEFINE_string("which", "best_iou", "With --to=torch: which checkpoint of a workdir.")


def _from_torch(source: Path, output: Path) -> None:
    from glacierjax.checkpoints import native, torch_file, torch_import, torch_names

    if output.exists():
        raise InputError(f"--output={output}: exists already; choose a new folder or remove it")
    mapping = torch_file.read_torch(source)
    try:
        model = torch_import.detect_model(mapping) if _MODEL.value == AUTO else _MODEL.value
        fields = preset(_PRESET.value) if _PRESET.value else torch_import.infer_fields(mapping, model)
        params, report = torch_import.params_from_torch(mapping, model, fields)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    for names, problem in ((report.missing, "lacks"), (report.unknown, "holds what is unknown to")):
        if names:
            raise InputError(f"{source}: {problem} {model}: {_shown(names)}; choose another --model or another file")
    spec = torch_names.model_named(model)
    network = spec.network(**fields)
    stored = ("embed_dim", "depths", "num_heads", "window_size", "mlp_ratio", "num_groups", *fields)
    record = {
        "task": spec.task,
        "model": {name: _plain(getattr(network, name)) for name in dict.fromkeys(stored)},
        "source": {"file": source.name, "model": model},
    }
    native.save_checkpoint(output, params, record)
    print(f"{source}: {model}, {', '.join(f'{name} {value}' for name, value in record['model'].items())}")
    if report.prefix:
        print(f"  names begin with {report.prefix!r}, which was cut off")
    print(f"  taken: {len(report.taken)} tensors")
    print(f"  recomputed: {len(report.recomputed)} ({_shown(report.recomputed)})")
    print(f"  known to be of no use: {len(report.never_used)} ({_shown(report.never_used)})")
    print(f"written: {output}")


def _to_torch(source: Path, output: Path) -> None:
    from glacierjax.checkpoints import native, torch_import, torch_names, torch_writer

    if output.exists():
        raise InputError(f"--output={output}: exists already; choose a new file or remove it")
    checkpoint = native.load_checkpoint(source, _WHICH.value)
    task = checkpoint.record["task"]
    model = next((name for name, spec in torch_names.MODELS.items() if spec.task == task), None)
    if model is None:
        raise InputError(f"{checkpoint.path}: its task {task!r} has no PyTorch counterpart")
    if _MODEL.value not in (AUTO, model):
        raise InputError(f"--model={_MODEL.value}: {checkpoint.path} holds {model}; leave the flag out")
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in checkpoint.record["model"].items()}
    try:
        state_dict, report = torch_import.params_to_torch(checkpoint.params, model, fields)
    except InputError as error:
        raise InputError(f"{checkpoint.path}: {error}") from error
    torch_writer.write_torch(output, state_dict)
    print(f"{checkpoint.path}: {model}, {len(report.given)} tensors")
    print(f"  recomputed by PyTorch: {', '.join(report.recomputed)}")
    print(f"  not in the file, because no output depends on them: {', '.join(report.never_used)}")
    print("  so load it with load_state_dict(..., strict=False)")
    print(f"written: {output}")


def _shown(names: tuple[str, ...]) -> str:
    rest = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return (", ".join(names[:NAMES_SHOWN]) + rest) or "none"


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def main() -> None:
    convert = _to_torch if _TO.value == "torch" else _from_torch
    convert(Path(_INPUT.value), Path(_OUTPUT.value))


if __name__ == "__main__":
    sys.exit(cli.run(main, __doc__))
