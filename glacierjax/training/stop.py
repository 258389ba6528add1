"""Stops a run on SIGTERM, which preemptible machines and clusters send before they end a job, and on Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """The run was stopped by a signal; it is saved and can be resumed.

    As `KeyboardInterrupt`, no `Exception`: code that tells of damaged files by their errors must not catch it.
    """

    def __init__(self, number: int = signal.SIGTERM):
        super().__init__(signal.strsignal(number))
        self.exit_code = 128 + number  # what shells report for a process that the signal ended


class StopRequest:
    """Records signals inside its `with` block, so that a run can save itself first; a second Ctrl-C stops without saving.

    `asked`: whether a signal came; `number`: which one.
    """

    def __init__(self) -> None:
        self.asked = False
        self.number: int = signal.SIGTERM
        self._at_once = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopRequest":
        # Python lets only the main thread handle signals; in another thread (of a notebook) the handlers stay unchanged. So
        # do ignored signals: a shell sets Ctrl-C to be ignored in background jobs.
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Raises `Stopped` inside the block as soon as a signal comes: for long work without results that must be saved."""
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
