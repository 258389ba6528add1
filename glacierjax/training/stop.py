"""Signals to end a run: SIGTERM, with which preemptible machines and clusters announce it, and Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(Exception):
    """The run was asked to end; it is saved and can go on later."""

    def __init__(self, number: int = signal.SIGTERM):
        super().__init__(signal.strsignal(number))
        self.exit_code = 128 + number  # what shells report of a process that the signal ended


class StopRequest:
    """Notes the signals while it is entered, so that a run can save itself first; a second Ctrl-C does not wait for that.

    `asked` says whether one came, `number` which.
    """

    def __init__(self) -> None:
        self.asked = False
        self.number: int = signal.SIGTERM
        self._at_once = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        # Python lets only the main thread handle signals; elsewhere (a notebook's thread) they stay as they were. So does a
        # signal that is ignored, as Ctrl-C is in a job that a shell put into the background.
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Raises `Stopped` inside as soon as a signal comes: for long work that changes nothing that must be kept."""
        self._at_once = True
        try:
            if self.asked:
                raise Stopped(self.number)
            yield
        finally:
            self._at_once = False

    def _note(self, number: int, _: object) -> None:
        self.asked, self.number = True, number
        if number == signal.SIGINT:
            signal.signal(number, self._before[number])
        if self._at_once:
            raise Stopped(number)
