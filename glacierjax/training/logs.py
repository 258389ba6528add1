"""What a run writes for people and programs: metrics.jsonl and TensorBoard events."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glacierjax.core.files import write_text

METRICS = "metrics.jsonl"


def plain(value: Any) -> Any:
    """Numbers that JSON knows: float or int, None for what does not exist (NaN, infinity)."""
    if isinstance(value, (str, int, bool)) or value is None:
        return value
    value = float(value)
    return value if math.isfinite(value) else None


class RunLog:
    """Appends to `workdir/metrics.jsonl` and to TensorBoard events; on resuming, lines after the restored step go."""

    def __init__(self, workdir: Path, restored_step: int):
        from tensorboardX import SummaryWriter

        self._path = workdir / METRICS
        kept = []
        if self._path.exists():
            lines = self._path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) <= restored_step]
        write_text(self._path, "".join(line + "\n" for line in kept))
        self._events = SummaryWriter(str(workdir / "events"), purge_step=restored_step + 1)

    def write(self, step: int, epoch: float, split: str, values: dict[str, Any]) -> None:
        """One line: step, epoch, split and the values."""
        values = {key: plain(value) for key, value in values.items()}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "epoch": epoch, "split": split, **values}) + "\n")
        for key, value in values.items():
            if isinstance(value, (int, float)):
                self._events.add_scalar(f"{split}/{key}", value, step)

    def pictures(self, step: int, pictures: Mapping[str, np.ndarray]) -> None:
        """Pictures (H, W, 3) uint8 for TensorBoard."""
        for name, picture in pictures.items():
            self._events.add_image(name, picture, step, dataformats="HWC")

    def close(self) -> None:
        self._events.close()


def _step_of(line: str) -> float:
    """Step of a line; infinite for one that a crash cut short."""
    try:
        return json.loads(line)["step"]
    except (json.JSONDecodeError, KeyError):
        return math.inf
