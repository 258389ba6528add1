"""Progress of long work: a bar on a terminal, plain lines in a log."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

log = logging.getLogger(__name__)


Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10.0


def track(iterable: Iterable[Item], total: int, label: str) -> Iterator[Item]:
    """Yields the items of `iterable` and shows how many of `total` are done.

    On a terminal a tqdm bar; else a log line with the time left at most every `SECONDS_BETWEEN_LINES` seconds and one at the end.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm  # only where a bar is drawn

        yield from tqdm(iterable, total=total, desc=label)
        return
    started = last = time.monotonic()
    done = 0
    for item in iterable:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES and done < total:
            left = (now - started) / done * (total - done)
            log.info("%s: %d of %d, %.0f s, about %.0f s left", label, done, total, now - started, left)
            last = now
    log.info("%s: %d of %d done in %.0f s", label, done, total, time.monotonic() - started)


class Meter:
    """Progress of training: steps done, images per second, time left, the loss."""

    def __init__(self, total: int, done: int, label: str, images_per_step: int):
        self._total, self._label, self._images = total, label, images_per_step
        self._first = done
        self._started = self._last_line = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, initial=done, desc=label, unit="step")

    def update(self, done: int, loss: float) -> None:
        """Shows `done` steps and the loss."""
        now = time.monotonic()
        steps_per_second = (done - self._first) / max(now - self._started, 1e-9)
        rate = f"{steps_per_second * self._images:.1f} images/s"
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {loss:.4f}, {rate}", refresh=False)
            self._bar.update(done - self._bar.n)
        elif now - self._last_line >= SECONDS_BETWEEN_LINES:
            left = (self._total - done) / steps_per_second
            log.info("%s: step %d of %d, loss %.4f, %s, %.0f s left", self._label, done, self._total, loss, rate, left)
            self._last_line = now

    def note(self, text: str) -> None:
        """A line that stays."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            log.info("%s", text)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
