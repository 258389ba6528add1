"""The logs of a run: metrics.jsonl and TensorBoard events."""

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np
from jaxtyping import UInt8

from glacierjax.core.choices import BEST
from glacierjax.core.errors import InputError
from glacierjax.core.files import write_text
from glacierjax.core.json_values import Json, parse_json

METRICS = "metrics.jsonl"
EVENTS = "events"
Pictures = Mapping[str, UInt8[np.ndarray, "rows columns 3"]]


def finite_or_none(value: SupportsFloat | None) -> float | None:
    """The number as float or int, which JSON can hold; None for NaN and infinity."""
    if value is None or isinstance(value, int):
        return value
    number = float(value)
    return number if math.isfinite(number) else None


class RunLog:
    """Appends to `workdir/metrics.jsonl` and to TensorBoard events; a resumed run first removes lines after the restored step.

    `validated`: whether the validation of the restored step was finished; if not, its line is removed too. `writes` is
    true for the first process of a run only. Raises `InputError` when the disk is full or read-only.
    """

    def __init__(self, workdir: Path, restored_step: int, validated: bool = True, writes: bool = True):
        self._writes = writes
        if not writes:
            return
        self._path = workdir / METRICS
        kept = []
        if self._path.exists():
            lines = self._path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _is_before(line, restored_step, validated)]
        write_text(self._path, "".join(line + "\n" for line in kept))
        with _write_errors(self._path):
            self._events = _Events(workdir / EVENTS, restored_step + 1)

    def write(
        self,
        step: int,
        epoch: float,
        split: str,
        values: Mapping[str, SupportsFloat | None],
        machine: Mapping[str, float] | None = None,
    ) -> None:
        """Writes a line. `machine`: values that depend on the machine, for TensorBoard only."""
        if not self._writes:
            return
        values = {key: finite_or_none(value) for key, value in values.items()}
        with _write_errors(self._path):
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "epoch": epoch, "split": split, **values}) + "\n")
            numbers = {k: v for k, v in {**values, **(machine or {})}.items() if isinstance(v, (int, float))}
            self._events.scalars(step, {f"{split}/{key}": value for key, value in numbers.items()})

    def pictures(self, step: int, pictures: Pictures) -> None:
        """Writes pictures (H, W, 3) uint8 for TensorBoard."""
        if self._writes and pictures:
            with _write_errors(self._path):
                self._events.pictures(step, pictures)

    def flush(self) -> None:
        """Returns when all lines are on the disk, so that no checkpoint is newer than the log after a crash."""
        if self._writes:
            with _write_errors(self._path), self._path.open("a") as file:
                os.fsync(file.fileno())

    def close(self) -> None:
        if self._writes:
            with contextlib.suppress(OSError):  # a full disk was reported by the write that met it
                self._events.close()


class _Events:
    """A TensorBoard event file, written in the calling thread: the thread of tensorboardX's own writer hangs on a full disk."""

    def __init__(self, folder: Path, first_step: int):
        from tensorboardX import summary
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2

        protocol: Any = event_pb2  # its classes are created at import, so type checkers do not see them
        folder.mkdir(parents=True, exist_ok=True)
        self._summary, self._event = summary, protocol.Event
        # The process id gives two starts within one second different file names.
        self._writer = EventsWriter(str(folder / "events"), f".{os.getpid()}")
        start = protocol.SessionLog(status=protocol.SessionLog.START)
        # A START event makes TensorBoard discard what an earlier start wrote from this step on.
        self._write(protocol.Event(step=first_step, session_log=start))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for tag, value in values.items():
            self._write(self._event(step=step, summary=self._summary.scalar(tag, value)))
        self._writer.flush()

    def pictures(self, step: int, pictures: Pictures) -> None:
        for tag, picture in pictures.items():
            self._write(self._event(step=step, summary=self._summary.image(tag, picture, dataformats="HWC")))
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()

    def _write(self, event: Any) -> None:
        event.wall_time = time.time()
        self._writer.write_event(event)


def last_metrics(workdir: Path) -> Json:
    """The metrics of the last validation of a run; empty before the first."""
    lines = val_lines(workdir)
    return {k: v for k, v in lines[-1].items() if k not in ("step", "epoch", "split")} if lines else {}


def best_metrics(workdir: Path, rank_by: tuple[str, ...]) -> dict[str, Json]:
    """The best value of each metric in `rank_by` (keys of `BEST`), and its epoch."""
    best = {}
    for metric, larger_is_better in (BEST[name] for name in rank_by):
        lines = [line for line in val_lines(workdir) if line.get(metric) is not None]
        if lines:
            line = (max if larger_is_better else min)(lines, key=lambda line: line[metric])
            best[metric] = {"value": line[metric], "epoch": line["epoch"]}
    return best


def val_lines(workdir: Path) -> list[Json]:
    """The validations in the log of a run, in their order: step, epoch, split and metrics."""
    lines = [parse_json(line) for line in (workdir / METRICS).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["split"] == "val"]


@contextlib.contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path.parent}: the log cannot be written ({error.strerror}); free disk space, then start the run again"
        ) from error


def _is_before(line: str, restored_step: int, validated: bool) -> bool:
    """Whether a line was written before the restored checkpoint; false for a line that a crash cut short."""
    try:
        record = parse_json(line)
        step, split = record["step"], record["split"]
    except (ValueError, KeyError):
        return False
    return step < restored_step or (step == restored_step and (validated or split != "val"))
