"""A checkpoint as a folder to hand on: weights as safetensors with the record in their header, calibration and a card.

`glacierjax.load` takes the folder as it is. Nothing in it can run.
"""

import logging
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flax.traverse_util import flatten_dict

from glacierjax.checkpoints.calibration_file import CALIBRATION, read_calibrations, write_calibration
from glacierjax.checkpoints.conversion import portable
from glacierjax.checkpoints.hub import CARD, upload
from glacierjax.checkpoints.native import Checkpoint, load_checkpoint
from glacierjax.checkpoints.record import network_of
from glacierjax.checkpoints.safetensors_file import NAME_SEPARATOR, WEIGHTS, write_safetensors
from glacierjax.core.choices import SEGMENTATION, SERIES
from glacierjax.core.errors import InputError
from glacierjax.core.files import new_folder, user_path, write_text
from glacierjax.core.grey import RECORD_KEY
from glacierjax.core.json_values import Json

log = logging.getLogger(__name__)


def write_export(checkpoint: Checkpoint, output: str | Path) -> list[str]:
    """Writes a new folder and returns what to tell of it. Absolute paths, which mean nothing elsewhere, are left out.

    Raises `InputError` when `output` exists, or the record is of another version.
    """
    network_of(checkpoint)  # readable
    tensors: dict[str, Any] = dict(flatten_dict(checkpoint.params, sep=NAME_SEPARATOR))
    record = portable(checkpoint.record)
    parameters = sum(array.size for array in tensors.values())
    size_mb = sum(array.nbytes for array in tensors.values()) / 1e6
    size = f"{size_mb:.1f} MB without the state of the optimiser"
    tables = read_calibrations(checkpoint.path)
    with new_folder(output) as folder:
        write_safetensors(folder / WEIGHTS, tensors, record)
        for table in tables:
            write_calibration(folder, table)
        write_text(folder / CARD, card(record, f"{parameters:,} parameters, {size}", tables))
    there = f", {CALIBRATION}" if tables else f"; no {CALIBRATION}: evaluate the validation split to have one"
    return [
        f"{checkpoint.path}: {len(tensors)} tensors, {size}",
        f"written: {user_path(output)} ({WEIGHTS}, {CARD}{there})",
    ]


def push(folder: str | Path, name: str, private: bool = False) -> str:
    """Uploads a folder of `write_export` to the hub as `hf://OWNER/NAME` and returns that name with the commit.

    Raises `InputError` for a folder that is no such one, and with what to do if the hub does not take it.
    """
    folder = user_path(folder)
    if not (folder / WEIGHTS).is_file():
        raise InputError(f"{folder}: no {WEIGHTS} in it; give a folder that glacierjax export wrote")
    network_of(load_checkpoint(folder))  # whole and readable
    if not (folder / CARD).is_file() or _LICENCE in (folder / CARD).read_text(encoding="utf-8", errors="replace"):
        log.warning("%s: names no licence, so nobody may use the network; add it and push again", folder / CARD)
    return str(upload(folder, name, private))


def card(record: Mapping[str, Any], size: str, tables: list) -> str:
    """The model card (Markdown), from the record and the calibrations alone; `size` of the network in words."""
    model, config, metrics = (dict(record.get(key) or {}) for key in ("model", "config", "metrics"))
    data, grey = dict(config.get("data") or {}), dict(record.get(RECORD_KEY) or {})
    lines = [
        "---",  # what hubs read
        "library_name: glacierjax",
        "pipeline_tag: image-segmentation",
        "---",
        "",
        "# A network for calving fronts in radar images",
        "",
        f"Trained with glacierjax {record.get('version', 'of an unknown version')}, task `{record.get('task')}`, "
        f"{size}.",
        "",
        *(_PREDICT if record.get("task") in (SEGMENTATION, SERIES) else _START_FROM),
        "",
        "## Network and training",
        "",
        *_table({f"model.{name}": value for name, value in model.items()}),
        *_table(_flat(config, "config"), head=False),
        "",
        "## Figures",
        "",
    ]
    numbers = {name: value for name, value in metrics.items() if isinstance(value, int | float)}
    if numbers:
        lines += [
            f"On the validation split (`{data.get('val_split', '?')}`), by which this checkpoint may have been chosen:",
            "",
        ]
        lines += _table(numbers)
    else:
        lines.append("The record holds no figures.")
    for table in tables:
        errors = table.errors_m
        how = f"mode {table.how.get('mode')}, rotations {table.how.get('rotations')}"
        lines += [
            "",
            f"Fronts of the split `{table.split}` ({how}): {len(errors)} scenes, median error {statistics.median(errors):.0f} m, "
            f"largest {max(errors):.0f} m, {table.missing_fronts} without a front.",
        ]
    return "\n".join([*lines, "", "## Limits", "", *_limits(grey), "", "## Licence", "", _LICENCE, ""])


_PREDICT = (
    "    import glacierjax",
    '    glacierjax.load("THIS_FOLDER_OR_HF_NAME").predict("scene.tif").show()',
)
_START_FROM = (
    "It finds no fronts yet; a fine-tuning starts from it:",
    "",
    "    glacierjax train --config=configs/finetune_caffe.py --config.init.checkpoint=THIS_FOLDER_OR_HF_NAME --workdir=RUN",
)
_LICENCE = (
    "Not recorded. Whoever hands the weights on says under which licence, and which licence the training data have."
)


def _limits(grey: Mapping[str, Any]) -> list[str]:
    known = f"Grey values follow the rule `{grey}`. " if grey else ""
    return [
        f"{known}What the training data were (real or simulated scenes, which glaciers and sensors) is not in the record beyond "
        "the names above. Errors on other glaciers and sensors can be far larger than the figures."
    ]


def _table(values: Mapping[str, Any], head: bool = True) -> list[str]:
    top = ["| name | value |", "| --- | --- |"] if head else []
    return top + [
        f"| `{name}` | {value:.6g} |" if isinstance(value, float) else f"| `{name}` | {value} |"
        for name, value in values.items()
    ]


def _flat(values: Json, prefix: str) -> dict[str, Any]:
    flat = flatten_dict(values, sep=".")
    return {f"{prefix}.{name}": value for name, value in flat.items() if value not in ("", None)}
