"""The queue of a campaign's tasks: each is tried until it has a result, a few times at most; those that failed come last."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from glacierjax.campaign.work import Outcome

DISK_FAILURES = 3  # in a row, after which a process is taken to have no disk left


class Queue:
    """The tasks that are left, by number and digest, and what is known of those that were tried."""

    def __init__(self, numbers: Iterable[int], digests: Sequence[str], attempts: int):
        self._waiting = deque(numbers)
        self._digests, self._attempts = digests, attempts
        self._tries: Counter[int] = Counter()
        self._disk_failures: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> tuple[int, str]:
        """Number and digest of the next task. Raises `IndexError` if none waits."""
        number = self._waiting.popleft()
        return number, self._digests[number]

    def is_final(self, outcome: Outcome) -> bool:
        """Whether no other try follows; else its task waits again."""
        self._disk_failures[outcome.process] = self._disk_failures[outcome.process] + 1 if outcome.is_disk else 0
        if not outcome.reason:
            return True
        self._tries[outcome.number] += 1
        if self._tries[outcome.number] < self._attempts:
            self._waiting.append(outcome.number)
            return False
        return True

    def is_without_disk(self, process: str) -> bool:
        """Whether a process could not write several times in a row."""
        return self._disk_failures[process] >= DISK_FAILURES
