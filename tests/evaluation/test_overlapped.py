"""Reading, predicting and finishing scenes at the same time."""

import threading

import pytest

from glacierjax.core.errors import InputError
from glacierjax.evaluation.pipeline import FINISHING, READ_AHEAD, overlapped

PATIENCE_S = 20


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_results_come_in_order(count):
    reads = [lambda n=n: n for n in range(count)]
    assert list(overlapped(reads, lambda item: lambda: item**2)) == [n**2 for n in range(count)]


def test_the_next_item_is_read_and_the_last_one_finished_while_one_is_worked_on():
    """Both functions wait for each other, so a sequential run would never end."""
    read, finished = [threading.Event() for _ in range(3)], threading.Event()

    def reader(n):
        read[n].set()
        return n

    def work(n):
        if n == 1:
            assert read[2].wait(PATIENCE_S)

        def finish():
            if n == 0:
                assert read[2].wait(PATIENCE_S)
                finished.set()
            return n

        return finish

    assert list(overlapped([lambda n=n: reader(n) for n in range(3)], work)) == [0, 1, 2]
    assert finished.is_set()


def test_few_items_are_in_memory_at_a_time():
    alive, most, lock = 0, 0, threading.Lock()

    def read():
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)

    def work(_):
        def finish():
            nonlocal alive
            with lock:
                alive -= 1

        return finish

    assert len(list(overlapped([read] * 40, work))) == 40
    assert most <= READ_AHEAD + 1 + FINISHING


@pytest.mark.parametrize("stage", ["read", "work", "finish"])
def test_an_error_is_raised_and_nothing_is_begun_after_it(stage):
    begun = []

    def fail_at(here, n):
        if (here, n) == (stage, 2):
            raise InputError("scene 2 is damaged")

    def read(n):
        begun.append(n)
        fail_at("read", n)
        return n

    def work(n):
        fail_at("work", n)

        def finish():
            fail_at("finish", n)
            return n

        return finish

    with pytest.raises(InputError, match="scene 2 is damaged"):
        list(overlapped([lambda n=n: read(n) for n in range(50)], work))
    assert max(begun) <= 2 + READ_AHEAD + FINISHING + 1
