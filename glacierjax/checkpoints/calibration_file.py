"""calibration.json in a checkpoint folder: fronts with their true errors, from which errors of new fronts are estimated.

It holds a table for each way in which the network was used (mode, rotations, with which other networks): each has its own errors.
"""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.json_values import DIGEST_LETTERS, Json, digest_of_json, read_json
from glacierjax.fronts.calibration import indicators_from_record
from glacierjax.fronts.indicators import Indicators

CALIBRATION = "calibration.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class CalibrationTable:
    """`how` the network was used; `split` that it was scored on; `scenes`: their names; `missing_fronts`: scenes of the split in
    which it found no front, though there is one."""

    how: Json
    split: str
    scenes: Sequence[str]
    indicators: Sequence[Indicators]
    errors_m: Sequence[float]
    missing_fronts: int

    @property
    def digest(self) -> str:
        """Tells one table from another of as many scenes."""
        return digest_of_json(_entry(self))


def fingerprint(params: Any) -> str:
    """Tells the parameters of one network from those of another."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        digest.update(jax.tree_util.keystr(path).encode())
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()[:DIGEST_LETTERS]


def read_calibrations(folder: Path) -> list[CalibrationTable]:
    """The tables of a checkpoint folder; none if it was never calibrated. Raises `InputError` for a damaged file."""
    path = folder / CALIBRATION
    if not path.exists():
        return []
    try:
        record = read_json(path)
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']}, expected {FORMAT}")
        return [_table(entry) for entry in record["calibrations"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: damaged ({type(error).__name__}: {error}); remove it, and evaluate the validation split again"
        ) from error


def write_calibration(folder: Path, table: CalibrationTable) -> None:
    """Adds a table to calibration.json in `folder`, instead of one of the same way."""
    try:
        others = [other for other in read_calibrations(folder) if other.how != table.how]
    except InputError:
        others = []  # a damaged file is replaced
    entries = [_entry(one) for one in (*others, table)]
    write_text(
        folder / CALIBRATION, json.dumps({"format": FORMAT, "calibrations": entries}, indent=1, allow_nan=False) + "\n"
    )


def _entry(table: CalibrationTable) -> Json:
    rows = zip(table.scenes, table.errors_m, table.indicators, strict=True)
    fronts = [{"scene": name, "error_m": error_m, **dataclasses.asdict(known)} for name, error_m, known in rows]
    return {"how": table.how, "split": table.split, "missing_fronts": table.missing_fronts, "fronts": fronts}


def _table(entry: Json) -> CalibrationTable:
    fronts = entry["fronts"]
    if not fronts:
        raise ValueError("a table without fronts")
    return CalibrationTable(
        how=dict(entry["how"]),
        split=str(entry["split"]),
        scenes=[str(front["scene"]) for front in fronts],
        indicators=[indicators_from_record(front) for front in fronts],
        errors_m=[float(front["error_m"]) for front in fronts],
        missing_fronts=int(entry["missing_fronts"]),
    )
