"""The journal of a campaign: each process appends what happens to its tasks to a file of its own.

Each line is one event of one task. A process that is killed leaves at most an incomplete last line, which is passed over, and a
start without an end.
"""

import dataclasses
import errno
import json
import os
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from glacierjax.core.errors import InputError
from glacierjax.core.json_values import Json, parse_json

JOURNAL = "journal"  # folder in the output of a campaign
SUFFIX = ".jsonl"
STARTED, DONE, FAILED, STOPPED, DIED, LOST = "started", "done", "failed", "stopped", "died", "lost"


@dataclasses.dataclass(slots=True)
class History:
    """What happened to one task. `results`: how often its result was written, of which so many were `lost`; `ended`: how many of
    its starts have an end; `seconds` that it took, at its last end `finished`; `event`, `last`: the last event and its time,
    seconds since 1970.

    Machines may have different clocks, so times decide only what is shown, never whether a task is done."""

    results: int = 0
    lost: int = 0
    started: int = 0
    ended: int = 0
    reason: str = ""
    seconds: float = 0.0
    finished: float = 0.0
    event: str = ""
    last: float = 0.0

    @property
    def done(self) -> bool:
        """Whether its result was written and has not been lost since."""
        return self.results > self.lost

    @property
    def died(self) -> int:
        """How often its process ended before the task did, or is still at it."""
        return 0 if self.done else max(self.started - self.ended, 0)

    @property
    def state(self) -> str:
        """DONE; FAILED: its last try ended without a result; STARTED: in work, or killed; "": waits for its first try, or
        for the next one after somebody stopped it or its result was lost."""
        if self.done:
            return DONE
        if self.event in (STOPPED, LOST, DONE):
            return ""
        return FAILED if self.event in (FAILED, DIED) else self.event


NOTHING = History()


class Journal:
    """Writes the events of one process. The file is closed after each, so that other machines see it on network disks."""

    def __init__(self, output: Path):
        folder = output / JOURNAL
        self.process = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._path = folder / f"{self.process}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another `output`") from error
        self._is_cut = False  # whether the last line has no end

    def write(self, event: str, digest: str, **facts: object) -> None:
        """Raises `OSError` where the disk is full."""
        line = json.dumps({"t": round(time.time(), 3), "event": event, "task": digest, **facts}) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)  # somebody may have removed an output to begin again
        data = ("\n" * self._is_cut + line).encode()
        with self._path.open("ab", buffering=0) as file:
            written = file.write(data) or 0
        if written < len(data):  # a disk that becomes full takes a part of it without an error
            self._is_cut = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._is_cut = False


def read_journals(output: Path) -> dict[str, History]:
    """The histories of all tasks that were ever started in an output, by their digests."""
    found: dict[str, History] = {}
    for event in _events(output):
        history = found.setdefault(event["task"], History())
        kind, when = event["event"], event["t"]
        if kind == STARTED:
            history.started += 1
        elif kind in (DONE, FAILED, STOPPED):
            history.ended += 1
        if kind == DONE:
            history.results += 1
            if when >= history.finished:
                history.seconds, history.finished = event.get("seconds", 0.0), when
        elif kind == LOST:
            history.lost = max(history.lost, event.get("results", 0))
        if when >= history.last:
            history.reason = event.get("reason", history.reason)
            history.event, history.last = kind, when
    return found


def _events(output: Path) -> Iterator[Json]:
    folder = output / JOURNAL
    files: Iterable[Path] = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ()
    for path in files:
        for line in path.read_bytes().splitlines():
            try:
                event = parse_json(line)
            except ValueError:  # its process was killed while it wrote
                continue
            yield event
