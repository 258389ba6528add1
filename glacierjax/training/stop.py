"""SIGTERM, with which preemptible machines and clusters announce that they will end a process."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

EXIT_CODE = 128 + signal.SIGTERM  # what shells report of a process that SIGTERM ended


class Stopped(Exception):
    """The run was asked to end; it is saved and can go on later."""


class StopRequest:
    """Notes SIGTERM while it is entered, so that a run can save itself first; `asked` says whether it came."""

    def __init__(self) -> None:
        self.asked = False
        self._at_once = False
        self._before: Any = None

    def __enter__(self) -> "StopRequest":
        # Python lets only the main thread handle signals; elsewhere (a notebook's thread) SIGTERM stays as it was.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Raises `Stopped` inside as soon as SIGTERM comes: for long work that changes nothing that must be kept."""
        self._at_once = True
        try:
            if self.asked:
                raise Stopped
            yield
        finally:
            self._at_once = False

    def _note(self, *_: object) -> None:
        self.asked = True
        if self._at_once:
            raise Stopped
