"""The error model of a predictor: what `glacierjax.evaluate` stored with its first checkpoint, for the same way of use."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from glacierjax.checkpoints.calibration_file import CALIBRATION, CalibrationTable, read_calibrations
from glacierjax.core.json_values import Json
from glacierjax.fronts.calibration import COVERAGE, LEAST_SCENES, ErrorModel, fit_error_model

log = logging.getLogger(__name__)

NOT_CALIBRATED = (
    "no errors of fronts are known: evaluate the validation split with this checkpoint and the same settings first"
)


class Calibration(NamedTuple):
    """`model` None: not calibrated; `note`: what is to be known of the errors, in words; `digest` of the table that they are
    from (`CalibrationTable`)."""

    model: ErrorModel | None
    note: str
    digest: str = ""


UNCALIBRATED = Calibration(None, NOT_CALIBRATED)


def way_of_use(
    fingerprints: Sequence[str], mode: str, quarter_turns: Sequence[int], mirrors: Sequence[Sequence[int]]
) -> Json:
    """Networks and how they go over a scene, as calibrations record it. `fingerprints`: of the networks' parameters."""
    return {
        "networks": sorted(fingerprints),
        "mode": mode,
        "rotations": list(quarter_turns),
        "mirrors": [list(axes) for axes in mirrors],
    }


def find_calibration(folder: Path, how: Json) -> Calibration:
    """The calibration in a checkpoint folder for this way of use. Raises `InputError` if its file is damaged."""
    tables = read_calibrations(folder)
    table = next((table for table in tables if table.how == how), None)
    if table is None or not table.errors_m:
        others = f" ({folder / CALIBRATION} is of other settings)" if tables else ""
        return Calibration(None, f"{NOT_CALIBRATED}{others}")
    return Calibration(fit_error_model(table.indicators, table.errors_m), describe(table), table.digest)


def describe(table: CalibrationTable) -> str:
    """What a calibration rests on, in words."""
    count = len(table.errors_m)
    interval = f"{COVERAGE:.0%} interval" if count >= LEAST_SCENES else f"no interval with fewer than {LEAST_SCENES}"
    missing = f"; {table.missing_fronts} more had no front" if table.missing_fronts else ""
    return f"errors of fronts from {count} scenes of the split {table.split} ({interval}){missing}"
