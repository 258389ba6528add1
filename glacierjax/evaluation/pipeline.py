"""Runs reading, prediction and post-processing of different scenes at the same time, in threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

READ_AHEAD = 1
FINISHING = 2  # scenes finished at the same time; with READ_AHEAD it limits the number of scenes in memory


def overlapped(
    reads: Iterable[Callable[[], Item]],
    work: Callable[[Item], Callable[[], Result]],
) -> Iterator[Result]:
    """For each of `reads`: reads an item in one thread, processes it in the calling thread, and finishes it in another thread.

    `work` processes an item and returns the function that finishes it. Results come in order. An error in any of the three
    is raised here, and nothing new is started after it.
    """
    with ThreadPoolExecutor(READ_AHEAD) as readers, ThreadPoolExecutor(FINISHING) as finishers:
        queue = iter(reads)
        reading: deque[Future[Item]] = deque()
        finishing: deque[Future[Result]] = deque()

        def read_next() -> None:
            if (read := next(queue, None)) is not None:
                reading.append(readers.submit(read))

        for _ in range(READ_AHEAD):
            read_next()
        try:
            while reading:
                item = reading.popleft().result()
                read_next()
                finishing.append(finishers.submit(work(item)))
                del item
                if len(finishing) >= FINISHING:
                    yield finishing.popleft().result()
            while finishing:
                yield finishing.popleft().result()
        finally:
            for future in (*reading, *finishing):
                future.cancel()
